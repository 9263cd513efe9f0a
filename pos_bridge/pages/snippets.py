"""Small programs that send a first sale: filled in with address and token, ready to be run as they are.

The sale is of 0.00: it shows that the way is open and leaves the books as they are. Its reference is the key's own and
does not change, so a second run is answered as a retry.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from apikeys.models import ApiKey, Scope
from pos_bridge.answers import instant_text
from pos_bridge.pages.addresses import api_url, products_url

LANGUAGES = {"curl": "curl", "python": "Python", "javascript": "JavaScript"}
PLACEHOLDER = "ck_YOUR_TOKEN"
"""Stands where the token stood, once that is gone."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A program: its short name, its language, its text."""

    name: str
    language: str
    text: str


def first_sale(key: ApiKey) -> dict[str, Any]:
    """A sale of nothing, under a reference of the key's own."""
    return {
        "external_ref": f"first-sale-{key.prefix.rpartition('_')[2]}",
        "payment_method": "CASH",
        "total_amount": "0.00",
        "items": [{"description": "Test", "quantity": 1, "unit_price": "0.00", "line_total": "0.00"}],
        "occurred_at": instant_text(key.created_at.replace(microsecond=0)),
    }


def snippets_for(key: ApiKey, token: str = PLACEHOLDER) -> list[Snippet]:
    """The programs, doing what the key's scopes allow."""
    sale = first_sale(key)
    facts = {
        "url": api_url(),
        "products_url": products_url(),
        "reference": sale["external_ref"],
        "sale": json.dumps(sale, indent=2),
        "token": token,
        "writes": Scope.POS_WRITE in key.scopes,
        "reads": Scope.POS_READ in key.scopes,
    }
    return [
        Snippet(name, language, render_to_string(f"pos_bridge/snippets/{name}.txt", facts).strip() + "\n")
        for name, language in LANGUAGES.items()
    ]
