"""The way in and out, and what a person chooses for themselves: campground, appearance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxLengthValidator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from tenants.access import roles_of
from tenants.models import User
from tenants.pages import CHOSEN
from tenants.second_factor import has_second_factor
from tenants.second_factor_pages import begin_half

APPEARANCES = ("system", "light", "dark")
A_YEAR = 365 * 24 * 3600


class SignIn(auth_views.LoginView):
    """Name and password; who is signed in already goes on to where they wanted to go."""

    template_name = "tenants/sign_in.html"
    redirect_authenticated_user = True

    def get_form(self, form_class: Any = None) -> Any:
        """The stock form, with what password managers look for; a name that nobody can have is not looked up."""
        form = super().get_form(form_class)
        name = cast(forms.CharField, form.fields["username"])
        name.widget.attrs["autocomplete"] = "username"
        name.validators.append(MaxLengthValidator(cast(int, name.max_length)))
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        """The password was right. Who has a second factor shows that too, before there is a session."""
        if not has_second_factor(form.get_user()):
            return super().form_valid(form)
        begin_half(self.request, form.get_user(), wanted=self.get_success_url(), at=timezone.now())
        return redirect("second-step")


def counted_as(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Under which name a wrong password is counted: somebody's name, or a digest of what was typed in its place.

    Whoever types the password into the field of the name must not find it among the attempts.
    """
    name = str((credentials or request.POST).get("username", ""))
    if User.objects.filter(username=name).exists():
        return name
    return salted_hmac("tenants.sign_in", name, algorithm="sha256").hexdigest()


def locked_out(request: HttpRequest, *_: Any) -> HttpResponse:
    """After too many wrong passwords for a name from one address: wait."""
    wait = settings.AXES_COOLOFF_TIME
    answer = render(request, "tenants/locked_out.html", {"minutes": int(wait.total_seconds() // 60)}, status=429)
    answer["Retry-After"] = str(int(wait.total_seconds()))
    return answer


def admin_sign_in(request: HttpRequest) -> HttpResponse:
    """The administration has no door of its own: one place asks for passwords and second factors."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next", "/admin/"))


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
