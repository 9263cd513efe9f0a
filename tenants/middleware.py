"""From the host name to the campground whose pages are asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.http import Http404, HttpRequest, HttpResponse

from tenants.access import slug_named_by, tenants_of
from tenants.actor import Actor, acting
from tenants.addresses import client_address
from tenants.fence import across_tenants, is_standing, within
from tenants.models import Tenant, User


class TenantMiddleware:
    """Closes a campground's host to people of another one, and says who acts.

    Pages below ``/api/`` are no concern of it: there the key decides, not the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            return self.get_response(request)
        refuse_strangers(request)
        with acting(actor_of(request)), admins_side_of(request):
            return self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """The person in front of the browser, and where it stands."""
    call = getattr(request, "call", None)
    address, request_id = client_address(request), getattr(call, "request_id", "")
    if not isinstance(request.user, User):
        return Actor("a stranger", address=address, request_id=request_id)
    return Actor(request.user.get_username(), user=request.user.pk, address=address, request_id=request_id)


def admins_side_of(request: HttpRequest) -> AbstractContextManager[None]:
    """The admin shows all of a person's campgrounds at once; every other page says itself whose it is."""
    user = request.user
    if not request.path_info.startswith("/admin/") or not isinstance(user, User) or not is_standing():
        return nullcontext()
    return across_tenants() if user.is_superuser else within(*tenants_of(user))


def refuse_strangers(request: HttpRequest) -> None:
    """Refuse a signed-in person on the host of a campground that is not theirs.

    Raises:
        Http404: the host names a campground that does not exist, is switched off, or is another's.
    """
    slug = slug_named_by(request.get_host())
    if slug is None:
        return
    user = request.user
    visible = tenants_of(user) if isinstance(user, User) else Tenant.objects.filter(is_active=True)
    if not visible.filter(slug=slug).exists():
        raise Http404
