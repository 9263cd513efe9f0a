"""What may ride along when sales are written: rows of other rooms that commit with them, and a gate.

The ledger knows nothing of budgets and logs; it takes whoever keeps to ``Rider`` into its own unit of work.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from django.db.backends.utils import CursorWrapper


class Parts(NamedTuple):
    """What a rider adds to the statement on PostgreSQL; every text may use the names in ``values``.

    ``before`` and ``after`` are ``WITH`` parts, the latter may read ``sale(id)``, the inserted ones; ``gate`` is one
    more item of the ``FROM`` of the sales, perhaps with a ``WHERE``, and decides whether any is inserted; ``answer`` is
    one expression.
    """

    before: str
    gate: str
    after: str
    answer: str
    values: dict[str, Any]


class Rider(Protocol):
    """Rows of another room that commit with the sales, or not at all; and a gate that may keep the sales out."""

    def parts(self) -> Parts:
        """The rider on PostgreSQL."""

    def hear(self, answer: Any) -> None:
        """Take in what ``Parts.answer`` came to."""

    def open_gate(self, cursor: CursorWrapper) -> bool:
        """SQLite: what ``before`` and ``gate`` are; whether the sales may be inserted."""

    def follow(self, cursor: CursorWrapper) -> None:
        """SQLite: what ``after`` is; asked only if a sale was inserted."""

    def raise_if_shut(self) -> None:
        """Say why the sales were kept out, if they were."""


class NoRider:
    """The sales ride alone."""

    def parts(self) -> Parts:
        return Parts("", "", "", "NULL", {})

    def hear(self, answer: Any) -> None:
        """Nothing was asked."""

    def open_gate(self, _cursor: CursorWrapper) -> bool:
        return True

    def follow(self, cursor: CursorWrapper) -> None:
        """Nothing follows."""

    def raise_if_shut(self) -> None:
        """Nothing is kept out."""
