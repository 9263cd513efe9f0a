"""Bearer tokens for Django REST framework: ``request.auth`` is the key, there is no user.

``authenticate_header()`` is what makes the framework answer 401, where without it 403 would be sent.
"""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from apikeys import verification
from apikeys.models import ApiKey
from apikeys.tokens import is_well_formed, may_be_ours
from tenants.access import slug_named_by
from tenants.addresses import proven_address


class InvalidKeyAnswer(AuthenticationFailed):
    """401 ``invalid_key``: one answer for all that is not a key of ours."""

    default_code = "invalid_key"


class KeyInactiveAnswer(AuthenticationFailed):
    """401 ``key_inactive``: proven, but it opens nothing any more."""

    default_code = "key_inactive"

    def __init__(self, key: ApiKey) -> None:
        super().__init__()
        self.key = key


class Busy(APIException):
    """503 ``busy``: come back in a second."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "busy"
    wait = 1


class ApiKeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer ck_…``, and nothing else."""

    token: str | None = None
    proven = False
    """Whether the token has opened something here before."""

    def look_at(self, request: Request) -> None:
        """Refuse at a glance what cannot be a token of ours; costs neither body, database nor hash.

        Raises:
            InvalidKeyAnswer: no header, another scheme, or a token of another shape or other check characters.
        """
        token = bearer_in(request.META.get("HTTP_AUTHORIZATION", ""))
        self.proven = token is not None and verification.is_proven(token)
        if token is None or not (self.proven or may_be_ours(token)):
            request.get_host()  # a host that is not ours is told so, whoever asks
            raise InvalidKeyAnswer
        self.token = token

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        """The key that signs this request.

        Raises:
            InvalidKeyAnswer: no key of ours.
            KeyInactiveAnswer: revoked, expired, or the campground is switched off.
            Busy: too many tokens wait for their first check.
        """
        if self.token is None:
            self.look_at(request)
        named_tenant = slug_named_by(request.get_host())
        try:
            key = verification.verify_own_token(
                cast(str, self.token),
                named_tenant=named_tenant,
                at=timezone.now(),
                address=proven_address(request),
                find=self.find_key,
            )
        except verification.InvalidKey:
            raise InvalidKeyAnswer from None
        except verification.KeyInactive as refused:
            raise KeyInactiveAnswer(refused.key) from None
        except verification.TooManyUnproven:
            raise Busy from None
        return None, key

    def find_key(self, prefix: str) -> ApiKey | None:
        """Where keys are looked up, on every call."""
        return verification.find_key(prefix)

    def authenticate_header(self, request: Request) -> str:
        """The challenge that a 401 carries."""
        return "Bearer"


def token_in(authorization: str) -> str | None:
    """The token in an ``Authorization`` header, if it has our shape, and has opened something here before or has our
    check characters.
    """
    token = bearer_in(authorization)
    return token if token and (verification.is_proven(token) or may_be_ours(token)) else None


def bearer_in(authorization: str) -> str | None:
    """What stands in an ``Authorization`` header, if it has the shape of a token."""
    scheme, _, token = authorization.partition(" ")
    return token if scheme.lower() == "bearer" and is_well_formed(token) else None


def key_of(request: Request) -> ApiKey:
    """The key that signed an authenticated request (the stubs type ``request.auth`` as a user's token)."""
    return cast(ApiKey, request.auth)
