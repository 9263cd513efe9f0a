"""What calls cost on a ledger of some size, made one after the other in this process; the database's books tell.

python -m bench.growth_calls SALES DATABASE_PID        with the product's environment and its keys as JSON on standard
input; fills the database first, and prints the costs as JSON
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import partial
from io import BytesIO
from statistics import median, quantiles
from typing import Any

import django

from bench import counted_sales, growth_rows, shop
from bench.accounting import cpu_seconds

CALLS, READS, WARM, ROUND = 4000, 1000, 1000, 500
PAGE = 50
DEEP = 0.5

Deed = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """A kind of call: CPU seconds of the database for a thousand, bytes of log for one, milliseconds seen by us."""

    what: str
    calls: int
    cpu: float
    wal: float
    p50: float
    p99: float


def measure(count: int, database: int, keys: shop.Keys, now: datetime) -> Iterator[Cost]:
    """Every kind of call, from the cheapest to disturb to the one that takes rows away."""

    def cost(what: str, deeds: Iterator[Deed], calls: int) -> Cost:
        return cost_of(what, itertools.islice(deeds, calls), database)

    bodies = [body_of(number, now) for number in range(WARM + CALLS)]
    cost("warming up", posts(keys, bodies[:WARM], 201), WARM)
    yield cost("a sale", posts(keys, bodies[WARM:], 201), CALLS)
    yield cost("a retry", posts(keys, bodies[WARM:], 200), CALLS)
    cost("warming up", read_backs(keys, count), 100)
    yield cost("a read-back, anywhere", read_backs(keys, count), READS)
    yield cost("the list, first page", pages(first=True), READS)
    yield cost("the list, a page from its middle", pages(first=False), READS)
    yield cost("an evening's list, by the API", lists(keys, f"business_date={last_day(now)}"), 100)
    yield cost("the list of everything, by the API", lists(keys, ""), 20)
    yield cost("an open day's totals", days(now), 100)


def cost_of(what: str, deeds: Iterator[Deed], database: int) -> Cost:
    """Do all, in rounds with a look into the books between them; medians, so that a disturbed round does not count."""
    seconds: list[float] = []
    cpu, wal = [], []
    while round_of := list(itertools.islice(deeds, ROUND)):
        cpu_before, wal_before = cpu_seconds(database), wal_position()
        seconds += [time_of(deed) for deed in round_of]
        cpu.append(1000 * (cpu_seconds(database) - cpu_before) / len(round_of))
        wal.append((wal_position() - wal_before) / len(round_of))
    p99 = quantiles(seconds, n=100)[-1] if len(seconds) > 1 else seconds[0]
    return Cost(what, len(seconds), median(cpu), median(wal), 1000 * median(seconds), 1000 * p99)


def time_of(deed: Deed) -> float:
    """Seconds that a deed takes."""
    began = time.perf_counter()
    deed()
    return time.perf_counter() - began


def wal_position() -> int:
    """Bytes of write-ahead log ever written by the server."""
    from django.db import connection  # Django is not ready before ``django.setup()``

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def body_of(number: int, now: datetime) -> bytes:
    """What the till sends for its sale of this number."""
    return json.dumps(shop.sale(f"lightspeed-{now:%Y-%m-%d}-T-{number:06}", now)).encode()


def posts(keys: shop.Keys, bodies: list[bytes], status: int) -> Iterator[Deed]:
    """Each till in turn."""
    for number, body in enumerate(bodies):
        yield ask(keys.tills[number % len(keys.tills)], status, body=body)


def read_backs(keys: shop.Keys, count: int) -> Iterator[Deed]:
    """Sales from anywhere in the ledger."""
    chosen = random.Random(1)
    while True:
        number = chosen.randrange(count)
        till = keys.tills[number % len(shop.CAMPGROUNDS) * shop.TILLS_PER_CAMPGROUND]
        yield ask(till, 200, path=f"growth-{number:09}/")


def lists(keys: shop.Keys, query: str) -> Iterator[Deed]:
    """The first page of a list, with its count, for each till in turn."""
    for till in itertools.cycle(keys.tills):
        yield ask(till, 200, query=query)


def ask(token: str, status: int, *, body: bytes = b"", path: str = "", query: str = "") -> Deed:
    """One call through the service's entry, whose answer must be the expected one."""
    from campone.wsgi import application  # it reads the settings

    environ = counted_sales.make_environ(token, body)
    environ["PATH_INFO"] += path
    environ["QUERY_STRING"] = query
    if not body:
        environ["REQUEST_METHOD"] = "GET"

    def call() -> None:
        statuses: list[str] = []
        answer = application(
            {**environ, "wsgi.input": BytesIO(body)}, lambda said, _headers, _error=None: statuses.append(said)
        )
        said = b"".join(answer)
        getattr(answer, "close", lambda: None)()
        if not statuses[0].startswith(f"{status} "):
            raise counted_sales.NotAccepted(f"{statuses[0]}: {said.decode()}")

    return call


def pages(*, first: bool) -> Iterator[Deed]:
    """Fifty sales of a campground by time, the newest first or from somewhere in the middle, without counting them."""
    from django.db.models import Q

    from kasse.models import Transaction
    from tenants.models import Tenant

    tenants = list(Tenant.objects.order_by("pk"))
    for tenant in itertools.cycle(tenants):
        rows = Transaction.objects.of(tenant).order_by("-occurred_at", "-id")
        if not first:
            begin, end = rows.last(), rows.first()
            if begin is None or end is None:
                return
            middle = begin.occurred_at + (end.occurred_at - begin.occurred_at) * DEEP
            rows = rows.filter(occurred_at__lte=middle).filter(Q(occurred_at__lt=middle) | Q(pk__lt=end.pk))

        yield partial(list, rows[:PAGE])


def days(now: datetime) -> Iterator[Deed]:
    """The totals of whole days, none of which is closed."""
    from kasse.totals import day_totals
    from tenants.models import Tenant

    tenants = list(Tenant.objects.order_by("pk"))
    for weeks in itertools.count():
        for tenant in tenants:
            yield partial(day_totals, tenant, last_day(now) - timedelta(weeks=weeks))


def last_day(now: datetime) -> date:
    """The last day that is whole."""
    return (now - timedelta(days=1)).date()


def forget_a_month(database: int) -> tuple[Cost, int]:
    """Prune the oldest month of the log; what it cost, and how many rows went."""
    from pos_bridge.partitions import list_partitions
    from pos_bridge.retention import forget_old_rows

    gone: list[int] = []
    first = list_partitions()[0]

    def prune() -> None:
        gone.append(forget_old_rows(now=first.ends + timedelta(days=1), log_days=1).calls)

    return cost_of("the log's oldest month, pruned", iter([prune]), database), gone[0]


def make_months(now: datetime) -> None:
    """Partitions for the two years."""
    from pos_bridge.partitions import Month, ensure_partitions

    month = Month.of(now - growth_rows.YEARS)
    while month <= Month.of(now):
        ensure_partitions(now=month.begins)
        month = month.next


def main(count: int, database: int, keys: shop.Keys) -> dict[str, Any]:
    """Fill, measure, forget."""
    from django.db import connection
    from django.utils import timezone

    now = timezone.now() - timedelta(minutes=1)
    began = time.perf_counter()
    make_months(now)
    growth_rows.fill(os.environ["DATABASE_URL"], count=count, now=now)
    filled = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        size = int(cursor.fetchone()[0])
    costs = list(measure(count, database, keys, now))
    pruned, rows = forget_a_month(database)
    return {
        "sales": count,
        "bytes": size,
        "seconds_to_fill": filled,
        "costs": [asdict(each) for each in (*costs, pruned)],
        "rows_pruned": rows,
    }


if __name__ == "__main__":
    django.setup()
    json.dump(main(int(sys.argv[1]), int(sys.argv[2]), shop.Keys(**json.load(sys.stdin))), sys.stdout)
