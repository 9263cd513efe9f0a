"""Every question says whose rows it is about; those about all campgrounds' are listed here, each with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from kasse.models import Transaction
from tenants.models import Tenant, Unfenced

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("adapters", "apikeys", "campone", "catalogue", "journal", "kasse", "pos_bridge", "tenants")
ACROSS = {
    "adapters/connections.py": "a connection is found by its address, before it is known whose it is",
    "adapters/due.py": "the scheduler's list of connections",
    "adapters/retention.py": "what is old is forgotten everywhere",
    "apikeys/expiry_mails.py": "the scheduler's list of keys that end soon",
    "apikeys/management/commands/revoke_key.py": "an operator names a key by its prefix alone",
    "apikeys/minting.py": "a prefix is unique among all campgrounds",
    "apikeys/verification.py": "a key is found by its prefix, before it is known whose it is",
    "journal/due.py": "the scheduler's list of books",
    "pos_bridge/admin.py": "the admin narrows it to what the person may see",
    "pos_bridge/floods.py": "who floods is nobody's",
    "pos_bridge/importing/due.py": "the scheduler's list of imports",
    "pos_bridge/management/commands/take_kept_calls.py": "rows of calls that the log could not take, whosever they are",
    "pos_bridge/retention.py": "what is old is forgotten everywhere",
    "tenants/middleware.py": "an operator's admin shows all campgrounds",
}
"""Who says ``across_tenants()``: to the ORM, or to the second fence."""
DEFINED_IN = {"tenants/fence.py", "tenants/models.py"}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(PROJECT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def says(tree: ast.Module, name: str) -> bool:
    """Whether it is called there, as a function or of something."""
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(name in {getattr(each, "id", ""), getattr(each, "attr", "")} for each in called)


def test_those_that_concern_all_are_known() -> None:
    found = {path for path, tree in sources() if says(tree, "across_tenants")}

    assert found - DEFINED_IN == ACROSS.keys()


def test_any_other_is_refused(seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may ask for everybody's rows (``conftest``); here one asks as the application would."""
    monkeypatch.setitem(globals(), "__name__", "kasse.listing")

    for name in ("all", "filter", "get", "count", "update", "get_or_create"):
        with pytest.raises(Unfenced, match=f"Transaction.objects.{name}"):
            getattr(Transaction.objects, name)
    assert not Transaction.objects.of(seeblick).exists()
