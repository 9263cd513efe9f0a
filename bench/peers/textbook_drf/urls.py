"""The product's paths."""

from __future__ import annotations

from django.urls import include, path

from bench.peers.textbook_drf import views

paths = [
    path("transactions/", views.TransactionsView.as_view()),
    path("transactions/<str:external_ref>/", views.TransactionView.as_view()),
    path("products/", views.ProductsView.as_view()),
    path("ping/", views.PingView.as_view()),
]
urlpatterns = [path("api/v1/public/pos/", include(paths))]
