"""Code of other versions, and migrations of nobody's."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from tests.house.migration_rules import faults_in
from tests.upgrading.elsewhere import OfKasse
from tests.upgrading.versions import NoSuchVersion, Version, other_packages, unpack

KEPT = ("0001_expand", "0002_expand_lines", "0003_validate")


class TestAnotherVersion:
    def test_must_be_known_to_git(self, tmp_path: Path) -> None:
        with pytest.raises(NoSuchVersion):
            unpack("no-such-revision", tmp_path)

    def test_says_what_it_was_locked_to(self, tmp_path: Path) -> None:
        (tmp_path / "requirements").mkdir()
        lock = tmp_path / "requirements" / "runtime.lock"
        lock.write_text("django==4.2.1 \\\n    --hash=sha256:00\nmissing==1.0\n")

        told = other_packages(Version("old", tmp_path))

        assert any(sentence.startswith("django 4.2.1, here 5.") for sentence in told)
        assert "missing 1.0, here not at all" in told


class TestTheMigrationsThatKeepToTheRules:
    def test_break_none_that_is_read_off_them(self) -> None:
        state = MigrationLoader(None, ignore_no_migrations=True).project_state()

        found = [faults for name in KEPT for faults in apply(name, state)]

        assert found
        assert not any(found)


def apply(name: str, state: ProjectState) -> list[list[str]]:
    """Move the state on; what each operation does that it may not."""
    found = []
    for operation in import_module(f"tests.upgrading.migrations.kept.{name}").Migration.operations:
        assert isinstance(operation, OfKasse)
        before = state.clone()
        operation.state_forwards("upgrading", state)
        found.append(list(faults_in(operation.operation, "kasse", before, state, set())))
    return found
