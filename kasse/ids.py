"""Time-ordered ids made by us: UUID version 7 (RFC 9562).

New rows land at the right edge of every index; random ids would touch a cold page each.
"""

from __future__ import annotations

from datetime import datetime
from os import urandom
from uuid import UUID

MARKS = 0xF << 76 | 0b11 << 62
"""Where an id says of which kind it is."""
VERSION_7 = 0x7 << 76 | 0b10 << 62


def make_id(at: datetime) -> UUID:
    """A new id whose first 48 bits are the milliseconds of ``at``; the other 74 free bits are random."""
    milliseconds = int(at.timestamp() * 1000) & (2**48 - 1)
    number = milliseconds << 80 | int.from_bytes(urandom(10), "big")
    return UUID(int=number & ~MARKS | VERSION_7)


def first_id_at(at: datetime) -> UUID:
    """The lowest value that an id made at ``at`` or later can have: ids made before lie below it."""
    return UUID(int=(int(at.timestamp() * 1000) & (2**48 - 1)) << 80)
