"""Pages of a campground: who may open them, whose they are, and on which clock they are written.

A view takes the request and ``Here``, and is closed unless it says for whom it is open::

    @staff_page
    def transactions(request: HttpRequest, here: Here) -> HttpResponse: ...

    @admin_page
    def revoke(request: HttpRequest, here: Here, pk: int) -> HttpResponse: ...

The campground is the one the host names; on a host common to all, the one chosen last, else the first by name.
Rows of another one are answered 404, as if they did not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeAlias, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from tenants.access import roles_of, slug_named_by
from tenants.fence import each_within, is_standing, within
from tenants.models import Role, Tenant, User

P = ParamSpec("P")
CHOSEN = "tenant"
"""The session's key for the campground that was chosen last."""


@dataclass(frozen=True, slots=True)
class Here:
    """A person at a campground: whose page it is, and what they may do there."""

    tenant: Tenant
    user: User
    is_admin: bool
    others: tuple[Tenant, ...] = ()
    """Further campgrounds of theirs, by name; they can be switched to on a host common to all."""


View: TypeAlias = Callable[Concatenate[HttpRequest, Here, P], HttpResponseBase]
OpenView: TypeAlias = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def staff_page(view: View[P]) -> OpenView[P]:
    """Open a page to everybody who works at the campground; on its clock, and kept by no cache.

    Who has not signed in is asked to, and brought back. Who has no campground is told so.
    """

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return _to_sign_in(request)
        here = whereabouts(request, request.user)
        if here is None:
            return render(request, "tenants/no_campground.html", status=403)
        request.here = here  # type: ignore[attr-defined]  # for the frame round the page, by context_processors
        with timezone.override(here.tenant.zone_info), within(here.tenant):
            return _sent_within(here.tenant, view(request, here, *args, **kwargs))

    page.is_fenced = True  # type: ignore[attr-defined]  # a test asks every page for it
    return page


def _sent_within(tenant: Tenant, answer: HttpResponseBase) -> HttpResponseBase:
    """An answer that is made while it is sent stays within the fence until its end."""
    if isinstance(answer, StreamingHttpResponse) and is_standing():
        answer.streaming_content = each_within(tenant, cast("Iterator[bytes]", answer.streaming_content))
    return answer


def asks_for_a_part(request: HttpRequest) -> bool:
    """Whether a page that is open renews a part of itself, and wants that part alone."""
    return request.headers.get("HX-Request") == "true"


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Where to sign in. A page that asks for a part of itself is loaded anew: the form would land in the part."""
    if asks_for_a_part(request):
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path())


def admin_page(view: View[P]) -> OpenView[P]:
    """Open a page to the campground's admins alone; staff are answered 403.

    Raises:
        PermissionDenied: the person works here, but does not change things.
    """

    @staff_page
    @wraps(view)
    def page(request: HttpRequest, here: Here, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not here.is_admin:
            raise PermissionDenied
        return view(request, here, *args, **kwargs)

    return page


def whereabouts(request: HttpRequest, user: User) -> Here | None:
    """Which of their campgrounds a person is at; None for those who have none, or none of this host's name."""
    roles = roles_of(user)
    named = slug_named_by(request.get_host())
    tenants = sorted(roles, key=lambda tenant: (tenant.name, tenant.pk))
    within = [tenant for tenant in tenants if named in {None, tenant.slug}]
    if not within:
        return None
    chosen = request.session.get(CHOSEN)
    tenant = next((each for each in within if each.pk == chosen), within[0])
    others = tuple(each for each in within if each != tenant)
    return Here(tenant, user, is_admin=roles[tenant] == Role.TENANT_ADMIN, others=others)
