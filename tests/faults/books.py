"""After the last acknowledgement: what is stored against what the tills know, condition by condition."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from tests.faults.databases import Database
from tests.faults.model import DROPPED_BY_A_GRACEFUL_SERVER, Findings, Model
from tests.faults.sales import CAMPGROUNDS, Sale, number_of

Sums: TypeAlias = Counter[tuple[str, str, str]]
"""Rappen by campground, day and payment method."""

SALES = """
SELECT c.slug, t.external_ref, replace(CAST(t.id AS text), '-', ''), CAST(t.business_date AS text),
    t.payment_method, t.total_amount,
    (SELECT count(*) FROM kasse_transactionitem AS l WHERE l.tenant_id = t.tenant_id AND l.transaction_id = t.id),
    (SELECT sum(line_total) FROM kasse_transactionitem AS l
        WHERE l.tenant_id = t.tenant_id AND l.transaction_id = t.id),
    (SELECT count(*) FROM kasse_payment AS p WHERE p.tenant_id = t.tenant_id AND p.transaction_id = t.id),
    (SELECT sum(amount) FROM kasse_payment AS p WHERE p.tenant_id = t.tenant_id AND p.transaction_id = t.id)
FROM kasse_transaction AS t JOIN tenants_tenant AS c ON c.id = t.tenant_id
WHERE c.slug NOT LIKE 'test:%'
"""
ORPHANS = """
SELECT (SELECT count(*) FROM {table} AS part WHERE NOT EXISTS (
    SELECT 1 FROM kasse_transaction AS t WHERE t.tenant_id = part.tenant_id AND t.id = part.transaction_id))
"""
CALLS = "SELECT request_id, status, calls, outcome FROM pos_bridge_inboundcall"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold, and the figures it rests on."""

    number: int
    sentence: str
    holds: bool
    figures: str

    def __str__(self) -> str:
        return f"  {self.number:>2} {'holds ' if self.holds else 'BROKEN'}  {self.sentence}: {self.figures}"


@dataclass(slots=True)
class Ledger:
    """What the tables hold, against the model."""

    times_stored: bytearray
    stored: int = 0
    sums: Sums = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.sums.values())

    @property
    def torn(self) -> int:
        """Sales that are not whole, parts without a sale, and what was parked."""
        found = self.findings.counts
        return found["half"] + found["lines or payments without a sale"] + found["parked"]


def read_ledger(database: Database, model: Model, *, laid_in: str = "") -> Ledger:
    """Every sale, row by row, but those that lay there before, whose references begin with ``laid_in``."""
    ledger = Ledger(bytearray(model.sold))
    sold = f"AND t.external_ref NOT LIKE '{laid_in}%'" if laid_in else ""
    for row in database.rows(SALES + sold):
        _compare(row, ledger, model)
    for table in ("kasse_transactionitem", "kasse_payment"):
        for (count,) in database.rows(ORPHANS.format(table=table)):
            ledger.findings.counts["lines or payments without a sale"] += count
    for (count,) in database.rows("SELECT count(*) FROM pos_bridge_parkedsale"):
        ledger.findings.counts["parked"] += count
    return ledger


def _compare(row: tuple[Any, ...], ledger: Ledger, model: Model) -> None:
    campground, reference, identity, day, method, total, lines, lines_sum, payments, payments_sum = row
    ledger.stored += 1
    ledger.sums[campground, day, method] += total
    number = number_of(campground, reference)
    if number is None or number >= model.sold:
        ledger.findings.add("phantom", f"{campground} {reference}")
        return
    sale = model.sale(number)
    ledger.times_stored[number] = min(ledger.times_stored[number] + 1, 255)
    if ledger.times_stored[number] == 2:
        ledger.findings.add("doubled", reference)
    if (lines, lines_sum, payments, payments_sum) != (sale.lines, sale.total, sale.payments, sale.total):
        ledger.findings.add("half", f"{reference}: {lines} of {sale.lines} lines")
    if model.is_acknowledged[number] and model.id_of(number).hex != identity:
        ledger.findings.add("stored under another id than was answered", reference)


def check_ledger(ledger: Ledger, model: Model) -> list[Condition]:
    """Conditions 1 to 5."""
    found, told = ledger.findings.counts, model.findings.counts
    lost = [n for n in range(model.sold) if model.is_acknowledged[n] and not ledger.times_stored[n]]
    expected = expected_sums(model, range(model.sold))
    wrong = wrong_groups(ledger.sums, expected)
    ids = found["stored under another id than was answered"] + told["two ids for one sale"]
    ids += told["two answers of 201 for one sale"] + told["an answer that is of another sale"]
    return [
        Condition(
            1,
            "every acknowledged sale is there exactly once",
            not lost and not found["doubled"] and model.acknowledged == model.sold,
            f"{model.acknowledged} of {model.sold} acknowledged, {len(lost)} lost, {found['doubled']} doubled",
        ),
        Condition(2, "nothing is there that was not sold", not found["phantom"], f"{found['phantom']} phantoms"),
        Condition(
            3,
            "sums by campground, day and method are equal",
            not wrong,
            f"{len(expected)} groups, {len(wrong)} wrong; {francs(sum(expected.values()))} sold,"
            f" {francs(ledger.total)} stored",
        ),
        Condition(
            4,
            "no half sale",
            not ledger.torn,
            f"{found['half']} half, {found['lines or payments without a sale']} orphans, {found['parked']} parked",
        ),
        Condition(5, "one sale, one id, at most one 201", not ids, f"{ids} otherwise"),
    ]


def wrong_groups(found: Sums, expected: Sums) -> list[tuple[str, str, str]]:
    """Where the sums are not equal."""
    return [group for group in expected.keys() | found.keys() if expected[group] != found[group]]


def expected_sums(model: Model, numbers: Iterable[int]) -> Sums:
    """What these sales were sold for."""
    sums: Sums = Counter()
    for number in numbers:
        sale: Sale = model.sale(number)
        sums[sale.campground, sale.day, sale.method] += sale.total
    return sums


@dataclass(slots=True)
class Logged:
    """The rows of the log, by the call that each is of."""

    rows: bytearray
    findings: Findings = field(default_factory=Findings)
    strangers: int = 0
    flood: int = 0
    late: int = 0


def read_log(calls: Iterator[tuple[Any, ...]], model: Model) -> Logged:
    """Every row, against what was heard of its call."""
    log = Logged(bytearray(len(model.statuses)))
    for request_id, status, count, outcome in calls:
        number = number_of_call(request_id, model)
        if outcome == "flood":
            log.flood += count
        elif number is None:
            log.strangers += 1
        else:
            log.rows[number] = min(log.rows[number] + 1, 255)
            heard = model.statuses[number]
            log.late += heard == DROPPED_BY_A_GRACEFUL_SERVER and status < 500
            if is_an_answer(heard) and heard != status:
                log.findings.add("with another status", f"{heard} was heard of {request_id}, {status} is logged")
    for number, heard in enumerate(model.statuses):
        if heard > DROPPED_BY_A_GRACEFUL_SERVER and not log.rows[number]:
            log.findings.add("without a row", f"{heard} was heard of fault-{number}")
        elif is_an_answer(heard) and log.rows[number] > 1:
            log.findings.add("with several rows", f"{heard} was heard of fault-{number}")
    return log


def check_log(log: Logged, model: Model, *, network_spoils: bool, taken_late: str = "0 taken") -> list[Condition]:
    """Condition 6, and that a graceful server has answered whatever it had taken.

    A network that doubles makes several rows of one call; one that cuts hides who has hung up. ``taken_late`` is what
    ``take_kept_calls`` said: rows that the server had to keep in its own log.
    """
    counts = log.findings.counts
    missing = max(counts["without a row"] - log.flood, 0)
    doubled = 0 if network_spoils else counts["with several rows"] + counts["with another status"]
    answered = sum(heard > DROPPED_BY_A_GRACEFUL_SERVER for heard in model.statuses)
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none without a row, none with two"
    conditions = [
        Condition(
            6,
            f"every answered call has {'at least' if network_spoils else 'exactly'} one row in the log",
            not missing and not doubled,
            f"{answered} answered, {told}; out of the server's own log: {taken_late}; {log.flood} counted together",
        )
    ]
    if not network_spoils:
        dropped = model.statuses.count(DROPPED_BY_A_GRACEFUL_SERVER)
        figures = f"{log.late} taken and not answered; {dropped} hung up on before they were taken"
        conditions.append(
            Condition(10, "a stop that was asked for, and a reload, answer all they have taken", not log.late, figures)
        )
    return conditions


def is_an_answer(heard: int) -> bool:
    """Whether a call has one that speaks for itself; after a 5xx the row may say that the sale was stored after all."""
    return DROPPED_BY_A_GRACEFUL_SERVER < heard < 500


def number_of_call(request_id: str, model: Model) -> int | None:
    """Whose row it is; None if it is of none of the tills' calls."""
    head, _, digits = request_id.partition("-")
    known = head == "fault" and digits.isdecimal() and int(digits) < len(model.statuses)
    return int(digits) if known else None


def check_answers(model: Model) -> Condition:
    """Condition 7, and what else was heard that must not be."""
    bad = {kind: count for kind, count in model.findings.counts.items() if count}
    told = ", ".join(f"{count} × {status}" for status, count in sorted(model.failures.items())) or "none"
    return Condition(
        7,
        "whatever failed was 503 with Retry-After, and nothing in order was refused",
        not bad,
        f"5xx: {told}; otherwise {bad or 'nothing'}",
    )


def check_views(ledger: Ledger, *, product: str, by_api: dict[str, int]) -> Condition:
    """Condition 8: what staff, the day, the API and SQL say of the same sales."""
    said: dict[str, dict[str, int]] = json.loads(product)
    by_sql = Counter[str]()
    for (campground, _, _), amount in ledger.sums.items():
        by_sql[campground] += amount
    views = {slug: {**said[slug], "API": by_api[slug], "SQL": by_sql[slug]} for slug in CAMPGROUNDS}
    agree = all(len(set(sums.values())) == 1 for sums in views.values())
    figures = "; ".join(
        f"{slug} " + ", ".join(f"{view} {francs(amount)}" for view, amount in sums.items())
        for slug, sums in views.items()
    )
    return Condition(8, "list of staff, day totals, API and SQL say the same", agree, figures)


def check_recoveries(seconds: list[float], *, typical: float = 1.5, longest: float = 5.0) -> Condition:
    """Condition 9: from the moment that everything is up again to the first acknowledgement."""
    median, worst = percentile(seconds, 0.5), max(seconds, default=0.0)
    return Condition(
        9,
        f"selling goes on: p50 below {typical} s, at most {longest} s",
        median < typical and worst < longest,
        f"{len(seconds)} faults, p50 {median:.2f} s, max {worst:.2f} s",
    )


def percentile(values: Iterable[float], share: float) -> float:
    """The value that so large a share of them does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def francs(cents: int) -> str:
    """Rappen as people read them."""
    return f"CHF {Decimal(cents) / 100:.2f}"
