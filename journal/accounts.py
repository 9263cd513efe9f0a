"""Which G/L account an amount goes to: keys, from the particular to the general, and Swiss defaults. Pure.

An amount has one key, such as ``revenue.shop.2.6``. It and then those after it are asked for an account, first among
the campground's own, then among the defaults:

=============================  ===========================================================
``revenue.shop.2.6``           ``revenue.shop.*``, ``revenue.*.2.6``, ``revenue.*.*``
``revenue.shop.unknown``       ``revenue.*.unknown`` alone: nobody knows the VAT within
``vat.2.6``                    ``vat.*``
``tender.external_pos.cash``   ``tender.cash``
=============================  ===========================================================

The defaults follow the Swiss chart of accounts for small and medium enterprises (Kontenrahmen KMU). What has no
account goes to that of ``unmapped``, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from unicodedata import normalize

ANY = "*"
UNKNOWN = "unknown"
UNMAPPED = "unmapped"
LONGEST_WORD = 80
"""As long as a category. Some become longer in small letters, and a key has to fit into its column."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account's number, and the tax code that SAP S/4HANA wants on it, if any."""

    number: str
    tax_code: str = ""


DEFAULTS: Mapping[str, str] = {
    "tender.cash": "1000",  # Kasse
    "tender.bank": "1020",  # Bankguthaben
    "tender.card": "1090",  # Transferkonto: on its way from the card processor to the bank
    "tender.worldline": "1090",
    "tender.twint": "1090",
    "tender.stripe": "1090",
    "tender.on_tab": "1100",  # Forderungen aus Lieferungen und Leistungen
    "tender.voucher": "2030",  # what was owed for a voucher is owed no more
    "vouchers": "2030",  # Erhaltene Anzahlungen
    "vat.*": "2200",  # Geschuldete MWST (Umsatzsteuer)
    "tips": "2210",  # Sonstige kurzfristige Verbindlichkeiten: owed to the staff
    "revenue.restaurant.*": "3000",  # Produktionserlöse
    "revenue.*.*": "3200",  # Handelserlöse
    "revenue.service.*": "3400",  # Dienstleistungserlöse
    "revenue.*.3.8": "3400",  # the rate of accommodation
    "revenue.*.3.7": "3400",
    "rounding": "3800",  # Erlösminderungen
    UNMAPPED: "1099",  # Unklare Beträge
}


@dataclass(frozen=True, slots=True)
class Chart:
    """The accounts of one campground: its own, and the defaults where it has none."""

    own: Mapping[str, Account]

    def account_of(self, key: str) -> Account | None:
        """The account of an amount, or None where nobody has said."""
        candidates = candidates_of(key)
        own = next((self.own[each] for each in candidates if each in self.own), None)
        default = next((Account(DEFAULTS[each]) for each in candidates if each in DEFAULTS), None)
        return own or default


def revenue_key(category: str, vat_rate: Decimal | None) -> str:
    """``revenue.shop.2.6``; of unknown rate ``revenue.shop.unknown``."""
    return f"revenue.{word_of(category)}.{rate_word(vat_rate)}"


def vat_key(vat_rate: Decimal) -> str:
    """``vat.2.6``."""
    return f"vat.{rate_word(vat_rate)}"


def tender_key(source: str, method: str) -> str:
    """``tender.external_pos.cash``."""
    return f"tender.{source.lower()}.{method.lower()}"


def word_of(category: str) -> str:
    """A category as a part of a key: small letters and digits of any script, hyphens between them."""
    small = normalize("NFC", category.casefold())
    letters = "".join(each if each.isalnum() else " " for each in small)
    return "-".join(letters.split())[:LONGEST_WORD].strip("-") or "other"


def rate_word(vat_rate: Decimal | None) -> str:
    """``2.6`` for 2.60, ``0`` for 0.00, ``unknown`` for None."""
    if vat_rate is None:
        return UNKNOWN
    text = f"{vat_rate:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def candidates_of(key: str) -> tuple[str, ...]:
    """The keys that are asked for an account, the most particular first."""
    kind, _, rest = key.partition(".")
    first, _, second = rest.partition(".")
    if kind == "revenue" and second == UNKNOWN:
        return (key, f"revenue.{ANY}.{UNKNOWN}")
    if kind == "revenue":
        return (key, f"revenue.{first}.{ANY}", f"revenue.{ANY}.{second}", f"revenue.{ANY}.{ANY}")
    if kind == "vat":
        return (key, f"vat.{ANY}")
    if kind == "tender":
        return (key, f"tender.{second}")
    return (key,)
