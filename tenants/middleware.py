"""From the host name to the campground whose pages are asked for."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from tenants.access import slug_named_by, tenants_of
from tenants.models import Tenant, User


class TenantMiddleware:
    """Closes a campground's host to people of another one.

    Pages below ``/api/`` are no concern of it: there the key decides, not the session.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            refuse_strangers(request)
        return self.get_response(request)


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
