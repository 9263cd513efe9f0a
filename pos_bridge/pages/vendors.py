"""The place for vendors' cards, beside that of the bridge. The rooms above put theirs in when they are ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenants.pages import Here


@dataclass(frozen=True, slots=True)
class VendorCard:
    """A card on the tab "Vendor adapters": a template for one sheet, and what it is filled with."""

    template: str
    context: Callable[[Here], Mapping[str, Any]]


VENDOR_CARDS: list[VendorCard] = []
"""In the order in which they are shown; filled by ``AppConfig.ready()`` of the rooms above."""


def cards_for(here: Here) -> list[dict[str, Any]]:
    """The cards, each with its template."""
    return [{"template": card.template, **card.context(here)} for card in VENDOR_CARDS]
