"""Migrations while tills sell: what each may not do, and that none of ours does it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tests.house.documents import OURS
from tests.house.migration_rules import faults_of, faults_since

BASELINE = {
    "adapters": "0001_first",
    "apikeys": "0002_forms_are_used_once",
    "catalogue": "0001_first",
    "journal": "0003_journals_are_not_replaced",
    "kasse": "0009_closes_are_not_replaced",
    "pos_bridge": "0009_reconciliations_never_change",
    "tenants": "0001_first",
}
"""The last ones that no shop has ever migrated while it was open."""
WAIVED: dict[str, str] = {}
"""Those that break a rule all the same, each with its reason."""


class TestOurMigrations:
    def test_break_no_rule_without_a_reason(self) -> None:
        found = faults_since(BASELINE, OURS)

        assert {name: faults for name, faults in found.items() if name not in WAIVED} == {}
        assert set(WAIVED) <= set(found)

    def test_would_be_found_if_they_did(self) -> None:
        """Those before the baseline do: the rules find them."""
        assert faults_since({}, OURS)


def faults(*operations: Operation) -> list[str]:
    """What is wrong with a migration of these, after one that made two tables."""
    state = ProjectState()
    columns: list[Any] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("note", models.CharField(max_length=40, null=True)),
    ]
    for name in ("Transaction", "Season"):
        migrations.CreateModel(name, columns).state_forwards("kasse", state)
    later = type("Later", (migrations.Migration,), {"operations": list(operations)})
    return list(faults_of(later("0099_later", "kasse"), state))


BY_NOTE: dict[str, Any] = {"index": models.Index(fields=["note"], name="by_note")}


class TestTheRules:
    @pytest.mark.parametrize(
        "operation",
        [
            migrations.RemoveField("season", "note"),
            migrations.RenameField("season", "note", "remark"),
            migrations.RenameModel("Season", "Summer"),
            migrations.DeleteModel("Season"),
            migrations.AlterModelTable("season", "summer"),
            migrations.AddField("season", "name", models.CharField(max_length=40)),
            migrations.AddField("season", "name", models.CharField(max_length=40, default="high")),
            migrations.AlterField("season", "note", models.TextField(null=True)),
            migrations.AlterField("season", "note", models.CharField(max_length=20, null=True)),
            migrations.AlterField("season", "note", models.CharField(max_length=40)),
            migrations.AddIndex("transaction", **BY_NOTE),
            migrations.AddConstraint(
                "transaction", models.CheckConstraint(condition=~models.Q(note=""), name="note_not_empty")
            ),
            migrations.RunPython(print),
            migrations.RunSQL("UPDATE kasse_season SET note = ''"),
            migrations.SeparateDatabaseAndState(database_operations=[migrations.RemoveField("season", "note")]),
        ],
        ids=lambda operation: type(operation).__name__,
    )
    def test_find_what_old_code_or_tills_would_feel(self, operation: Operation) -> None:
        assert len(faults(operation)) == 1

    @pytest.mark.parametrize(
        "operation",
        [
            migrations.CreateModel("Tent", [("id", models.BigAutoField(primary_key=True))]),
            migrations.AddField("season", "name", models.CharField(max_length=40, null=True)),
            migrations.AddField("season", "name", models.CharField(max_length=40, db_default="high")),
            migrations.AlterField("season", "note", models.CharField(max_length=80, null=True)),
            migrations.AddIndex("season", **BY_NOTE),
            migrations.RunPython(print, migrations.RunPython.noop),
            migrations.RunSQL("UPDATE kasse_season SET note = ''", migrations.RunSQL.noop),
            migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("season", "note")]),
        ],
        ids=lambda operation: type(operation).__name__,
    )
    def test_let_pass_what_nobody_feels(self, operation: Operation) -> None:
        assert faults(operation) == []

    def test_let_a_new_table_be_made_in_steps(self) -> None:
        columns: list[Any] = [("id", models.BigAutoField(primary_key=True))]

        assert (
            faults(
                migrations.CreateModel("Tent", columns),
                migrations.AddField("tent", "name", models.CharField(max_length=40)),
                migrations.AddIndex("tent", models.Index(fields=["name"], name="tent_by_name")),
            )
            == []
        )
