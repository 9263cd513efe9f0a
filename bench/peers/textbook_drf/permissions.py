"""Scopes: a view names what each method needs."""

from __future__ import annotations

from rest_framework.permissions import BasePermission


class HasScope(BasePermission):
    def has_permission(self, request, view):
        needed = view.required_scopes.get(request.method)
        return needed is None or needed in request.auth.scopes
