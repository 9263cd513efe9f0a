"""Which of the ledger's payment methods a word of a vendor, or of a file, means. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

OTHER = "OTHER"
METHODS = ("CASH", "CARD", "TWINT", "WORLDLINE", "BANK", "VOUCHER", "ON_TAB", "STRIPE", OTHER)

# By what merchants in the four languages call them; the first that fits wins.
BY_WORD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("TWINT", ("twint",)),
    ("STRIPE", ("stripe",)),
    ("WORLDLINE", ("worldline", "saferpay")),
    ("VOUCHER", ("voucher", "gutschein", "bon cadeau", "buono", "gift", "geschenk", "carte cadeau", "carta regalo")),
    ("CASH", ("cash", "bargeld", "barzahlung", "espèces", "especes", "comptant", "contanti")),
    (
        "CARD",
        ("card", "karte", "carte", "carta", "visa", "master", "amex", "maestro", "postfinance", "debit", "credit"),
    ),
    ("BANK", ("bank", "rechnung", "invoice", "facture", "fattura", "überweisung", "virement", "bonifico")),
)
# Not what they sound like: a guest's card pays nothing, a card of one's own is a purse, and who has not paid has not.
NO_METHOD = ("cashless", "kurkarte", "gästekarte", "gastkarte", "wertkarte", "kundenkarte", "mitgliedkarte",
             "mitgliederkarte", "carte d'hôte", "carte de séjour", "carta ospit", "guest card", "store credit",
             "unbezahlt", "nicht bezahlt", "zimmerrechnung")  # fmt: skip
PARTS = re.compile(r"[+/,;&]|\b(?:und|et|ed|e|and)\b")
WHOLE_WORDS = {"bar": "CASH", "ec": "CARD", "room": "ON_TAB", "zimmer": "ON_TAB", "tab": "ON_TAB"}


def method_of(*words: str, methods: Mapping[str, str], fixed: Mapping[str, str] | None = None) -> str | None:
    """The method that the words for a tender mean: its code, its name.

    First what the campground has said of them (``methods``, in lower case), then what the vendor has fixed, then what
    such words usually mean; None where nobody knows.
    """
    plain = [word.strip().casefold() for word in words if word.strip()]
    for table in (methods, fixed or {}):
        for word in plain:
            if table.get(word) in METHODS:
                return table[word]
    return next(filter(None, map(_usual, plain)), None)


def _usual(word: str) -> str | None:
    """None too where a payment was made of several: which part was which, the word does not say."""
    if any(each in word for each in NO_METHOD):
        return None
    found = {method for part in PARTS.split(word) if (method := _usual_alone(part.strip()))}
    return found.pop() if len(found) == 1 else None


def _usual_alone(word: str) -> str | None:
    if word in WHOLE_WORDS:
        return WHOLE_WORDS[word]
    return next((method for method, parts in BY_WORD if any(part in word for part in parts)), None)
