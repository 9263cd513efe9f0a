"""A million calls without a key, from a few addresses: what they leave in the log, and what honest tills notice.

And, in its own siege, two hundred wrong tokens a second, each of which costs a hash to refuse.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.accounting import MEBIBYTE, proportional_bytes
from bench.shop import PREFIX_LENGTH
from tests.faults.books import Condition, percentile
from tests.faults.databases import Postgres
from tests.faults.sales import CAMPGROUNDS
from tests.faults.sieges.besieging import (
    FIRST_OF_A_SIEGE,
    Order,
    give_verdict,
    happened,
    only,
    open_shop,
    sell_during,
    statuses_of,
)
from tests.faults.sieges.forging import forge
from tests.faults.sieges.sending import Heard, Plan, send_all
from tests.faults.stage import Scene, Stage, set_stage
from tests.faults.tills import Shop
from tests.faults.wire import BASE, HOST

CALLS = 1_000_000
ADDRESSES = tuple(f"127.0.1.{number}" for number in range(1, 9))
LINES_EACH = 6
MOST_GROWTH = 150.0
WRONG_A_SECOND = 200
SECONDS_OF_FORGING = 60
MOST_MEMORY = 64.0
MOST_TIMES_QUIET = 2.0
TILLS = 5
PAUSE = 0.1
SECONDS_OF_QUIET = 60
SECONDS_TO_BE_WRITTEN = 4
CROWD, SECONDS_OF_CROWD = 64, 5
SIZE = """
SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'pos_bridge_inboundcall'::regclass
"""
COUNTED = "SELECT remote_address, sum(calls), count(*) FROM pos_bridge_inboundcall GROUP BY remote_address"


@dataclass(slots=True)
class Beside:
    """What honest tills noticed: seconds of each answer in quiet and under siege, and what they heard under it."""

    quiet: list[float] = field(default_factory=list)
    besieged: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def p99(self) -> tuple[float, float]:
        """In quiet, and under siege."""
        return percentile(self.quiet, 0.99), percentile(self.besieged, 0.99)

    @property
    def figures(self) -> str:
        """For people."""
        return f"in quiet {figures_of(self.quiet)}; besieged {figures_of(self.besieged)}"


def figures_of(seconds: Sequence[float]) -> str:
    """For people."""
    p50, p99 = (1000 * percentile(seconds, share) for share in (0.5, 0.99))
    return f"p50 {p50:.1f}, p99 {p99:.1f} ms of {len(seconds)} answers"


def besiege_without_a_key(order: Order) -> bool:
    """No token, something that is none, a long path."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        database = stage.postgres
        plan = Plan(stage.port, ADDRESSES, LINES_EACH, anonymous_calls(), order.part_of(CALLS))
        shop = open_shop(stage, order.seed)
        before = size_of_log(database)
        heard, beside = send_beside_tills(shop, partial(send_all, plan), quiet=order.part_of(SECONDS_OF_QUIET))
        time.sleep(SECONDS_TO_BE_WRITTEN)
        growth = (size_of_log(database) - before) / MEBIBYTE
        counted = {address: (int(calls), int(rows)) for address, calls, rows in database.rows(COUNTED)}
        return give_verdict(stage, shop, judge_strangers(heard, counted, beside, growth, expected=plan.count))


def besiege_with_forged_tokens(order: Order) -> bool:
    """Half of them under a prefix that exists."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        shop = open_shop(stage, order.seed)
        count = WRONG_A_SECOND * order.part_of(SECONDS_OF_FORGING)
        pairs = forge(stage.service, count // 2, prefix=shop.keys.lasting[CAMPGROUNDS[0]][0][:PREFIX_LENGTH])
        calls = [request_of(f"Authorization: Bearer {token}") for pair in pairs for token in pair]
        plan = Plan(stage.port, ADDRESSES, LINES_EACH, calls, count, per_second=WRONG_A_SECOND)
        # A crowd first, so that what threads and connections take is there before anything is measured.
        asyncio.run(sell_during(shop, partial(time.sleep, SECONDS_OF_CROWD), tills=CROWD))
        shop.heard = []
        memory = Memory(stage)
        quiet = order.part_of(SECONDS_OF_QUIET)
        heard, beside = send_beside_tills(shop, partial(send_all, plan), quiet=quiet, besiege=memory.begin)
        return give_verdict(stage, shop, judge_forgers(heard, beside, memory.growth(), expected=count))


class Memory:
    """MiB that the workers hold; pages that they share are counted by their shares."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._before = 0.0

    def begin(self) -> None:
        """From here on growth counts."""
        self._before = self._held()

    def growth(self) -> float:
        """Since then."""
        return self._held() - self._before

    def _held(self) -> float:
        return sum(map(proportional_bytes, self._stage.service.workers())) / MEBIBYTE


def send_beside_tills(
    shop: Shop, send: Callable[[], Heard], *, quiet: float, besiege: Callable[[], None] = lambda: None
) -> tuple[Heard, Beside]:
    """Tills sell at their pace, for a while alone, then with the strangers; ``besiege`` is told when they begin."""
    assert shop.heard is not None
    beside = Beside()
    asyncio.run(sell_during(shop, partial(time.sleep, quiet), tills=TILLS, pause=PAUSE))
    beside.quiet = [each.seconds for each in shop.heard]
    shop.heard.clear()
    besiege()
    heard = asyncio.run(sell_during(shop, send, tills=TILLS, pause=PAUSE))
    beside.besieged = [each.seconds for each in shop.heard]
    beside.statuses = statuses_of(shop.heard)
    return heard, beside


def anonymous_calls() -> list[str]:
    """By turns."""
    heads = ("X-Nothing: 1", "Authorization: Bearer none-of-yours", f"Authorization: Bearer ck_{'A1b2' * 8}")
    return [*map(request_of, heads), request_of("X-Nothing: 1", path="transactions/" + "x" * 700)]


def request_of(head: str, *, path: str = "ping/") -> str:
    """A call as bytes will be."""
    return f"GET {BASE}/{path} HTTP/1.1\r\nHost: {HOST}\r\n{head}\r\n\r\n"


def size_of_log(database: Postgres) -> int:
    """Bytes of all partitions, with their indexes."""
    ((size,),) = database.rows(SIZE)
    return int(size)


def judge_strangers(
    heard: Heard, counted: dict[str, tuple[int, int]], beside: Beside, growth: float, *, expected: int
) -> list[Condition]:
    """The log has counted each of them, and is hardly larger for it."""
    number = FIRST_OF_A_SIEGE
    sent = {address: sum(each.values()) for address, each in heard.by_address.items()}
    found = {address: counted.get(address, (0, 0)) for address in sent}
    wrong = {address: calls for address, (calls, _) in found.items() if calls != sent[address]}
    counts = (
        f"{sum(rows for _, rows in found.values())} rows, {len(wrong)} of {len(sent)} addresses wrong {wrong or ''}"
    )
    pace = f"in {heard.seconds:.0f} s, {sum(sent.values()) / heard.seconds:.0f} a second"
    return [
        happened(number, f"calls without a key were answered, {pace}", sum(sent.values()), at_least=expected),
        only(number + 1, heard.statuses, (401,)),
        Condition(number + 2, "the log counts each of them, by address", not wrong and bool(sent), counts),
        grown(number + 3, "the log", growth, MOST_GROWTH),
        *judge_tills(number + 4, beside),
    ]


def judge_forgers(heard: Heard, beside: Beside, growth: float, *, expected: int) -> list[Condition]:
    """Tills that are known never meet the queue for hashing."""
    number = FIRST_OF_A_SIEGE
    quiet, besieged = beside.p99
    pace = f"in {heard.seconds:.0f} s"
    return [
        happened(number, f"wrong tokens were answered, {pace}", heard.statuses.total(), at_least=expected),
        only(number + 1, heard.statuses, (401, 503)),
        grown(number + 2, "what workers hold", growth, MOST_MEMORY),
        Condition(
            number + 3,
            f"tills' p99 stays below {MOST_TIMES_QUIET:g} times that in quiet",
            0 < besieged < MOST_TIMES_QUIET * quiet,
            f"{besieged / quiet:.2f} times" if quiet else "no quiet",
        ),
        *judge_tills(number + 4, beside),
    ]


def grown(number: int, what: str, mebibytes: float, most: float) -> Condition:
    """Something has grown by less."""
    return Condition(number, f"{what} grows by less than {most:g} MiB", mebibytes < most, f"{mebibytes:.1f} MiB")


def judge_tills(number: int, beside: Beside) -> list[Condition]:
    """What the honest heard meanwhile; how long it took is for people to read."""
    told = only(number, beside.statuses, (200, 201))
    return [Condition(number, f"of honest tills, {told.sentence}", told.holds, f"{told.figures}; {beside.figures}")]
