"""Time-ordered ids made by us: UUID version 7 (RFC 9562).

New rows land at the right edge of every index; random ids would touch a cold page each.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID


def make_id(at: datetime) -> UUID:
    """A new id whose first 48 bits are the milliseconds of ``at``; the other 74 free bits are random."""
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    random = secrets.randbits(74)
    number = milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (2**62 - 1)
    return UUID(int=number)


def first_id_at(at: datetime) -> UUID:
    """The lowest value that an id made at ``at`` or later can have: ids made before lie below it."""
    return UUID(int=(int(at.timestamp() * 1000) & (2**48 - 1)) << 80)
