"""Which of the ledger's payment methods a vendor's word means. Pure."""

from __future__ import annotations

from collections.abc import Mapping

OTHER = "OTHER"
METHODS = ("CASH", "CARD", "TWINT", "WORLDLINE", "BANK", "VOUCHER", "ON_TAB", "STRIPE", OTHER)

# By what merchants in the four languages call them; the first that fits wins.
BY_WORD: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("TWINT", ("twint",)),
    ("STRIPE", ("stripe",)),
    ("WORLDLINE", ("worldline", "saferpay")),
    ("VOUCHER", ("voucher", "gutschein", "bon cadeau", "buono", "gift")),
    ("CASH", ("cash", "bargeld", "espèces", "especes", "comptant", "contanti")),
    (
        "CARD",
        ("card", "karte", "carte", "carta", "visa", "master", "amex", "maestro", "postfinance", "debit", "credit"),
    ),
    ("BANK", ("bank", "rechnung", "invoice", "facture", "fattura", "überweisung", "virement", "bonifico")),
)
WHOLE_WORDS = {"bar": "CASH", "ec": "CARD", "room": "ON_TAB", "zimmer": "ON_TAB", "tab": "ON_TAB"}


def method_of(*words: str, methods: Mapping[str, str], fixed: Mapping[str, str] | None = None) -> str | None:
    """The method that a vendor's words for a tender mean: its code, its name.

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
    if word in WHOLE_WORDS:
        return WHOLE_WORDS[word]
    return next((method for method, parts in BY_WORD if any(part in word for part in parts)), None)
