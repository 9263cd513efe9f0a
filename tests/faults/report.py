"""What is printed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping

from tests.faults.books import Condition


def tell(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts by name, the most frequent first."""
    return ", ".join(f"{count} × {name}" for name, count in Counter(counts).most_common()) or "none"


def tell_conditions(conditions: Iterable[Condition], examples: Iterable[str]) -> bool:
    """Each with its figures; whether all hold."""
    holds = True
    for condition in sorted(conditions, key=lambda each: each.number):
        tell(str(condition))
        holds = holds and condition.holds
    for example in examples:
        tell(f"      {example}")
    return holds
