"""Changing what a key may do, while it lives; its token and its scopes stay as they were minted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apikeys.minting import require_possible_end
from apikeys.models import ApiKey
from apikeys.replacing import living_key
from tenants.trail_models import trace


@transaction.atomic
def change_key(
    key: ApiKey,
    *,
    at: datetime,
    name: str,
    expires_at: datetime | None,
    budget: int | None,
    networks: Sequence[str],
) -> ApiKey:
    """Give a key another name, end, budget or other networks; it holds from the next call on.

    A key that has been replaced keeps the end that it got by that, and so all the rest.

    Raises:
        KeyEnded, KeyReplaced: see ``replacing.living_key()``.
        django.core.exceptions.ValidationError: see ``minting.mint_key()``.
    """
    held = living_key(key, at=at)
    require_possible_end(expires_at, at=at)
    held.name, held.expires_at, held.budget, held.networks = name, expires_at, budget, list(networks)
    held.full_clean()
    held.save(update_fields=["name", "expires_at", "budget", "networks"])
    end = expires_at and expires_at.isoformat()
    trace(held.tenant, "key.changed", held, expires_at=end, budget=budget, networks=held.networks)
    return held
