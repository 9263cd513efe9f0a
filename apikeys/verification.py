"""From a raw token to its key: the row on every call, Argon2 once.

A process remembers which stored hash a token has proven, never what the key may do: rights are read from
the row on every call, so a revocation counts from the very next one, in every process.

Hashing is bounded: one at a time in a process, on a thread of its own, a short queue behind it. Tills whose token is
proven never meet that queue, so a flood of wrong tokens cannot hold them up.

Errors::

    KeyRefused
    ├── InvalidKey     no such token; never says whether the prefix exists
    └── KeyInactive    proven, but revoked, expired, or its campground is switched off
    TooManyUnproven    the queue for hashing is full: try again in a second

Source: product page, "Keys can be revoked instantly"; wire contract, section 1.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from django.db import transaction
from django.db.models import Q

from apikeys.hashing import hash_token, is_outdated, token_fits
from apikeys.models import ApiKey
from apikeys.replacing import note_first_use
from apikeys.tokens import is_well_formed, make_token, may_be_ours, prefix_of

Digest: TypeAlias = bytes
Fact: TypeAlias = tuple[Digest, str]
"""A token's digest, and the hash that it has proven, or failed to prove."""

LAST_USED_GRAIN = timedelta(minutes=1)
MOST_AHEAD = timedelta(hours=1)
"""A use that was noted further ahead than this is of a clock of ours that was wrong."""


NICENESS = 10
"""Of the thread that hashes."""


class KeyRefused(Exception):
    """A token that opens nothing."""


class InvalidKey(KeyRefused):
    """Malformed, made up, unknown, or a wrong secret: all alike to the caller."""


class KeyInactive(KeyRefused):
    """The token is proven, its key opens nothing any more."""

    def __init__(self, key: ApiKey) -> None:
        super().__init__("key_inactive")
        self.key = key


class TooManyUnproven(Exception):
    """Too many tokens wait for their first hashing in this process."""


class ProvenTokens:
    """What this process knows of tokens: which stored hash each has proven, or failed to prove.

    A token is kept only as its keyed digest, beside the encoded hash; a changed hash misses by itself.
    Failures are remembered apart, so that a flood of them cannot push out what is proven.
    """

    def __init__(self, *, capacity: int = 10_000, queue: int = 8, patience: float = 2.0) -> None:
        """``capacity`` in tokens, ``queue`` in different tokens waiting at once, ``patience`` in seconds."""
        self._digest_key = secrets.token_bytes(32)
        self._capacity = capacity
        self._queue = queue
        self._patience = patience
        self._facts: dict[bool, OrderedDict[Digest, str]] = {True: OrderedDict(), False: OrderedDict()}
        self._running: dict[Fact, Future[bool]] = {}
        self._guard = threading.Lock()
        # On one thread: a hash takes 8 MiB, which a thread keeps when it is done. On all that serve, a flood of wrong
        # tokens would take hundreds of MiB for good.
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="hashing", initializer=give_way)

    def proves(self, token: str, encoded: str) -> bool:
        """Whether ``token`` proves ``encoded``. The same pair is hashed once, however many calls race.

        Raises:
            TooManyUnproven: the pair is new, and too many others are before it.
        """
        fact = (self._digest(token), encoded)
        with self._guard:
            known = self._recall(fact)
            if known is not None:
                return known
            future, first = self._join(fact)
        if first:
            self._hash(fact, token, future)
        try:
            return future.result(timeout=self._patience)
        except TimeoutError:
            raise TooManyUnproven from None

    def has_proven(self, token: str) -> bool:
        """Whether ``token`` has proven a hash already, be it one that holds no more."""
        return self._digest(token) in self._facts[True]

    def _digest(self, token: str) -> Digest:
        return hashlib.blake2b(token.encode(), key=self._digest_key, digest_size=32).digest()

    def _recall(self, fact: Fact) -> bool | None:
        digest, encoded = fact
        for answer, facts in self._facts.items():
            if facts.get(digest) == encoded:
                facts.move_to_end(digest)
                return answer
        return None

    def _join(self, fact: Fact) -> tuple[Future[bool], bool]:
        """The hashing under way for this pair, or a new one if the queue has a place."""
        running = self._running.get(fact)
        if running is not None:
            return running, False
        if len(self._running) >= self._queue:
            raise TooManyUnproven
        return self._running.setdefault(fact, Future()), True

    def _hash(self, fact: Fact, token: str, future: Future[bool]) -> None:
        try:
            future.set_result(self._hashing.submit(token_fits, token, fact[1]).result())
        except Exception as error:  # noqa: BLE001 (those who wait must be told, whatever it was)
            future.set_exception(error)
        with self._guard:
            del self._running[fact]
            if future.exception() is None:
                self._learn(fact, future.result())

    def _learn(self, fact: Fact, answer: bool) -> None:
        facts = self._facts[answer]
        digest, encoded = fact
        facts[digest] = encoded
        if len(facts) > self._capacity:
            facts.popitem(last=False)


def give_way() -> None:
    """Let whoever sells go first. On Linux each thread has a priority of its own, elsewhere it stays as it is."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, max(os.getpriority(os.PRIO_PROCESS, thread), NICENESS))


_proven = ProvenTokens()


def is_proven(token: str) -> bool:
    """Whether a token has opened something here before, so that hardly anything is left to be waited for."""
    return _proven.has_proven(token)


def find_key(prefix: str) -> ApiKey | None:
    """The key with this prefix, its campground loaded with it."""
    return ApiKey.objects.across_tenants().select_related("tenant").filter(prefix=prefix).first()


def verify_token(
    token: str,
    *,
    named_tenant: str | None,
    at: datetime,
    address: str = "",
    find: Callable[[str], ApiKey | None] = find_key,
) -> ApiKey:
    """The active key whose token this is, its campground loaded with it.

    ``named_tenant`` is the slug that the host names, or None on a common host; ``find`` looks a prefix up. ``address``
    is from where the call comes, or "" if that is not known. Whether the key may be used from there is for the caller
    to ask (``ApiKey.may_be_used_from()``): if not, its use is not noted here.

    Raises:
        InvalidKey: no key's token, or one of another campground than the host names.
        KeyInactive: proven, but revoked, expired, or the campground is switched off.
        TooManyUnproven: see ``ProvenTokens``.
    """
    if not is_well_formed(token) or not may_be_ours(token):
        raise InvalidKey
    return verify_own_token(token, named_tenant=named_tenant, at=at, address=address, find=find)


def verify_own_token(
    token: str, *, named_tenant: str | None, at: datetime, address: str, find: Callable[[str], ApiKey | None]
) -> ApiKey:
    """The same, for a token whose shape and check characters have been looked at."""
    key = find(prefix_of(token))
    # An unknown prefix costs the same hash as a wrong secret: time tells nobody which prefixes exist.
    if not _proven.proves(token, key.token_hash if key else _hash_of_nobody()) or key is None:
        raise InvalidKey
    if named_tenant is not None and named_tenant != key.tenant.slug:
        raise InvalidKey
    if not key.is_active_at(at):
        raise KeyInactive(key)
    # A token that turns up elsewhere must not end the key which its own has replaced.
    if key.may_be_used_from(address):
        _keep_fresh(key, token, at)
    return key


def is_use_due(key: ApiKey, at: datetime) -> bool:
    """Whether a use of the key is to be noted: at most once a minute it is."""
    noted = key.last_used_at
    return noted is None or noted <= at - LAST_USED_GRAIN or noted > at + MOST_AHEAD


def _keep_fresh(key: ApiKey, token: str, at: datetime) -> None:
    """Note the use, if it is due; renew a hash made with yesterday's parameters, once."""
    if is_use_due(key, at):
        _note_use(key, at)
    if is_outdated(key.token_hash):
        rows = ApiKey.objects.of(key.tenant).filter(pk=key.pk, token_hash=key.token_hash)
        rows.update(token_hash=hash_token(token))


def _note_use(key: ApiKey, at: datetime) -> None:
    """Of those that note it at the same moment, one does; and with a first use it ends what the key has replaced."""
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - LAST_USED_GRAIN) | Q(last_used_at__gt=at + MOST_AHEAD)
    rows = ApiKey.objects.of(key.tenant).filter(stale, pk=key.pk)
    if key.replaces_id is None or key.last_used_at is not None:
        rows.update(last_used_at=at)
        return
    with transaction.atomic():
        if rows.update(last_used_at=at):
            note_first_use(key, at=at)


def _hash_of_nobody() -> str:
    """The same for all. Made by the first that asks while others wait: it takes as much memory as any hash."""
    with _NOBODYS_TURN:
        return _make_hash_of_nobody()


_NOBODYS_TURN = threading.Lock()


@lru_cache(maxsize=1)
def _make_hash_of_nobody() -> str:
    return hash_token(make_token())
