"""The paths of the API; each with and without its final slash, since a redirect would lose a POST."""

from __future__ import annotations

from django.urls import re_path

from pos_bridge import api, batch_api, gaps_api, reconciling_api

urlpatterns = [
    re_path(r"^/transactions/?\Z", api.TransactionsView.as_view(), name="transactions"),
    re_path(r"^/transactions/batch/?\Z", batch_api.BatchView.as_view(), name="batch"),
    re_path(r"^/transactions/summary/?\Z", reconciling_api.SummaryView.as_view(), name="summary"),
    # A reference may hold slashes, and anything that is no control character.
    re_path(r"^/transactions/(?P<external_ref>(?s:.+?))/?\Z", api.TransactionView.as_view(), name="transaction"),
    re_path(r"^/reconciliations/?\Z", reconciling_api.ReconciliationsView.as_view(), name="reconciliations"),
    re_path(r"^/gaps/?\Z", gaps_api.GapsView.as_view(), name="gaps"),
    re_path(r"^/products/?\Z", api.ProductsView.as_view(), name="products"),
    re_path(r"^/ping/?\Z", api.PingView.as_view(), name="ping"),
    re_path(r"^(/(?s:.*))?\Z", api.NothingHere.as_view(), name="nothing-here"),
]
