"""Bearer tokens by djangorestframework-api-key: the key's row and its SHA-512 on every call."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_api_key.permissions import KeyParser

from bench.peers.textbook_drf.models import TillKey


class BearerParser(KeyParser):
    keyword = "Bearer"


class TillKeyAuthentication(BaseAuthentication):
    def authenticate(self, request):
        token = BearerParser().get(request)
        if not token:
            raise AuthenticationFailed
        try:
            key = TillKey.objects.get_from_key(token)
        except TillKey.DoesNotExist:
            raise AuthenticationFailed from None
        if key.has_expired or not key.tenant.is_active:
            raise AuthenticationFailed
        request._request.till_key = key
        return None, key

    def authenticate_header(self, request):
        return "Bearer"
