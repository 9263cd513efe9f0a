"""What may ride along when a sale is written: rows of other rooms that commit with it, and a gate.

The ledger knows nothing of budgets and logs; it takes whoever keeps to ``Rider`` into its own unit of work. Sales that
come at the same moment are written together, and their riders ride together.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from django.db.backends.utils import CursorWrapper

from kasse.rows import Row


class Parts(NamedTuple):
    """What riders of one kind add to the statement on PostgreSQL: texts that never change.

    The sales are rows of ``told``, each with its rider's ``columns`` beside its own, names and types. ``before`` are
    ``WITH`` parts, and ``gate`` is the one that has those rows of ``told`` that are let in; ``after`` are more parts,
    and may read ``sale(id)``, the inserted ones; ``answer`` is one expression over a row of ``told``.
    """

    columns: str
    before: str
    gate: str
    after: str
    answer: str


class Rider(Protocol):
    """Rows of another room that commit with a sale, or not at all; and a gate that may keep the sale out."""

    parts: Parts
    turn: int
    """Two riders of the same turn never share a statement; within one they go in this order."""

    def row(self) -> Row:
        """What is in ``Parts.columns``; asked when the statement is about to be sent."""

    def hear(self, answer: Any) -> None:
        """Take in what ``Parts.answer`` came to."""

    def open_gate(self, cursor: CursorWrapper) -> bool:
        """SQLite: what ``before`` and ``gate`` are; whether the sale may be inserted."""

    def follow(self, cursor: CursorWrapper) -> None:
        """SQLite: what ``after`` is; asked only if the sale was inserted."""

    def raise_if_shut(self) -> None:
        """Say why the sale was kept out, if it was."""


ALONE = Parts("", "", "told", "", "NULL")
"""Of sales without a rider."""
