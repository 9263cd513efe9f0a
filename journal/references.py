"""The reference under which SAP knows a journal of ours: 16 characters, for ever the same, unlike any other's. Pure.

``C7K2Q-260429-0-1`` is campground ``7K2Q``, 29 April 2026, main journal, revision 1. Sixteen because that is what
SAP S/4HANA keeps of it (``DocumentReferenceID``); Business One keeps more.
"""

from __future__ import annotations

from base64 import b32encode
from datetime import date
from hashlib import sha256

LENGTH = 16
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class TooMany(Exception):
    """More supplements or revisions of one day than a reference can count."""


def reference_of(*, slug: str, business_date: date, supplement: int, revision: int) -> str:
    """The reference of one revision.

    Raises:
        TooMany: it has no place for the numbers.
    """
    head = f"C{tag_of(slug)}"
    if max(supplement, revision) < len(DIGITS):
        return f"{head}-{business_date:%y%m%d}-{DIGITS[supplement]}-{DIGITS[revision]}"
    return f"{head}{business_date:%y%m%d}{_digits(supplement, 3)}{_digits(revision, 2)}"


def tag_of(slug: str) -> str:
    """Four characters that tell campgrounds apart which share one company in SAP."""
    return b32encode(sha256(slug.encode()).digest())[:4].decode()


def _digits(number: int, places: int) -> str:
    text = ""
    for _place in range(places):
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    if number:
        raise TooMany(number)
    return text
