"""The outbox: what was written down stays, whatever happens to it in whatever order."""

from __future__ import annotations

import sqlite3
import stat
import tempfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.till_client.conftest import Clock
from tests.till_client.sales import croissants
from till_client import Outbox, OutboxFailed, Receipt, ReferenceTaken, UnusableSale, sale_from

NUMBERS = st.integers(min_value=0, max_value=7)


class OutboxModel(RuleBasedStateMachine):
    """Any order of deeds by two processes on one file, against a dictionary.

    The model keeps what was put, who holds which claim until when, and what is settled.
    """

    @initialize()
    def open_it(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.boxes = [self._open(), self._open()]
        self.put: dict[str, str] = {}
        self.claims: dict[str, tuple[int, float]] = {}
        self.due: dict[str, float] = {}

    def _open(self) -> Outbox:
        return Outbox(Path(self.folder.name) / "outbox.sqlite3", clock=self.clock)

    def teardown(self) -> None:
        for box in self.boxes:
            box.close()
        self.folder.cleanup()

    @rule(number=NUMBERS, box=st.integers(0, 1))
    def a_sale_is_put(self, number: int, box: int) -> None:
        kept = self.boxes[box].put(croissants(number))
        self.put.setdefault(kept.external_ref, "waiting")
        self.due.setdefault(kept.external_ref, 0.0)

    @rule(number=NUMBERS, box=st.integers(0, 1))
    def another_sale_under_its_reference_is_refused(self, number: int, box: int) -> None:
        if f"kiosk-{number}" in self.put:
            with pytest.raises(ReferenceTaken):
                self.boxes[box].put(croissants(number, total_amount="99.00"))

    @rule(most=st.integers(1, 4), box=st.integers(0, 1))
    def some_are_claimed(self, most: int, box: int) -> None:
        now = self.clock.now
        free = [name for name, state in self.put.items() if state == "waiting" and self.due[name] <= now]
        free += [name for name, state in self.put.items() if state == "sending" and self.claims[name][1] <= now]

        claimed = [each.sale.external_ref for each in self.boxes[box].claim(most)]

        assert set(claimed) <= set(free)
        assert len(claimed) == min(most, len(free))
        for name in claimed:
            self.put[name] = "sending"
            self.claims[name] = (box, now + 120)

    @rule(number=NUMBERS, box=st.integers(0, 1))
    def one_is_acknowledged_by_whomever(self, number: int, box: int) -> None:
        name = f"kiosk-{number}"
        if name in self.put:
            self.boxes[box].acknowledge([receipt(name)])
            self.put[name] = "acknowledged"

    @rule(number=NUMBERS, box=st.integers(0, 1))
    def one_is_set_aside(self, number: int, box: int) -> None:
        name = f"kiosk-{number}"
        self.boxes[box].set_aside(name, "400 total_mismatch")
        if self.put.get(name) == "sending":
            self.put[name] = "poison"

    @rule(number=NUMBERS, box=st.integers(0, 1), seconds=st.floats(0, 900))
    def one_is_postponed_by_its_holder(self, number: int, box: int, seconds: float) -> None:
        name = f"kiosk-{number}"
        self.boxes[box].postpone(name, seconds=seconds, reason="500")
        if self.put.get(name) == "sending" and self.claims[name][0] == box:
            self.put[name] = "waiting"
            self.due[name] = self.clock.now + seconds

    @rule(box=st.integers(0, 1))
    def a_process_gives_back(self, box: int) -> None:
        self.boxes[box].give_back()
        for name, state in self.put.items():
            if state == "sending" and self.claims[name][0] == box:
                self.put[name] = "waiting"

    @rule(number=NUMBERS, box=st.integers(0, 1))
    def one_is_released(self, number: int, box: int) -> None:
        name = f"kiosk-{number}"
        self.boxes[box].release([name])
        if self.put.get(name) in {"poison", "acknowledged"}:
            self.put[name] = "waiting"
            self.due[name] = 0.0

    @rule(box=st.integers(0, 1))
    def a_process_dies_and_starts_again(self, box: int) -> None:
        """Nothing is given back: the file is simply opened anew, and the old claims stay with nobody."""
        old = self.boxes[box]
        self.boxes[box] = self._open()
        old._file.close()
        self.claims = {name: (-1 if held[0] == box else held[0], held[1]) for name, held in self.claims.items()}

    @rule(seconds=st.floats(0, 200))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(box=st.integers(0, 1), older_than=st.floats(0, 50))
    def the_old_is_forgotten(self, box: int, older_than: float) -> None:
        before = self.boxes[box].counts()
        self.boxes[box].forget(older_than=older_than)
        kept = self.boxes[box].counts()

        assert {name: kept[name] for name in kept if name != "acknowledged"} == {
            name: before[name] for name in before if name != "acknowledged"
        }
        for name in [name for name, state in self.put.items() if state == "acknowledged"]:
            if self.boxes[box].find(name) is None:
                del self.put[name]

    @invariant()
    def both_see_what_was_put_in_its_state(self) -> None:
        for box in self.boxes:
            found = {name: kept.state for name in self.put if (kept := box.find(name))}
            assert found == self.put
            assert sum(box.counts().values()) == len(self.put)


OutboxModel.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTheOutbox = OutboxModel.TestCase


def receipt(reference: str) -> Receipt:
    """The bridge's word for a sale."""
    return Receipt(reference, "id-1", created=True, transaction={"business_date": "2026-04-29"})


class TestAFile:
    def test_is_for_its_owners_eyes(self, outbox: Outbox) -> None:
        assert stat.S_IMODE(outbox.path.stat().st_mode) == 0o600

    def test_is_written_through_to_the_disk(self, outbox: Outbox) -> None:
        assert outbox._file.read("PRAGMA synchronous", ()) == [(2,)]
        assert outbox._file.read("PRAGMA journal_mode", ()) == [("wal",)]

    def test_of_something_else_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "books.sqlite3"
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE book (title TEXT)")

        with pytest.raises(OutboxFailed, match="something else"):
            Outbox(path)

        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("book",)]
        other.close()

    def test_of_a_later_version_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "outbox.sqlite3"
        Outbox(path).close()
        with sqlite3.connect(path) as later:
            later.execute("PRAGMA user_version = 2")
        later.close()

        with pytest.raises(OutboxFailed, match="later version"):
            Outbox(path)

    def test_that_is_no_database_is_said_so(self, tmp_path: Path) -> None:
        path = tmp_path / "outbox.sqlite3"
        path.write_bytes(b"croissants " * 1000)

        with pytest.raises(OutboxFailed, match="not a database"):
            Outbox(path)

    def test_that_fills_the_disk_takes_nothing_more_and_keeps_what_it_has(self, outbox: Outbox) -> None:
        outbox.put(croissants(1))
        (pages,) = outbox._file.read("PRAGMA page_count", ())[0]
        outbox._file.read(f"PRAGMA max_page_count = {pages}", ())

        with pytest.raises(OutboxFailed, match="full"):
            outbox.put(croissants(2, metadata={"note": "x" * 100_000}))

        assert outbox.counts()["waiting"] == 1

    def test_takes_many_sales_or_none(self, outbox: Outbox) -> None:
        outbox.put(croissants(3))

        with pytest.raises(ReferenceTaken):
            outbox.put_all([croissants(1), croissants(3, total_amount="1.00")])

        assert outbox.counts()["waiting"] == 1


class TestWritingDown:
    def test_keeps_bytes_as_they_are(self) -> None:
        body = b'{"external_ref": "kiosk-1",  "total_amount": 12.50, "x": 1.10}'

        sale = sale_from(b"\xef\xbb\xbf " + body + b"\n")

        assert sale.body == body
        assert (sale.external_ref, sale.total_amount) == ("kiosk-1", "12.50")

    def test_writes_amounts_and_instants_exactly(self) -> None:
        moment = datetime.fromisoformat("2026-04-29T10:14:32+02:00")

        sale = sale_from({"external_ref": "Käse/1", "total_amount": Decimal("1E+2"), "occurred_at": moment})

        written = '{"external_ref":"Käse/1","total_amount":"100","occurred_at":"2026-04-29T10:14:32+02:00"}'
        assert sale.body.decode() == written

    @pytest.mark.parametrize(
        "sale",
        [
            {},
            {"external_ref": ""},
            {"external_ref": 7},
            {"external_ref": "x" * 256},
            {"external_ref": "half a \ud83e"},
            {"external_ref": "kiosk-1", "total_amount": 12.5},
            {"external_ref": "kiosk-1", "total_amount": Decimal("NaN")},
            {"external_ref": "kiosk-1", "occurred_at": datetime.fromisoformat("2026-04-29T10:14:32")},
            {"external_ref": "kiosk-1", "note": "x" * 300_000},
            b"",
            b"[]",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"external_ref": "kiosk\\u0000"}',
        ],
        ids=repr,
    )
    def test_refuses_what_could_not_be_sent_or_found_again(self, sale: Any) -> None:
        with pytest.raises(UnusableSale):
            sale_from(sale)
