"""The model itself: a loss that it did not notice would be a loss that nobody noticed."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from tests.faults.books import (
    Condition,
    Ledger,
    check_answers,
    check_ledger,
    check_log,
    check_recoveries,
    check_views,
    percentile,
    read_ledger,
    read_log,
    wrong_groups,
)
from tests.faults.databases import SqliteFile
from tests.faults.model import DROPPED_BY_A_GRACEFUL_SERVER, Answer, Model
from tests.faults.sales import CAMPGROUNDS, Sale, money, number_of, sale_numbered

SEED, SOLD = 7, 100
SPACE = UUID(int=0)
TABLES = """
CREATE TABLE tenants_tenant (id INTEGER, slug TEXT);
CREATE TABLE kasse_transaction (tenant_id INTEGER, id TEXT, external_ref TEXT, business_date TEXT,
    payment_method TEXT, total_amount INTEGER);
CREATE TABLE kasse_transactionitem (tenant_id INTEGER, transaction_id TEXT, line_total INTEGER);
CREATE TABLE kasse_payment (tenant_id INTEGER, transaction_id TEXT, amount INTEGER);
CREATE TABLE pos_bridge_parkedsale (id INTEGER);
"""


def record_of(sale: Sale) -> UUID:
    return uuid5(SPACE, f"{sale.campground}/{sale.reference}")


def answer(sale: Sale, *, status: int = 201, headers: dict[str, str] | None = None, **changes: Any) -> Answer:
    body = {
        "id": str(record_of(sale)),
        "external_ref": sale.reference,
        "total_amount": money(sale.total),
        **changes,
    }
    return Answer(status, headers or {}, json.dumps(body).encode())


class Books:
    """Just the tables that are read, filled by hand."""

    def __init__(self, path: Path) -> None:
        self.database = SqliteFile(path)
        self.connection = sqlite3.connect(path)
        self.connection.executescript(TABLES)
        self.connection.executemany("INSERT INTO tenants_tenant VALUES (?, ?)", enumerate(CAMPGROUNDS))

    def store(self, sale: Sale, *, record: UUID | None = None, amount: int = 0, lines: int | None = None) -> None:
        tenant, identity = CAMPGROUNDS.index(sale.campground), (record or record_of(sale)).hex
        row = (tenant, identity, sale.reference, sale.day, sale.method, sale.total + amount)
        self.connection.execute("INSERT INTO kasse_transaction VALUES (?, ?, ?, ?, ?, ?)", row)
        for number in range(sale.lines if lines is None else lines):
            line = (tenant, identity, 0 if number else sale.total)
            self.connection.execute("INSERT INTO kasse_transactionitem VALUES (?, ?, ?)", line)
        for number in range(sale.payments):
            payment = (tenant, identity, 0 if number else sale.total)
            self.connection.execute("INSERT INTO kasse_payment VALUES (?, ?, ?)", payment)
        self.connection.commit()

    def execute(self, statement: str) -> None:
        self.connection.execute(statement)
        self.connection.commit()


@pytest.fixture
def model() -> Model:
    """A hundred sales, all acknowledged."""
    model = Model(SEED)
    for number in model.sell(SOLD):
        sale = model.sale(number)
        assert model.hear_of_sale(model.call(), sale, answer(sale))
    return model


@pytest.fixture
def books(tmp_path: Path, model: Model) -> Iterator[Books]:
    """All of them, as they should be."""
    books = Books(tmp_path / "books.sqlite3")
    for number in range(SOLD):
        books.store(model.sale(number))
    yield books
    books.connection.close()


def broken(conditions: list[Condition]) -> set[int]:
    return {condition.number for condition in conditions if not condition.holds}


def broken_in(books: Books, model: Model) -> set[int]:
    return broken(check_ledger(read_ledger(books.database, model), model))


def broken_in_log(rows: list[tuple[str, int, int, str]], model: Model, *, network_spoils: bool) -> set[int]:
    return broken(check_log(read_log(iter(rows), model), model, network_spoils=network_spoils))


class TestASale:
    def test_is_the_same_whenever_it_is_asked_for(self) -> None:
        assert sale_numbered(49, seed=SEED) == sale_numbered(49, seed=SEED)
        assert sale_numbered(49, seed=SEED).body != sale_numbered(49, seed=SEED + 1).body

    def test_adds_up(self) -> None:
        for number in range(200):
            document = json.loads(sale_numbered(number, seed=SEED).body)
            lines = [float(line["line_total"]) for line in document["items"]]
            assert sum(lines) == pytest.approx(float(document["total_amount"]))

    def test_is_found_by_its_campground_and_reference(self) -> None:
        for number in range(20):
            sale = sale_numbered(number, seed=SEED)
            assert number_of(sale.campground, sale.reference) == number

        assert number_of("seeblick", "storm-1") is number_of("bergruh", "T-1") is None

    def test_bears_the_same_reference_as_one_of_the_neighbours(self) -> None:
        ours, theirs = sale_numbered(8, seed=SEED), sale_numbered(9, seed=SEED)

        assert ours.reference == theirs.reference
        assert ours.campground != theirs.campground


class TestTheModel:
    def test_takes_as_acknowledged_what_was_answered_whole(self) -> None:
        model = Model(SEED)
        sale = model.sale(model.sell(1)[0])

        cut = answer(sale).content[:40]
        assert not model.hear_of_sale(model.call(), sale, Answer(201, {}, cut))
        assert not model.hear_of_sale(model.call(), sale, Answer(201, {}, b""))
        assert model.acknowledged == 0

        assert model.hear_of_sale(model.call(), sale, answer(sale))
        assert model.acknowledged == 1
        assert not model.findings.counts

    @pytest.mark.parametrize(
        ("changes", "finding"),
        [
            ({"external_ref": "T-99"}, "an answer that is of another sale"),
            ({"total_amount": "0.01"}, "an answer that is of another sale"),
            ({"id": str(uuid5(SPACE, "another"))}, "two ids for one sale"),
            ({}, "two answers of 201 for one sale"),
        ],
    )
    def test_notices_an_answer_that_cannot_be(self, model: Model, changes: dict[str, Any], finding: str) -> None:
        sale = model.sale(3)

        model.hear_of_sale(model.call(), sale, answer(sale, **changes))

        assert finding in model.findings.counts

    def test_finds_nothing_in_a_retry(self, model: Model) -> None:
        sale = model.sale(3)

        assert model.hear_of_sale(model.call(), sale, answer(sale, status=200))
        assert not model.findings.counts
        assert model.acknowledged == SOLD

    @pytest.mark.parametrize("status", [400, 404, 409, 429])
    def test_notices_the_refusal_of_a_sale_that_is_in_order(self, model: Model, status: int) -> None:
        assert not model.hear_of_sale(model.call(), model.sale(3), Answer(status, {}, b"{}"))

        assert not check_answers(model).holds

    @pytest.mark.parametrize(
        ("status", "headers", "holds"),
        [(503, {"retry-after": "5"}, True), (503, {}, False), (500, {"retry-after": "5"}, False), (502, {}, False)],
    )
    def test_allows_no_failure_but_503_that_says_when(
        self, model: Model, status: int, headers: dict[str, str], holds: bool
    ) -> None:
        model.hear_of_sale(model.call(), model.sale(3), Answer(status, headers, b"{}"))

        assert check_answers(model).holds is holds


class TestTheBooks:
    def test_in_order_break_nothing(self, books: Books, model: Model) -> None:
        assert broken_in(books, model) == set()

    def test_with_a_sale_lost_break_one_and_three(self, books: Books, model: Model) -> None:
        books.execute(f"DELETE FROM kasse_transaction WHERE id = '{record_of(model.sale(4)).hex}'")

        assert broken_in(books, model) == {1, 3, 4}  # and its lines are orphans

    def test_with_a_sale_doubled_break_one_three_and_five(self, books: Books, model: Model) -> None:
        books.store(model.sale(4), record=uuid5(SPACE, "another"))

        assert broken_in(books, model) == {1, 3, 5}

    def test_with_a_sale_that_was_never_acknowledged_break_one(self, books: Books, model: Model) -> None:
        model.sell(1)
        books.store(model.sale(SOLD))

        assert broken_in(books, model) == {1}

    def test_with_a_sale_that_nobody_made_break_two_and_three(self, books: Books, model: Model) -> None:
        books.store(model.sale(SOLD + 5))

        assert broken_in(books, model) == {2, 3}

    @pytest.mark.parametrize("lines", [0, 9])
    def test_with_other_lines_break_four(self, books: Books, model: Model, lines: int) -> None:
        books.execute(f"DELETE FROM kasse_transaction WHERE id = '{record_of(model.sale(4)).hex}'")
        books.execute(f"DELETE FROM kasse_transactionitem WHERE transaction_id = '{record_of(model.sale(4)).hex}'")
        books.execute(f"DELETE FROM kasse_payment WHERE transaction_id = '{record_of(model.sale(4)).hex}'")
        books.store(model.sale(4), lines=lines)

        assert broken_in(books, model) == {4}

    def test_with_a_payment_missing_break_four(self, books: Books, model: Model) -> None:
        books.execute(f"DELETE FROM kasse_payment WHERE transaction_id = '{record_of(model.sale(10)).hex}'")

        assert broken_in(books, model) == {4}

    def test_with_another_amount_break_three(self, books: Books, model: Model) -> None:
        books.execute("UPDATE kasse_transaction SET total_amount = total_amount + 1 WHERE external_ref = 'T-2'")

        assert broken_in(books, model) == {3}

    def test_with_a_sale_parked_break_four(self, books: Books, model: Model) -> None:
        books.execute("INSERT INTO pos_bridge_parkedsale VALUES (1)")

        assert broken_in(books, model) == {4}


class TestTheLog:
    def rows(self) -> list[tuple[str, int, int, str]]:
        return [(f"fault-{call}", 201, 1, "created") for call in range(SOLD)]

    def test_with_a_row_for_each_answer_is_in_order(self, model: Model) -> None:
        others = [("afterwards", 200, 1, "read"), ("fault-x", 200, 1, "read")]

        assert broken_in_log(self.rows() + others, model, network_spoils=False) == set()

    def test_may_hold_what_nobody_heard(self, model: Model) -> None:
        unheard = model.call()

        rows = [*self.rows(), (f"fault-{unheard}", 201, 1, "created")]
        assert broken_in_log(rows, model, network_spoils=False) == set()

    def test_without_a_row_breaks_six(self, model: Model) -> None:
        assert broken_in_log(self.rows()[:-1], model, network_spoils=False) == {6}
        assert broken_in_log(self.rows()[:-1], model, network_spoils=True) == {6}

    def test_with_two_rows_breaks_six_unless_the_network_doubles(self, model: Model) -> None:
        rows = self.rows() + self.rows()[:1]

        assert broken_in_log(rows, model, network_spoils=False) == {6}
        assert broken_in_log(rows, model, network_spoils=True) == set()

    def test_with_another_status_breaks_six(self, model: Model) -> None:
        rows = [*self.rows()[:-1], (f"fault-{SOLD - 1}", 200, 1, "replayed")]

        assert broken_in_log(rows, model, network_spoils=False) == {6}

    def test_may_have_refusals_counted_together(self, model: Model) -> None:
        model.hear(model.call(), Answer(401, {}, b"{}"))

        assert broken_in_log(self.rows(), model, network_spoils=False) == {6}
        flood = [("", 401, 1, "flood")]
        assert broken_in_log(self.rows() + flood, model, network_spoils=False) == set()

    def test_tells_a_call_that_was_taken_and_left_alone_by_a_server_that_stopped(self, model: Model) -> None:
        call = model.call()
        model.statuses[call] = DROPPED_BY_A_GRACEFUL_SERVER

        assert broken_in_log(self.rows(), model, network_spoils=False) == set()
        rows = [*self.rows(), (f"fault-{call}", 201, 1, "created")]
        assert broken_in_log(rows, model, network_spoils=False) == {10}


class TestTheOtherConditions:
    @pytest.mark.parametrize("view", ["list of staff", "day totals", "API"])
    def test_notice_a_view_that_says_otherwise(self, view: str) -> None:
        ledger = Ledger(bytearray())
        ledger.sums.update({(slug, "2026-04-27", "CASH"): 1250 for slug in CAMPGROUNDS})
        said = {slug: {"list of staff": 1250, "day totals": 1250, "API": 1250} for slug in CAMPGROUNDS}

        def holds() -> bool:
            by_api = {slug: sums["API"] for slug, sums in said.items()}
            return check_views(ledger, product=json.dumps(said), by_api=by_api).holds

        assert holds()
        said["waldrand"][view] = 1200
        assert not holds()

    @pytest.mark.parametrize(
        ("seconds", "holds"), [([0.1, 0.2, 4.9], True), ([0.1, 1.6, 1.7], False), ([0.1, 0.1, 5.1], False)]
    )
    def test_notice_a_service_that_comes_back_late(self, seconds: list[float], holds: bool) -> None:
        assert check_recoveries(seconds).holds is holds

    def test_notice_other_sums_of_refunds_too(self) -> None:
        group = ("seeblick", "2026-04-27", "CASH")

        assert wrong_groups(Counter({group: -1250}), Counter({group: -1250})) == []
        assert wrong_groups(Counter({group: -1250}), Counter({group: -1200})) == [group]
        assert wrong_groups(Counter(), Counter({group: -1250})) == [group]

    def test_know_percentiles(self) -> None:
        assert percentile([0.3, 0.1, 0.2], 0.5) == 0.2
        assert percentile([0.1] * 99 + [5.0], 0.99) == 5.0
        assert percentile(range(100), 0.99) == 99
        assert percentile([], 0.99) == 0
