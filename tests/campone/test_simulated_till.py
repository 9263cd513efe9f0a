"""The simulated till on its own: its rules, its journal, and whole days against a tiny server with faults."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from campone.till.answers import acknowledged, retry_after, wait_before, worth_repeating
from campone.till.articles import Article, PriceTags, articles_from
from campone.till.evening import compare
from campone.till.journal import Entry, Journal
from campone.till.rhythm import invent_sales
from campone.till.sale import Sale, body_of, cash_rounding
from campone.till.stopping import TillStopped
from campone.till.tickets import MalformedTickets, read_tickets, sale_from
from campone.till.wire import Answer, address_from

TOKEN = "ck_" + "a" * 32
ZURICH = ZoneInfo("Europe/Zurich")
NOON = datetime(2026, 4, 29, 10, 0, tzinfo=UTC)
PRODUCTS = [
    {"sku": "1", "name": "Bread", "category": "Bäckerei", "unit_price": "4.20", "vat_rate": "2.60"},
    {"sku": "2", "name": "Coffee", "category": "Getränke", "unit_price": "5.50", "vat_rate": "8.10"},
    {"sku": "3", "name": "Gasflasche 11 kg", "category": "Gas", "unit_price": "39.90", "vat_rate": "8.10"},
]
CATALOGUE = [product | {"currency": "CHF", "active": True} for product in PRODUCTS]
ARTICLES = articles_from(CATALOGUE)
HEADING = "Date,Time,Transaction,Item\n"


class TinyServer(ThreadingHTTPServer):
    """Keeps sales once by reference, and can be told to misbehave."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), TinyAnswers)
        self.ledger: list[dict[str, Any]] = []
        self.lock = threading.Lock()
        self.arrived: list[tuple[str, bytes]] = []
        self.journal: Path | None = None
        self.written_down_first: list[bool] = []
        self.faults: list[str] = []
        self.doubles = False
        self.refuses: tuple[int, dict[str, str]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A till that hangs up is what this server is for."""

    def take(self, body: bytes) -> tuple[int, dict[str, Any]]:
        sale = json.loads(body)
        with self.lock:
            self.arrived.append((sale["external_ref"], body))
            if self.journal:
                self.written_down_first.append(sale["external_ref"] in references_in(self.journal))
            known = [each for each in self.ledger if each["external_ref"] == sale["external_ref"]]
            if known and not self.doubles:
                return 200, known[0]
            stored = {"id": f"id-{len(self.ledger)}", "currency": "CHF"} | sale
            self.ledger.append(stored)
            return 201, stored


class TinyAnswers(BaseHTTPRequestHandler):
    """One request; ``faults`` are taken from the front, one for each sale that arrives."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: TinyServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refuses:
            self.answer(self.server.refuses[0], {"detail": "no"}, **self.server.refuses[1])
            return
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "503 before the work":
            self.answer(503, {"detail": "busy"})
            return
        status, stored = self.server.take(body)
        if fault == "answer dropped":
            self.close_connection = True
        elif fault == "answer cut off in its headers":
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n")
            self.close_connection = True
        else:
            self.answer(status, stored)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        place = url.path.removeprefix("/api/v1/public/pos/")
        if place == "products/":
            self.answer(200, {"count": len(CATALOGUE), "next": None, "previous": None, "results": CATALOGUE})
        elif place == "transactions/":
            self.answer(200, self.page(int(parse_qs(url.query).get("page", ["1"])[0])))
        else:
            reference = unquote(place.removeprefix("transactions/").removesuffix("/"))
            found = [each for each in self.server.ledger if each["external_ref"] == reference]
            self.answer(200 if found else 404, found[0] if found else {"detail": "not_found"})

    def page(self, number: int, size: int = 7) -> dict[str, Any]:
        following = f"https://another.name{urlsplit(self.path).path}?page={number + 1}"
        more = number * size < len(self.server.ledger)
        results = self.server.ledger[(number - 1) * size : number * size]
        return {"count": len(self.server.ledger), "next": following if more else None, "results": results}

    def answer(self, status: int, content: dict[str, Any], **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[TinyServer]:
    tiny = TinyServer()
    threading.Thread(target=tiny.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield tiny
    tiny.shutdown()
    tiny.server_close()


@pytest.fixture
def journal_file(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


def references_in(journal: Path) -> set[str]:
    with closing(sqlite3.connect(journal)) as database:
        return {row[0] for row in database.execute("SELECT external_ref FROM sale")}


def run(server: TinyServer, journal: Path | None, **options: Any) -> str:
    said = StringIO()
    arguments = {"url": server.url, "token": TOKEN, "journal": journal, "seed": 7} | options
    call_command("simulate_till", stdout=said, stderr=said, **arguments)
    return said.getvalue()


def invented(number: int = 300, now: datetime = NOON, seed: int = 7) -> list[Sale]:
    return invent_sales(articles=ARTICLES, number=number, prefix="sim", now=now, zone=ZURICH, rng=Random(seed))


def entry(sale: Sale) -> Entry:
    return Entry(position=1, external_ref=sale.external_ref, body=body_of(sale))


def as_stored(sale: Sale, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(body_of(sale))
    return {"id": "1", "currency": "CHF"} | body | changes


def answer(status: int, content: dict[str, Any] | None = None, **headers: str) -> Answer:
    return Answer(status, headers, json.dumps(content).encode() if content else b"")


class TestAcknowledged:
    def test_a_success_with_my_reference_is(self) -> None:
        proof = acknowledged(answer(201, {"id": 5, "external_ref": "T-1"}), external_ref="T-1")

        assert proof
        assert proof.transaction_id == "5"
        assert proof.created

    @pytest.mark.parametrize(
        "useless",
        [
            answer(201),
            Answer(201, {}, b'{"id": 5, "external_ref": "T-'),
            Answer(201, {}, b"<html>welcome to the camping wifi</html>"),
            Answer(201, {}, b'["T-1"]'),
            answer(200, {"id": 5, "external_ref": "T-2"}),
            answer(200, {"external_ref": "T-1"}),
            answer(409, {"id": 5, "external_ref": "T-1"}),
            answer(503, {"id": 5, "external_ref": "T-1"}),
        ],
    )
    def test_nothing_else_is(self, useless: Answer) -> None:
        assert acknowledged(useless, external_ref="T-1") is None


class TestRetrying:
    @pytest.mark.parametrize("status", [200, 201, 408, 425, 429, 500, 502, 503, 504])
    def test_what_may_change_is_sent_again(self, status: int) -> None:
        assert worth_repeating(answer(status))

    @pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 409, 413, 415])
    def test_a_final_answer_is_not(self, status: int) -> None:
        assert not worth_repeating(answer(status))

    @pytest.mark.parametrize(("said", "seconds"), [("17", 17), ("", 0), ("soon", 0), ("-3", 0), ("\uff11\uff12", 0)])
    def test_retry_after_is_whole_seconds(self, said: str, seconds: int) -> None:
        assert retry_after(Answer(503, {"retry-after": said}, b"")) == seconds

    def test_waits_are_spread_from_zero_to_a_doubling_bound(self) -> None:
        rng = Random(1)

        first = [wait_before(0, rng=rng) for _ in range(200)]
        later = [wait_before(500, rng=rng) for _ in range(200)]

        assert max(first) <= 0.02
        assert min(later) < 0.1
        assert 0.9 < max(later) <= 1


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://seeblick.localhost:8000",
            "http://seeblick.localhost:8000/",
            "http://seeblick.localhost:8000/api/v1/public/pos",
            "http://seeblick.localhost:8000/api/v1/public/pos/transactions/",
        ],
    )
    def test_root_and_full_url_mean_the_same(self, url: str) -> None:
        address = address_from(url)

        assert (address.host, address.port, address.base) == (
            "seeblick.localhost",
            8000,
            "/api/v1/public/pos/",
        )

    @pytest.mark.parametrize("url", ["seeblick", "ftp://seeblick", "http://a:b@seeblick", "http://seeblick/?a=1"])
    def test_anything_else_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"URL"):
            address_from(url)


class TestInventedSales:
    def test_the_same_seed_invents_the_same_sales(self) -> None:
        assert [body_of(sale) for sale in invented()] == [body_of(sale) for sale in invented()]

    @pytest.mark.parametrize("hour", [0, 6, 12, 23])
    def test_none_lies_in_the_future_or_outside_business_hours(self, hour: int) -> None:
        now = NOON.replace(hour=hour)

        for sale in invented(now=now):
            assert now - timedelta(days=3) < sale.occurred_at <= now
            assert 7 <= sale.occurred_at.hour <= 21

    def test_references_are_unique_and_in_order_of_time(self) -> None:
        sales = invented()

        assert len({sale.external_ref for sale in sales}) == len(sales)
        assert sales == sorted(sales, key=lambda sale: sale.occurred_at)

    def test_every_sum_adds_up(self) -> None:
        for sale in invented():
            body = json.loads(body_of(sale))
            lines = sum(Decimal(item["line_total"]) for item in body["items"])
            rounding = Decimal(body.get("rounding_amount", sale.rounding))
            assert lines + rounding == Decimal(body["total_amount"])
            if body["payment_method"] == "MIXED":
                assert sum(Decimal(part["amount"]) for part in body["payments"]) == sale.total

    def test_everything_a_campground_does_occurs(self) -> None:
        sales = invented(number=1000)

        assert {sale.payment_method for sale in sales} >= {
            "CASH",
            "CARD",
            "TWINT",
            "VOUCHER",
            "ON_TAB",
            "MIXED",
        }
        assert any(sale.refund_of and sale.total < 0 for sale in sales)
        assert any(sale.tip and sale.payment_method == "CARD" for sale in sales)
        assert any(sale.rounding for sale in sales)
        assert any(line.quantity % 1 for sale in sales for line in sale.lines)
        assert any(line.kind == "DISCOUNT" and line.line_total < 0 for sale in sales for line in sale.lines)

    def test_a_plain_till_sends_the_five_fields_only(self) -> None:
        plain = next(sale for sale in invented() if sale.plain)

        assert json.loads(body_of(plain)).keys() == {
            "external_ref",
            "payment_method",
            "total_amount",
            "items",
            "occurred_at",
        }

    def test_bread_and_coffee_sell_in_the_morning(self) -> None:
        sales = invented(number=1000)

        def share_of_gas(*, before_ten: bool) -> float:
            names = [line.sku for sale in sales if (sale.occurred_at.hour < 10) == before_ten for line in sale.lines]
            return names.count("3") / len(names)

        assert share_of_gas(before_ten=True) < share_of_gas(before_ten=False) / 2

    @pytest.mark.parametrize(
        ("amount", "rounding"), [("1.02", "-0.02"), ("1.03", "0.02"), ("1.05", "0.00"), ("-1.02", "0.02")]
    )
    def test_cash_is_rounded_to_five_rappen(self, amount: str, rounding: str) -> None:
        assert cash_rounding(Decimal(amount)) == Decimal(rounding)


class TestTickets:
    def sold(self, *rows: str, articles: list[Article] | None = None) -> list[Sale]:
        tickets = read_tickets([HEADING, *(f"{row}\n" for row in rows)], zone=ZURICH, now=NOON)
        return [sale_from(ticket, tags=PriceTags(articles or ARTICLES)) for ticket in tickets]

    def test_the_same_item_is_one_line_with_a_quantity(self) -> None:
        (sale,) = self.sold(*['"2018-10-30","10:05:34",2,"bread"'] * 2, '"2018-10-30","10:05:34",2,"Coffee"')

        assert [(line.description, line.quantity, line.line_total) for line in sale.lines] == [
            ("bread", Decimal(2), Decimal("8.40")),
            ("Coffee", Decimal(1), Decimal("5.50")),
        ]
        assert sale.lines[0].sku == "1"

    def test_reference_and_time_are_the_tickets_own(self) -> None:
        (sale,) = self.sold("2018-10-30,09:58:11,1,Bread")

        assert sale.external_ref == "bakery-2018-10-30-T-1"
        assert sale.occurred_at == datetime(2018, 10, 30, 8, 58, 11, tzinfo=UTC)

    def test_an_unknown_item_costs_the_catalogue_price_its_name_points_at(self) -> None:
        (first,) = self.sold("2018-10-30,09:58:11,1,Scandinavian")
        (again,) = self.sold("2018-10-30,09:58:11,1,SCANDINAVIAN", articles=ARTICLES[::-1])

        assert first.lines[0].unit_price in {article.unit_price for article in ARTICLES}
        assert first.lines[0].unit_price == again.lines[0].unit_price
        assert not first.lines[0].sku

    def test_none_is_left_out(self) -> None:
        (sale,) = self.sold("2018-10-30,09:58:11,1,NONE", "2018-10-30,09:58:11,1,Bread")

        assert [line.description for line in sale.lines] == ["Bread"]

    def test_a_ticket_of_nothing_but_none_is_sold_as_zero(self) -> None:
        (sale,) = self.sold("2018-10-30,09:58:11,1,NONE")

        assert [line.description for line in sale.lines] == ["NONE"]
        assert sale.total == 0

    @pytest.mark.parametrize(
        ("row", "complaint"),
        [
            ("2018-10-30,09:58:11,1", "Line 3: 3 columns"),
            ("30.10.2018,09:58:11,1,Bread", "Line 3: '30.10.2018' is not a date"),
            ("2018-10-30,25:58:11,1,Bread", "Line 3: '25:58:11' is not a time"),
            ("2018-10-30,09:58:11,one,Bread", "Line 3: 'one' is not a ticket number"),
            ("2018-10-30,09:58:11,1,", "Line 3: an item needs"),
            ("2027-10-30,09:58:11,1,Bread", "Line 3: 2027-10-30 09:58:11 lies in the future"),
            ("1999-12-31,09:58:11,1,Bread", "Line 3: 1999-12-31 lies before"),
            ('2018-10-30,09:58:11,1,"Bread', "Line 3: unexpected end"),
        ],
    )
    def test_a_malformed_row_is_named_by_its_line(self, row: str, complaint: str) -> None:
        with pytest.raises(MalformedTickets, match=complaint):
            self.sold("2018-10-30,09:58:11,1,Bread", row)

    def test_another_heading_is_refused(self) -> None:
        with pytest.raises(MalformedTickets, match="Line 1"):
            read_tickets(["Datum,Zeit,Beleg,Artikel\n"], zone=ZURICH, now=NOON)


class TestJournal:
    def test_an_acknowledged_sale_is_not_open(self, journal_file: Path) -> None:
        first, second = invented(2)
        with Journal(journal_file) as journal:
            journal.write_down([first, second])
            journal.acknowledge(first.external_ref, transaction_id="1", created=True)

        with Journal(journal_file) as reopened:
            assert [each.external_ref for each in reopened.open_entries()] == [second.external_ref]
            assert len(reopened.entries()) == 2

    def test_what_is_written_down_stays_as_it_is(self, journal_file: Path) -> None:
        (sale,) = invented(1)
        with Journal(journal_file) as journal:
            journal.write_down([sale])
            (before,) = journal.entries()
            journal.write_down([sale, sale])

            assert journal.entries() == [before]
            assert before.body == body_of(sale)

    def test_two_ids_or_two_creations_of_one_sale_are_noticed(self, journal_file: Path) -> None:
        with Journal(journal_file) as journal:
            sales = invented(3)
            journal.write_down(sales)
            for sale, second_id, created in zip(sales, ("1", "2", "1"), (False, False, True), strict=True):
                journal.acknowledge(sale.external_ref, transaction_id="1", created=True)
                journal.acknowledge(sale.external_ref, transaction_id=second_id, created=created)

            assert journal.stored_twice() == {sales[1].external_ref, sales[2].external_ref}

    def test_another_file_is_not_a_journal(self, tmp_path: Path) -> None:
        letter = tmp_path / "letter.txt"
        letter.write_text("Liebe Gäste, willkommen auf dem Camping Seeblick! " * 10)

        with pytest.raises(TillStopped, match=r"letter\.txt cannot be used as a journal"):
            Journal(letter)


class TestComparison:
    def test_equal_books_are_exact(self) -> None:
        sales = invented(50)

        found = compare([entry(sale) for sale in sales], [as_stored(sale) for sale in sales])

        assert found.exact
        assert f"sold 50, stored 50, sums equal to the Rappen (CHF {found.sum_sold}" in str(found)
        assert str(found).endswith("0 doubled, 0 missing")

    def test_a_missing_sale_is_named(self) -> None:
        first, second = invented(2)

        found = compare([entry(first), entry(second)], [as_stored(first)])

        assert found.missing == (second.external_ref,)
        assert not found.exact

    def test_a_sale_under_two_ids_is_doubled(self) -> None:
        (sale,) = invented(1)

        found = compare([entry(sale)], [as_stored(sale), as_stored(sale, id="2")])

        assert found.doubled == (sale.external_ref,)
        assert not found.exact

    def test_a_sale_seen_on_two_pages_is_not(self) -> None:
        (sale,) = invented(1)

        assert compare([entry(sale)], [as_stored(sale), as_stored(sale)]).exact

    def test_what_the_answers_gave_away_counts(self) -> None:
        (sale,) = invented(1)

        assert not compare([entry(sale)], [as_stored(sale)], stored_twice=[sale.external_ref]).exact

    def test_sales_of_other_tills_are_passed_over(self) -> None:
        ours, theirs = invented(2)

        assert compare([entry(ours)], [as_stored(ours), as_stored(theirs)]).exact

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("total_amount", "999.95"),
            ("payment_method", "BANK"),
            ("items", []),
            ("tip_amount", "1.00"),
            ("occurred_at", "2026-04-28T00:00:00Z"),
        ],
    )
    def test_each_differing_fact_is_named(self, field: str, value: Any) -> None:
        (sale,) = invented(1)

        found = compare([entry(sale)], [as_stored(sale, **{field: value})])

        assert not found.exact
        assert (field if field != "items" else "lines") in found.different[0]

    def test_equal_sums_do_not_hide_two_swapped_amounts(self) -> None:
        first, *others = invented(20)
        second = next(sale for sale in others if sale.total != first.total)
        swapped = [
            as_stored(first, total_amount=str(second.total)),
            as_stored(second, total_amount=str(first.total), id="2"),
        ]

        found = compare([entry(first), entry(second)], swapped)

        assert found.sum_sold == found.sum_stored
        assert not found.exact


class TestADay:
    def test_every_sale_is_stored_once_however_many_answers_are_lost(
        self, server: TinyServer, journal_file: Path
    ) -> None:
        said = run(server, journal_file, sales=60, loss=0.5)

        assert "sold 60, stored 60, sums equal to the Rappen" in said
        assert "0 doubled, 0 missing" in said
        assert "25 of 25 read back singly" in said
        assert len(server.arrived) > 60

    def test_every_reference_is_on_disk_before_it_is_sent(self, server: TinyServer, journal_file: Path) -> None:
        server.journal = journal_file

        run(server, journal_file, sales=20)

        assert len(server.written_down_first) >= 20
        assert all(server.written_down_first)

    def test_a_retry_sends_the_same_bytes(self, server: TinyServer, journal_file: Path) -> None:
        server.faults = ["answer dropped", "503 before the work", "answer cut off in its headers"] * 10

        said = run(server, journal_file, sales=20)

        assert "0 doubled, 0 missing" in said
        assert len(set(server.arrived)) == 20
        assert len(server.arrived) >= 40

    def test_some_sales_are_sent_by_twins(self, server: TinyServer, journal_file: Path) -> None:
        run(server, journal_file, sales=60)

        assert 60 < len(server.arrived) < 80

    def test_resuming_sends_only_what_is_open(self, server: TinyServer, journal_file: Path) -> None:
        sales = invented(10)
        with Journal(journal_file) as journal:
            journal.write_down(sales)
            for sale in sales[:7]:
                server.take(body_of(sale))
                journal.acknowledge(sale.external_ref, transaction_id="", created=True)
        server.arrived.clear()

        said = run(server, journal_file, sales=10)

        assert "3 of 10 sales are open" in said
        assert {reference for reference, _ in server.arrived} == {sale.external_ref for sale in sales[7:]}

    def test_a_doubled_sale_fails_the_run(self, server: TinyServer, journal_file: Path) -> None:
        server.doubles = True

        with pytest.raises(CommandError, match="Till and server differ"):
            run(server, journal_file, sales=20, loss=0.5)

    def test_a_lost_sale_fails_the_run(self, server: TinyServer, journal_file: Path) -> None:
        (sale,) = invented(1)
        with Journal(journal_file) as journal:
            journal.write_down([sale])
            journal.acknowledge(sale.external_ref, transaction_id="1", created=True)

        with pytest.raises(CommandError, match="Till and server differ"):
            run(server, journal_file)

    def test_a_refused_sale_is_named(self, server: TinyServer, journal_file: Path) -> None:
        server.refuses = (400, {})
        said = StringIO()

        with pytest.raises(CommandError, match="Till and server differ"):
            call_command(
                "simulate_till",
                url=server.url,
                token=TOKEN,
                journal=journal_file,
                sales=1,
                stdout=said,
                stderr=said,
            )

        assert "refused: sim-" in said.getvalue()
        assert "400 no" in said.getvalue()

    def test_a_used_up_budget_ends_the_run_at_once(self, server: TinyServer, journal_file: Path) -> None:
        server.refuses = (429, {"Retry_After": "3300"})

        with pytest.raises(CommandError, match="--budget none"):
            run(server, journal_file, sales=20)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_ends_the_run_at_once(self, server: TinyServer, journal_file: Path, status: int) -> None:
        server.refuses = (status, {})

        with pytest.raises(CommandError, match=f"refuses the key: {status}"):
            run(server, journal_file, sales=20)

    def test_the_key_is_neither_said_nor_written(self, server: TinyServer, journal_file: Path) -> None:
        said = run(server, journal_file, sales=5)

        assert TOKEN not in said
        for file in journal_file.parent.iterdir():
            assert TOKEN.encode() not in file.read_bytes()

    def test_without_a_name_the_journal_is_a_new_file_of_the_project(
        self, server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("campone.management.commands.simulate_till.PROJECT", tmp_path)

        for _ in range(2):
            run(server, None, sales=2)

        assert len(list((tmp_path / "var").glob("till-*.sqlite3"))) == 2

    def test_real_tickets_are_sold_at_their_own_times(
        self, server: TinyServer, journal_file: Path, tmp_path: Path
    ) -> None:
        tickets = tmp_path / "tickets.csv"
        tickets.write_text(
            f"{HEADING}2018-10-30,09:58:11,1,Bread\n2018-10-30,10:05:34,2,Scandinavian\n2018-10-30,10:07:57,3,NONE\n"
        )

        said = run(server, journal_file, tickets=tickets)
        again = run(server, tmp_path / "second.sqlite3", tickets=tickets)

        assert "sold 3, stored 3, sums equal to the Rappen" in said
        assert "sold 3, stored 3, sums equal to the Rappen" in again
        assert len(server.ledger) == 3

    def test_a_malformed_ticket_file_is_named_with_its_line(
        self, server: TinyServer, journal_file: Path, tmp_path: Path
    ) -> None:
        tickets = tmp_path / "tickets.csv"
        tickets.write_text(f"{HEADING}yesterday,09:58:11,1,Bread\n")

        with pytest.raises(CommandError, match=r"tickets\.csv: Line 2: 'yesterday' is not a date"):
            run(server, journal_file, tickets=tickets)

    @pytest.mark.parametrize(
        ("option", "complaint"),
        [
            ({"token": "secret"}, "--token must be a whole API key"),
            ({"url": "seeblick"}, "--url: an URL begins"),
            ({"zone": "Europe/Seeblick", "sales": 1}, "no such time zone"),
            ({}, "Nothing to sell"),
        ],
    )
    def test_a_wrong_option_is_explained(
        self, server: TinyServer, journal_file: Path, option: dict[str, Any], complaint: str
    ) -> None:
        with pytest.raises(CommandError, match=complaint):
            run(server, journal_file, **option)
