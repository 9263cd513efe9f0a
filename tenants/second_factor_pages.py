"""The second step of signing in, and the page on which people set their second factor up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tenants.models import User
from tenants.pages import Here, staff_page
from tenants.qr import qr_code
from tenants.second_factor import address_of, authenticator_of, begin, confirm, passes, remove, typed_secret

HALF = "half_signed_in"
"""The session's key for who has shown the password alone."""
PATIENCE = timedelta(minutes=5)


class CodeForm(forms.Form):
    """Six digits of an app, or a code on paper."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
    )


def begin_half(request: HttpRequest, user: User, *, wanted: str, at: datetime) -> None:
    """Remember whose password was right, which one it was, and where they wanted to go."""
    request.session.cycle_key()
    request.session[HALF] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "wanted": wanted,
        "until": (at + PATIENCE).isoformat(),
    }


@never_cache
def second_step(request: HttpRequest) -> HttpResponse:
    """Ask for the code; a session begins when it is right."""
    half = request.session.get(HALF)
    user = _half_signed_in(half, at=timezone.now())
    if half is None or user is None:
        return redirect("sign-in")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if passes(user, form.cleaned_data["code"], at=timezone.now()):
            del request.session[HALF]
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            return HttpResponseRedirect(half["wanted"])
        form.add_error("code", _wrong())
    return render(request, "tenants/second_step.html", {"form": form}, status=422 if form.errors else 200)


def _half_signed_in(half: dict[str, Any] | None, *, at: datetime) -> User | None:
    if half is None or datetime.fromisoformat(half["until"]) < at:
        return None
    user = User.objects.filter(pk=half["user"], is_active=True).first()
    is_still_right = user is not None and constant_time_compare(half["password"], user.get_session_auth_hash())
    return user if is_still_right else None


@staff_page
def second_factor(request: HttpRequest, here: Here) -> HttpResponse:
    """What there is, and how to switch it on or off."""
    return _page(request, here, CodeForm())


@require_POST
@staff_page
def begin_second_factor(request: HttpRequest, here: Here) -> HttpResponse:
    """A secret for an app, to be confirmed."""
    begin(here.user)
    return redirect("second-factor")


@require_POST
@staff_page
def confirm_second_factor(request: HttpRequest, here: Here) -> HttpResponse:
    """The app's first code; the codes for paper are shown this once."""
    form = CodeForm(request.POST)
    codes = confirm(here.user, form.cleaned_data["code"], at=timezone.now()) if form.is_valid() else []
    if codes:
        return render(request, "tenants/recovery_codes.html", {"codes": codes})
    if form.is_valid():
        form.add_error("code", _wrong())
    return _page(request, here, form)


@require_POST
@staff_page
def remove_second_factor(request: HttpRequest, here: Here) -> HttpResponse:
    """Only with a code: an open browser is not the person."""
    form = CodeForm(request.POST)
    if form.is_valid():
        if passes(here.user, form.cleaned_data["code"], at=timezone.now()):
            remove(here.user)
            messages.success(request, _("From now on your password is enough."))
            return redirect("second-factor")
        form.add_error("code", _wrong())
    return _page(request, here, form)


def _wrong() -> str:
    return _("This code is not right, or it is too soon after a wrong one. Wait for the next one, and try again.")


def _page(request: HttpRequest, here: Here, form: CodeForm) -> HttpResponse:
    device = authenticator_of(here.user)
    context: dict[str, Any] = {"device": device, "form": form}
    if device is not None and not device.confirmed:
        context |= {"qr": qr_code(address_of(device)), "secret": typed_secret(device)}
    return render(request, "tenants/second_factor.html", context, status=422 if form.errors else 200)
