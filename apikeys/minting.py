"""The only place where a raw token exists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apikeys.hashing import hash_token
from apikeys.models import DEFAULT_BUDGET, ApiKey, UsedForm
from apikeys.tokens import START, TEST_START, make_token, prefix_of
from tenants.models import Tenant
from tenants.trail_models import trace

LATEST = datetime(2200, 1, 1, tzinfo=timezone.utc)
"""No key ends later. An instant near the end of the calendar cannot be told, nor even be read, in every zone."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A new key and, this once, its raw token."""

    key: ApiKey
    token: str = field(repr=False)


class FormUsed(Exception):
    """The form has minted its key already; nobody can be shown the token again."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__("form_used")
        self.key = key


def mint_once(*, tenant: Tenant, form_id: UUID, at: datetime, **wanted: Any) -> Minted:
    """Mint the key that a form asks for, once.

    Raises:
        FormUsed: see ``once()``.
        django.core.exceptions.ValidationError: see ``mint_key()``.
    """
    return once(lambda: mint_key(tenant=tenant, at=at, **wanted), tenant=tenant, form_id=form_id)


def once(mint: Callable[[], Minted], *, tenant: Tenant, form_id: UUID) -> Minted:
    """Mint for a form, once: a page reloaded or a button pressed twice makes no second key.

    Twins that race meet at the constraint ``used_form_mints_once``: one mints, the key of the other is undone.

    Raises:
        FormUsed: the form has minted before; with the key that it has made.
    """
    used = UsedForm.objects.of(tenant).filter(form_id=form_id).select_related("api_key")
    if first := used.first():
        raise FormUsed(first.api_key)
    try:
        with transaction.atomic():
            minted = mint()
            UsedForm.objects.create(tenant=tenant, form_id=form_id, api_key=minted.key)
    except IntegrityError:
        raise FormUsed(used.get().api_key) from None
    return minted


def mint_key(
    *,
    tenant: Tenant,
    name: str,
    scopes: Sequence[str],
    at: datetime,
    expires_at: datetime | None = None,
    budget: int | None = DEFAULT_BUDGET,
    networks: Sequence[str] = (),
    replaces: ApiKey | None = None,
) -> Minted:
    """Make a key and keep only its prefix and hash.

    ``budget`` is in calls per rolling hour, None means no limit; without ``networks`` it may be used from everywhere.
    To replace a key is for ``replacing.replace_key()``.

    Raises:
        django.core.exceptions.ValidationError: unknown scopes, an empty name, a budget below 1, what is no network,
            an end in the past or after ``LATEST``.
    """
    require_possible_end(expires_at, at=at)
    token = _unused_token(TEST_START if tenant.is_rehearsal else START)
    key = ApiKey(
        tenant=tenant,
        name=name,
        prefix=prefix_of(token),
        token_hash=hash_token(token),
        scopes=list(scopes),
        budget=budget,
        networks=list(networks),
        replaces=replaces,
        line_id=replaces.till_key_id if replaces else None,
        created_at=at,
        expires_at=expires_at,
    )
    key.full_clean()
    with transaction.atomic():
        key.save(force_insert=True)
        trace(tenant, "key.minted", key, scopes=key.scopes, **({"replaces": replaces.prefix} if replaces else {}))
    return Minted(key=key, token=token)


def require_possible_end(expires_at: datetime | None, *, at: datetime) -> None:
    """See that a key which ends at ``expires_at`` opens something at ``at``.

    Raises:
        django.core.exceptions.ValidationError: it does not, or ends after ``LATEST``.
    """
    if expires_at is not None and expires_at <= at:
        raise ValidationError({"expires_at": "The key would have expired already."})
    if expires_at is not None and expires_at >= LATEST:
        raise ValidationError({"expires_at": f"A key ends before {LATEST.year}, or never."})


def _unused_token(start: str) -> str:
    """Eight visible characters can meet by chance in a large house; the secret is drawn anew with them."""
    token = make_token(start)
    while ApiKey.objects.across_tenants().filter(prefix=prefix_of(token)).exists():
        token = make_token(start)
    return token
