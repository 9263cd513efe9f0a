"""The map of the whole service."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from pos_bridge import views
from pos_bridge.problems import Problem, answer_problem

urlpatterns = [
    path("api/v1/public/pos", include("pos_bridge.urls")),
    re_path(r"^api/v1/schema/?\Z", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/v1/docs/?\Z", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    re_path(r"^errors/?\Z", views.error_list, name="errors"),
    re_path(r"^errors/(?P<code>[a-z_]+)/?\Z", views.error_detail, name="error"),
    path("", RedirectView.as_view(pattern_name="docs"), name="home"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]


def answer_400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """JSON for tills, Django's page for people."""
    if request.path_info.startswith("/api/"):
        return answer_problem(request, Problem("bad_request"))
    return defaults.bad_request(request, exception)


def answer_404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """JSON for tills, Django's page for people."""
    if request.path_info.startswith("/api/"):
        return answer_problem(request, Problem("not_found"))
    return defaults.page_not_found(request, exception)


def answer_500(request: HttpRequest) -> HttpResponse:
    """JSON for tills, Django's page for people."""
    if request.path_info.startswith("/api/"):
        return answer_problem(request, Problem("server_error"))
    return defaults.server_error(request)


handler400 = answer_400
handler404 = answer_404
handler500 = answer_500
