"""What a key may do: closed, unless a view names the scope of a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys.authentication import key_of
from apikeys.models import Scope
from tenants.addresses import proven_address

if TYPE_CHECKING:  # the framework reads its default permissions while it defines APIView
    from rest_framework.views import APIView

Scopes = Mapping[str, tuple[Scope, ...]]


class InsufficientScope(PermissionDenied):
    """403 ``insufficient_scope``: the key is good, its rights do not reach."""

    default_code = "insufficient_scope"

    def __init__(self, required: tuple[Scope, ...]) -> None:
        super().__init__()
        self.required_scope = " ".join(required)


class AddressNotAllowed(PermissionDenied):
    """403 ``address_not_allowed``: the key is good, but not where the call comes from; ``address`` is what we saw."""

    default_code = "address_not_allowed"

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address


class HttpsRequired(PermissionDenied):
    """403 ``https_required``: the key is good, and everyone on the way has seen it."""

    default_code = "https_required"


def require_https(request: HttpRequest | Request) -> None:
    """See that a call came by HTTPS, where a trusted proxy says how it came.

    Raises:
        HttpsRequired: it came in clear. A redirect would let the till go on unnoticed.
    """
    if settings.PROXY_COUNT and request.META.get("HTTP_X_FORWARDED_PROTO") and not request.is_secure():
        raise HttpsRequired


def require_address(request: Request) -> None:
    """See that a call comes from where its key may be used.

    Raises:
        AddressNotAllowed: it does not, or nobody can say from where it comes.
    """
    key = key_of(request)
    if key.networks and not key.may_be_used_from(address := proven_address(request)):
        raise AddressNotAllowed(address)


class HasScope(BasePermission):
    """A view's ``required_scopes`` gives, for each method, the scopes of which one is enough."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True if the key holds one of the scopes.

        Raises:
            InsufficientScope: it holds none, or the view names none for this method.
        """
        scopes: Scopes = getattr(view, "required_scopes", {})
        method = "GET" if request.method == "HEAD" else str(request.method)
        required = scopes.get(method, ())
        held = key_of(request).scopes
        if not any(scope in held for scope in required):
            raise InsufficientScope(required)
        return True
