"""The map of the whole service."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from campone.views import api_docs, home
from pos_bridge import views
from pos_bridge.problems import Problem, answer_problem
from tenants.views import SignIn, SignOut, choose_appearance, choose_tenant

urlpatterns = [
    path("api/v1/public/pos", include("pos_bridge.urls")),
    path("api/v1/adapters/", include("adapters.urls")),
    re_path(r"^api/v1/schema/?\Z", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/v1/docs/?\Z", api_docs, name="docs"),
    re_path(r"^errors/?\Z", views.error_list, name="errors"),
    re_path(r"^errors/(?P<code>[a-z_]+)/?\Z", views.error_detail, name="error"),
    path("", home, name="home"),
    re_path(r"^anmelden/?\Z", SignIn.as_view(), name="sign-in"),
    re_path(r"^abmelden/?\Z", SignOut.as_view(), name="sign-out"),
    re_path(r"^campingplatz/?\Z", choose_tenant, name="choose-tenant"),
    re_path(r"^darstellung/?\Z", choose_appearance, name="choose-appearance"),
    re_path(r"^sprache/?\Z", set_language, name="set_language"),
    path("kasse/", include("kasse.urls")),
    path("buchhaltung/", include("journal.urls")),
    path("einstellungen/", include("journal.settings_urls")),
    path("einstellungen/", include("adapters.page_urls")),
    path("einstellungen/", include("pos_bridge.page_urls")),
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
