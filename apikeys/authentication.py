"""Bearer tokens for Django REST framework: ``request.auth`` is the key, there is no user.

``authenticate_header()`` is what makes the framework answer 401, where without it 403 would be sent.
"""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from apikeys import verification
from apikeys.models import ApiKey
from apikeys.tokens import is_well_formed, may_be_ours
from tenants.access import slug_named_by


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

    def authenticate(self, request: Request) -> tuple[None, ApiKey]:
        """The key that signs this request.

        Raises:
            InvalidKeyAnswer: no header, another scheme, or no key of ours.
            KeyInactiveAnswer: revoked, expired, or the campground is switched off.
            Busy: too many tokens wait for their first check.
        """
        token = bearer_token(request)
        if token is None:
            raise InvalidKeyAnswer
        try:
            key = verification.verify_token(token, named_tenant=slug_named_by(request.get_host()), at=timezone.now())
        except verification.InvalidKey:
            raise InvalidKeyAnswer from None
        except verification.KeyInactive as refused:
            raise KeyInactiveAnswer(refused.key) from None
        except verification.TooManyUnproven:
            raise Busy from None
        return None, key

    def authenticate_header(self, request: Request) -> str:
        """The challenge that a 401 carries."""
        return "Bearer"


def bearer_token(request: Request) -> str | None:
    """The token of the ``Authorization`` header, or None when there is none that could be one."""
    return token_in(get_authorization_header(request))


def token_in(authorization: bytes) -> str | None:
    """The token in the value of an ``Authorization`` header."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token.isascii():
        return None
    return token.decode("ascii")


def may_be_a_till(authorization: bytes) -> bool:
    """Whether a header's token has our shape and check characters; costs neither database nor hash."""
    token = token_in(authorization)
    return token is not None and is_well_formed(token) and may_be_ours(token)


def key_of(request: Request) -> ApiKey:
    """The key that signed an authenticated request (the stubs type ``request.auth`` as a user's token)."""
    return cast(ApiKey, request.auth)
