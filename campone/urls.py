"""The map of the whole service."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import include, path, re_path
from django.views import defaults
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from campone.views import api_docs, home
from pos_bridge import views
from pos_bridge.problems import Problem, answer_problem, problem_of
from tenants.second_factor_pages import (
    begin_second_factor,
    confirm_second_factor,
    remove_second_factor,
    second_factor,
    second_step,
)
from tenants.trail_pages import trail
from tenants.views import SignIn, SignOut, admin_sign_in, choose_appearance, choose_tenant

urlpatterns = [
    path("api/v1/public/pos", include("pos_bridge.urls")),
    path("api/v1/adapters/", include("adapters.urls")),
    re_path(r"^api/v1/schema/?\Z", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/v1/docs/?\Z", api_docs, name="docs"),
    re_path(r"^errors/?\Z", views.error_list, name="errors"),
    re_path(r"^errors/(?P<code>[a-z_]+)/?\Z", views.error_detail, name="error"),
    path("", home, name="home"),
    re_path(r"^anmelden/?\Z", SignIn.as_view(), name="sign-in"),
    re_path(r"^anmelden/code/?\Z", second_step, name="second-step"),
    re_path(r"^zugang/?\Z", second_factor, name="second-factor"),
    re_path(r"^zugang/einrichten/?\Z", begin_second_factor, name="begin-second-factor"),
    re_path(r"^zugang/bestaetigen/?\Z", confirm_second_factor, name="confirm-second-factor"),
    re_path(r"^zugang/ausschalten/?\Z", remove_second_factor, name="remove-second-factor"),
    re_path(r"^einstellungen/aenderungen/?\Z", trail, name="trail"),
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
    path("admin/login/", admin_sign_in),
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
    """JSON for tills, Django's page for people; one of its own where the database is away or full."""
    if request.path_info.startswith("/api/"):
        return answer_problem(request, Problem("server_error"))
    problem = problem_of(cast(Exception, sys.exception()))
    if problem.status != HTTPStatus.SERVICE_UNAVAILABLE:
        return defaults.server_error(request)
    # Whatever the frame of a page shows would have to be asked for.
    return HttpResponse(render_to_string("503.html"), status=problem.status, headers=dict(problem.headers))


handler400 = answer_400
handler404 = answer_404
handler500 = answer_500
