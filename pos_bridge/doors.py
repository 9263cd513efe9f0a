"""Other ways in for sales than the contract's own. The rooms above put theirs in when they are ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Door:
    """A way in whose tills need no key of their own; the ledger knows each by a key that is a name and opens nothing.

    ``is_open``: whether sales may come in by it. ``pages``: where staff look at it, by the id of the key that names it.
    """

    is_open: Callable[[Tenant], bool]
    pages: Callable[[Tenant], Mapping[int, str]]


DOORS: list[Door] = []
"""Filled by ``AppConfig.ready()`` of the rooms above."""


def is_any_open(tenant: Tenant) -> bool:
    """Whether sales of a campground may come in without a key."""
    return any(door.is_open(tenant) for door in DOORS)


def pages_by_key(tenant: Tenant) -> dict[int, str]:
    """The page of each door, by the id of the key that names it."""
    return {key: page for door in DOORS for key, page in door.pages(tenant).items()}
