"""What is said about a sale that was taken all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

BOOKED_FROM_PARKING = "booked_from_parking"
"""The code, in the ledger alone, of a parked sale that staff have booked as a new one."""
IMPORTED = "imported"
"""The code, in the ledger alone, of a sale that was imported out of a file."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a till should know about a sale that was taken all the same: a ``warning`` in the answer."""

    code: str
    field: str
    message: str
    stored: Any = None
    sent: Any = None


MOST_UNKNOWN = 20


def unknown_fields(names: Iterable[str]) -> list[Remark]:
    """Names we do not know, so that a mistyped field does not go unnoticed; the list is bounded."""
    remarks = [Remark("unknown_field", name[:100], "Not a field of version 1; ignored.") for name in names]
    if len(remarks) > MOST_UNKNOWN:
        more = Remark("unknown_field", "…", f"And {len(remarks) - MOST_UNKNOWN} more.")
        remarks = [*remarks[:MOST_UNKNOWN], more]
    return remarks


def codes_of(remarks: Iterable[Remark]) -> str:
    """Their codes, each once, parted by blanks: what the ledger keeps of them."""
    return " ".join(dict.fromkeys(remark.code for remark in remarks))
