"""What ``migrate`` says, what is done again, and from what there is no way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.service import Service
from tests.upgrading import migrating
from tests.upgrading.migrating import MigrationFailed, do, go_back, lost_on_the_way_back


class Tables:
    """A database with one column and one table more than before, and what is in them."""

    def __init__(self, *, rows: int, values: int) -> None:
        self._counts = {"kasse_new": rows, "kasse_old": values}

    def rows(self, question: str) -> Iterator[tuple[Any, ...]]:
        columns = [("kasse_old", "id"), ("kasse_old", "note"), ("kasse_new", "id")]
        if question == migrating.COLUMNS:
            yield from columns
        elif question == migrating.HOLDS:
            yield from ((table, column, "NULL") for table, column in columns)
        else:
            yield (next(count for table, count in self._counts.items() if table in question),)


@pytest.fixture
def owner(tmp_path: Path) -> Service:
    """Whose ``manage.py`` says what a test has written into it."""
    return Service({}, log=tmp_path / "log", code=tmp_path)


def says(owner: Service, program: str) -> None:
    (owner.code / "manage.py").write_text(program)


class TestACommand:
    def test_tells_what_each_migration_took(self, owner: Service) -> None:
        says(
            owner,
            "print('  Applying kasse.0001_first...\\n    words of its own\\n OK (0.250s)')\n"
            "print('  Unapplying kasse.0002_more... OK (1.5s)')",
        )

        assert do(owner, "migrate").steps == {"kasse.0001_first": 0.25, "kasse.0002_more": 1.5}

    def test_is_done_again_where_a_lock_was_not_to_be_had(
        self, owner: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(migrating, "PAUSE", 0)
        says(
            owner,
            "import pathlib, sys\nonce = pathlib.Path('once')\n"
            "if not once.exists():\n    once.touch()\n    sys.exit('canceling statement due to lock timeout')",
        )

        deed = do(owner, "migrate")

        assert (deed.tries, deed.refusals) == (2, ["canceling statement due to lock timeout"])

    def test_that_fails_for_another_reason_is_not(self, owner: Service) -> None:
        says(owner, "import sys; sys.exit('relation already exists')")

        with pytest.raises(MigrationFailed, match="already exists"):
            do(owner, "migrate")


class TestTheWayBack:
    def test_leads_to_the_last_migration_of_each_application(self, owner: Service) -> None:
        says(owner, "")
        before = {"kasse": {"0001_first", "0002_more"}, "tenants": {"0001_first"}}
        after = {"kasse": before["kasse"] | {"0003_most"}, "tenants": before["tenants"], "axes": {"0001_initial"}}

        assert [deed.name for deed in go_back(owner, before, after)] == [
            "migrate axes zero",
            "migrate kasse 0002_more",
        ]

    @pytest.mark.parametrize(
        ("rows", "values", "lost"),
        [(0, 0, []), (2, 0, ["2 rows of kasse_new"]), (0, 3, ["3 values of kasse_old.note"])],
    )
    def test_is_not_gone_where_it_loses_something(self, rows: int, values: int, lost: list[str]) -> None:
        tables: Any = Tables(rows=rows, values=values)

        assert lost_on_the_way_back(tables, [("kasse_old", "id")]) == lost
