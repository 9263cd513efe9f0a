"""A till that loses answers and still loses no sale."""

import re
import secrets
import tempfile
import time
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campone.environment import PROJECT
from campone.till import evening
from campone.till.articles import Article, PriceTags, articles_from
from campone.till.asking import Asking
from campone.till.journal import Journal
from campone.till.rhythm import invent_sales
from campone.till.selling import Manner, Tally, Till
from campone.till.stopping import TillStopped
from campone.till.tickets import MalformedTickets, Ticket, read_tickets, sale_from
from campone.till.wire import Address, Wire, address_from

TOKEN = re.compile(r"ckt?_[A-Za-z0-9]{32}")
MOST_LOSS = 0.9
READ_SINGLY = 25
SHOWN = 10


class Command(BaseCommand):
    """Sells over real HTTP, throws answers away, retries, and compares journal and ledger at the end."""

    help = (
        "Be a till: write sales into a journal, send them over HTTP while losing answers, and compare in the"
        " evening, through the API alone, that every one is stored exactly once."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what a run can be told."""
        parser.add_argument("--url", required=True, help="Server root or full transactions URL")
        parser.add_argument("--token", required=True, help="Raw API key with pos:read and pos:write")
        goods = parser.add_mutually_exclusive_group()
        goods.add_argument("--sales", type=_count, help="Invent so many sales of yesterday and today")
        goods.add_argument("--tickets", type=Path, help="Sell the tickets of a CSV file: Date,Time,Transaction,Item")
        parser.add_argument("--loss", type=_share, default=0.0, help="Share of answers thrown away, 0 to 0.9")
        parser.add_argument("--seed", type=int, help="Repeat the chance of an earlier run")
        parser.add_argument("--journal", type=Path, help="Journal file; one that exists is gone on with")
        parser.add_argument("--parallel", type=_count, default=4, help="Connections that sell at once")
        parser.add_argument("--zone", default="Europe/Zurich", help="Time zone of the shop and the tickets")

    def handle(self, **options: Any) -> None:
        """Write down, sell, compare.

        Raises:
            CommandError: the run cannot go on, a sale was refused, or till and server differ.

        """
        address = _address(options["url"])
        if not TOKEN.fullmatch(options["token"]):
            raise CommandError("--token must be a whole API key: ck_ and 32 letters or digits.")
        seed = secrets.randbelow(2**32) if options["seed"] is None else options["seed"]
        started_at = timezone.now()
        path = options["journal"] or _new_journal(started_at)
        self.stdout.write(f"seed {seed}, journal {path}")
        try:
            with Journal(path) as journal, Wire(address, token=options["token"]) as wire:
                self._write_down(journal, wire=wire, seed=seed, now=started_at, options=options)
                self._sell(journal, address=address, seed=seed, options=options)
                self._compare(journal, wire=wire, seed=seed)
        except MalformedTickets as malformed:
            raise CommandError(f"{options['tickets']}: {malformed}") from None
        except TillStopped as stopped:
            raise CommandError(f"{stopped}\nWhat is open stays in the journal: --journal {path}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted; go on with --journal {path}") from None

    def _write_down(self, journal: Journal, *, wire: Wire, seed: int, now: datetime, options: dict[str, Any]) -> None:
        """Everything to be sold is on disk before the first of it is sent."""
        if entries := journal.entries():
            self.stdout.write(f"going on: {len(journal.open_entries())} of {len(entries)} sales are open")
            return
        zone = _zone(options["zone"])
        if options["tickets"]:
            tickets = _tickets(options["tickets"], zone=zone, now=now)
            tags = PriceTags(_articles(wire, seed))
            journal.write_down(sale_from(ticket, tags=tags) for ticket in tickets)
            return
        if not options["sales"]:
            raise CommandError("Nothing to sell: give --sales, --tickets, or a --journal begun earlier.")
        sales = invent_sales(
            articles=_articles(wire, seed),
            number=options["sales"],
            prefix=f"sim-{now.astimezone(UTC):%Y%m%d-%H%M%S-%f}",
            now=now,
            zone=zone,
            rng=_chance(seed),
        )
        journal.write_down(sales)

    def _sell(self, journal: Journal, *, address: Address, seed: int, options: dict[str, Any]) -> None:
        entries = journal.open_entries()
        manner = Manner(seed=seed, loss=options["loss"], parallel=options["parallel"])
        till = Till(journal=journal, address=address, token=options["token"], manner=manner)
        began = time.monotonic()
        tally = till.sell(entries, progress=self._progress)
        self._report(tally, sales=len(entries), seconds=time.monotonic() - began)

    def _progress(self, done: int) -> None:
        if done % 1000 == 0:
            self.stdout.write(f"{done} sales are through")

    def _report(self, tally: Tally, *, sales: int, seconds: float) -> None:
        self.stdout.write(
            f"{sales} sales in {seconds:.1f} s, {sales / max(seconds, 0.001):.0f} sales/s:"
            f" {tally.sends} sends, {tally.retries} retries, {tally.replayed} replays,"
            f" {tally.lost} lost answers"
        )
        for refusal in tally.refusals[:SHOWN]:
            self.stderr.write(f"refused: {refusal}")

    def _compare(self, journal: Journal, *, wire: Wire, seed: int) -> None:
        entries = journal.entries()
        asking = Asking(rng=_chance(seed))
        stored = evening.transactions_of(entries, wire=wire, asking=asking)
        comparison = evening.compare(entries, stored, stored_twice=journal.stored_twice())
        sample = asking.rng.sample(entries, min(READ_SINGLY, len(entries)))
        wrong = [words for entry in sample if (words := evening.read_back(entry, wire=wire, asking=asking))]
        self.stdout.write(str(comparison))
        self.stdout.write(f"{len(sample) - len(wrong)} of {len(sample)} read back singly")
        for kind in ("doubled", "missing", "different"):
            for words in getattr(comparison, kind)[:SHOWN]:
                self.stderr.write(f"{kind}: {words}")
        for words in wrong[:SHOWN]:
            self.stderr.write(f"read singly: {words}")
        if wrong or not comparison.exact or journal.open_entries():
            raise CommandError("Till and server differ.")


def _articles(wire: Wire, seed: int) -> list[Article]:
    path = f"products/?page_size={evening.PAGE_SIZE}"
    return articles_from(evening.pages(path, wire=wire, asking=Asking(rng=_chance(seed), patience=10)))


def _tickets(path: Path, *, zone: ZoneInfo, now: datetime) -> list[Ticket]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read_tickets(lines, zone=zone, now=now)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _address(url: str) -> Address:
    try:
        return address_from(url)
    except ValueError as error:
        raise CommandError(f"--url: {error}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise CommandError(f"--zone {name}: no such time zone.") from None


def _new_journal(now: datetime) -> Path:
    """A fresh file in the project's ``var/``, or among the temporary files where that is read-only."""
    name = f"till-{now.astimezone(UTC):%Y%m%d-%H%M%S-%f}.sqlite3"
    var = PROJECT / "var"
    try:
        var.mkdir(exist_ok=True)
        (var / name).touch()
    except OSError:
        return Path(tempfile.gettempdir()) / name
    return var / name


def _chance(seed: int) -> Random:
    return Random(seed)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= MOST_LOSS:
        raise ArgumentTypeError(f"{text!r} is not a share from 0 to {MOST_LOSS}")
    return share
