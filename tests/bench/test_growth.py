from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from bench.conditions import Conditions
from bench.growth import BEGIN, END, markdown, put_between_marks

AT = datetime(2026, 4, 29, 12, tzinfo=timezone.utc)


def grown(sales: int, cpu: float, wal: float) -> dict[str, Any]:
    cost = {"what": "a sale", "calls": 10, "cpu": cpu, "wal": wal, "p50": 1.04, "p99": 2.06}
    pruned = {**cost, "what": "the log's oldest month, pruned", "p50": 61.7}
    return {"sales": sales, "bytes": 12_190_000_000, "rows_pruned": 113_183, "costs": [cost, pruned]}


class TestThePage:
    def test_keeps_what_stands_around_the_table(self) -> None:
        page = f"# Performance\n\n## Growth\n\n{BEGIN}\n\nold\n\n{END}\n\nReasons.\n"

        assert put_between_marks(page, "new") == page.replace("old", "new")

    def test_without_marks_gets_the_table_at_its_end(self) -> None:
        assert put_between_marks("# Performance\n", "new") == f"# Performance\n\n{BEGIN}\n\nnew\n\n{END}\n"


class TestTheTable:
    def test_compares_the_largest_ledger_with_the_smallest(self) -> None:
        anything: dict[str, Any] = dict.fromkeys(Conditions.__dataclass_fields__, 2)
        conditions = Conditions(**anything)

        lines = markdown(AT, conditions, [grown(1000, 0.5, 2700), grown(10_000_000, 0.55, 2673)]).splitlines()

        assert lines[0] == "| sales in the ledger | 1,000 | 10,000,000 | growth |"
        assert lines[2] == "| a sale | 0.500<br>1.0, 2.1 | 0.550<br>1.0, 2.1 | 1.10 × |"
        assert lines[3] == "| write-ahead log of a sale, kB | 2.70 | 2.67 | 0.99 × |"
        assert lines[5].startswith("| the log's oldest month, pruned | 113,183 rows<br>62 ms |")
        assert "A day of one campground holds 0, 1,712 sales." in lines[-1]
