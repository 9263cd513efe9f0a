"""The way in and out, and what a person chooses for themselves: campground, appearance."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import views as auth_views
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tenants.access import roles_of
from tenants.models import User
from tenants.pages import CHOSEN

APPEARANCES = ("system", "light", "dark")
A_YEAR = 365 * 24 * 3600


class SignIn(auth_views.LoginView):
    """Name and password; who is signed in already goes on to where they wanted to go."""

    template_name = "tenants/sign_in.html"
    redirect_authenticated_user = True

    def get_form(self, form_class: Any = None) -> Any:
        """The stock form, with what password managers look for."""
        form = super().get_form(form_class)
        form.fields["username"].widget.attrs["autocomplete"] = "username"
        return form


class SignOut(auth_views.LogoutView):
    """By POST alone: no picture on a foreign page may sign anybody out."""

    next_page = "sign-in"


@require_POST
def choose_tenant(request: HttpRequest) -> HttpResponse:
    """Switch to another of one's campgrounds; its start page follows, since this one's rows are not there."""
    chosen = forms.IntegerField(min_value=1)
    if not isinstance(request.user, User):
        return redirect("sign-in")
    try:
        pk = chosen.clean(request.POST.get("tenant", ""))
    except forms.ValidationError:
        raise Http404 from None
    if all(tenant.pk != pk for tenant in roles_of(request.user)):
        raise Http404
    request.session[CHOSEN] = pk
    return redirect("home")


@require_POST
def choose_appearance(request: HttpRequest) -> HttpResponse:
    """Light, dark, or what the device says; kept in a cookie, for a year."""
    answer = HttpResponseRedirect(_back(request))
    wanted = request.POST.get("appearance")
    if wanted in APPEARANCES:
        answer.set_cookie("appearance", wanted, max_age=A_YEAR, secure=settings.SECURE, httponly=True, samesite="Lax")
    return answer


def _back(request: HttpRequest) -> str:
    """Where a form says it came from, if that is here."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else "/"
