"""What a key may do: closed, unless a view names the scope of a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from apikeys.authentication import key_of
from apikeys.models import Scope

if TYPE_CHECKING:  # the framework reads its default permissions while it defines APIView
    from rest_framework.views import APIView

Scopes = Mapping[str, tuple[Scope, ...]]


class InsufficientScope(PermissionDenied):
    """403 ``insufficient_scope``: the key is good, its rights do not reach."""

    default_code = "insufficient_scope"

    def __init__(self, required: tuple[Scope, ...]) -> None:
        super().__init__()
        self.required_scope = " ".join(required)


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
        if not set(required) & set(key_of(request).scopes):
            raise InsufficientScope(required)
        return True
