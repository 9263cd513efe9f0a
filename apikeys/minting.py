"""The only place where a raw token exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.core.exceptions import ValidationError

from apikeys.hashing import hash_token
from apikeys.models import DEFAULT_BUDGET, ApiKey
from apikeys.tokens import make_token, prefix_of
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key and, this once, its raw token."""

    key: ApiKey
    token: str = field(repr=False)


def mint_key(
    *,
    tenant: Tenant,
    name: str,
    scopes: Sequence[str],
    at: datetime,
    expires_at: datetime | None = None,
    budget: int | None = DEFAULT_BUDGET,
) -> Minted:
    """Make a key and keep only its prefix and hash.

    ``budget`` is in calls per rolling hour, None means no limit.

    Raises:
        django.core.exceptions.ValidationError: unknown scopes, an empty name, a budget below 1, an end in the past.
    """
    if expires_at is not None and expires_at <= at:
        raise ValidationError({"expires_at": "The key would have expired already."})
    token = _unused_token()
    key = ApiKey(
        tenant=tenant,
        name=name,
        prefix=prefix_of(token),
        token_hash=hash_token(token),
        scopes=list(scopes),
        budget=budget,
        created_at=at,
        expires_at=expires_at,
    )
    key.full_clean()
    key.save(force_insert=True)
    return Minted(key=key, token=token)


def _unused_token() -> str:
    """Eight visible characters can meet by chance in a large house; the secret is drawn anew with them."""
    token = make_token()
    while ApiKey.objects.filter(prefix=prefix_of(token)).exists():
        token = make_token()
    return token
