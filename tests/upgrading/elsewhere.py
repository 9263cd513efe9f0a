"""An operation on another application's table: migrations of nobody's change the ledger's."""

from __future__ import annotations

from typing import Any

from django.db.migrations.operations.base import Operation


class OfKasse(Operation):
    """What the ledger's own migration would do."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    @property
    def reversible(self) -> bool:  # type: ignore[override]
        """As the operation itself."""
        return self.operation.reversible

    def state_forwards(self, app_label: str, state: Any) -> None:
        """On the ledger's models."""
        self.operation.state_forwards("kasse", state)

    def database_forwards(self, app_label: str, *rest: Any) -> None:
        """On its tables."""
        self.operation.database_forwards("kasse", *rest)

    def database_backwards(self, app_label: str, *rest: Any) -> None:
        """And back."""
        self.operation.database_backwards("kasse", *rest)
