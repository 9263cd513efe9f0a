"""Replacing a key, with an overlap: the till sells on with the old one until it has the new one.

The old key ends 24 hours after the first use of its successor, and 7 days after the replacement even if that has
never been used; never later than it was to end anyway. All of that stands in its ``expires_at``, so nobody but
``note_first_use()`` has to know that there was a replacement.

What a key held goes over to its successor: name, scopes, budget, networks. Sales are recognised whichever key brought
them, since references belong to the campground.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from apikeys.minting import Minted, mint_key
from apikeys.models import ApiKey
from tenants.trail_models import trace

OVERLAP = timedelta(hours=24)
HARD_STOP = timedelta(days=7)


class KeyEnded(Exception):
    """The key is revoked, or has expired; nothing brings it back to life."""


class KeyReplaced(Exception):
    """The key has been replaced already: ``by`` is what follows it."""

    def __init__(self, by: ApiKey) -> None:
        super().__init__("key_replaced")
        self.by = by


@transaction.atomic
def replace_key(key: ApiKey, *, at: datetime, expires_at: datetime | None = None, leaked: bool = False) -> Minted:
    """Mint a key's successor, and let the key itself run out; or revoke it at once, if it has leaked.

    ``expires_at`` is the successor's, None means never. Two that replace one key at the same moment wait for each other
    at its row: the first one does.

    Raises:
        KeyEnded: it is revoked or has expired.
        KeyReplaced: it has a successor which is not revoked.
        django.core.exceptions.ValidationError: the successor would end before it begins.
    """
    old = living_key(key, at=at)
    minted = mint_key(
        tenant=old.tenant,
        name=old.name,
        scopes=old.scopes,
        budget=old.budget,
        networks=old.networks,
        at=at,
        expires_at=expires_at,
        replaces=old,
    )
    trace(old.tenant, "key.replaced", old, by=minted.key.prefix, leaked=leaked)
    if leaked:
        old.revoke(at=at)
    else:
        _end(ApiKey.objects.of(old.tenant).filter(pk=old.pk), by=at + HARD_STOP)
    return minted


def living_key(key: ApiKey, *, at: datetime) -> ApiKey:
    """The key's row as it is by now, held until the transaction ends, if there is anything to replace or change.

    Raises:
        KeyEnded, KeyReplaced: see ``require_living()``.
    """
    held = ApiKey.objects.of(key.tenant).select_for_update(of=("self",)).select_related("tenant").get(pk=key.pk)
    require_living(held, at=at)
    return held


def require_living(key: ApiKey, *, at: datetime) -> None:
    """See that there is anything to replace or change.

    Raises:
        KeyEnded: the key is revoked or has expired.
        KeyReplaced: it has a successor which is not revoked.
    """
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        raise KeyEnded
    if by := line_of(key).filter(pk__gt=key.pk, revoked_at=None).order_by("-pk").first():
        raise KeyReplaced(by)


def line_of(key: ApiKey) -> QuerySet[ApiKey]:
    """All keys of one till, which have replaced one another; the key itself is among them."""
    return ApiKey.objects.of(key.tenant).filter(Q(pk=key.till_key_id) | Q(line=key.till_key_id))


def relieved_keys(keys: Iterable[ApiKey]) -> set[int]:
    """The ids of those among ``keys`` whose till has used one that came after them, and which is not revoked."""
    keys = list(keys)
    in_use: dict[int, int] = {}
    for key in keys:
        if key.last_used_at is not None and key.revoked_at is None:
            in_use[key.till_key_id] = max(key.pk, in_use.get(key.till_key_id, 0))
    return {key.pk for key in keys if key.pk < in_use.get(key.till_key_id, 0)}


def note_first_use(key: ApiKey, *, at: datetime) -> None:
    """Bring forward the end of all that the key has replaced; called by whoever has noted its first use."""
    _end(line_of(key).filter(pk__lt=key.pk), by=at + OVERLAP)


def _end(keys: QuerySet[ApiKey], *, by: datetime) -> None:
    """End keys at an instant, if they have not ended or will not end before it."""
    later = keys.filter(Q(expires_at=None) | Q(expires_at__gt=by), revoked_at=None)
    # The youngest first, as everybody holds them: two uses of one line wait for each other, and never in a circle.
    found = list(later.order_by("-pk").select_for_update().values_list("pk", flat=True))
    keys.filter(pk__in=found).update(expires_at=by)
