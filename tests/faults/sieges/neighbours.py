"""Two campgrounds with the same references, read at random with both keys: nobody ever sees a neighbour's sale."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeAlias

from tests.faults.books import Condition
from tests.faults.model import Answer, Model, read_document
from tests.faults.sales import CAMPGROUNDS
from tests.faults.sieges.besieging import FIRST_OF_A_SIEGE, Order, give_verdict, happened, none_of, open_shop
from tests.faults.stage import Scene, set_stage
from tests.faults.tills import Shop, Supply, sell
from tests.faults.wire import Line, request

REFERENCES = 1000
READS = 100_000
WALKERS = 16
TILLS = 16
PATIENCE = 60.0
PAGES = REFERENCES // 50
KINDS = {"read back": 7, "listed by reference": 2, "a page of the list": 1}
Owners: TypeAlias = dict[str, tuple[str, str]]
"""Of each id whose sale it is, and its reference."""


@dataclass(slots=True)
class Seen:
    """What a walk has come across; sales are counted by whose they were to whom they were shown."""

    reads: Counter[str] = field(default_factory=Counter)
    sales: int = 0
    neighbours: int = 0
    otherwise: int = 0
    empty: int = 0


def besiege_the_fence(order: Order) -> bool:
    """Sell the same references on both, then walk."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        shop = open_shop(stage, order.seed)
        asyncio.run(sell(shop, Supply(shop.model.sell(len(CAMPGROUNDS) * REFERENCES)), tills=TILLS))
        seen = asyncio.run(walk_all(shop, order.part_of(READS)))
        return give_verdict(stage, shop, judge(seen, order.part_of(READS)))


async def walk_all(shop: Shop, reads: int) -> Seen:
    """Each walker its own way, all of them the same number of reads."""
    seen, owners, left = Seen(), owners_of(shop.model), iter(range(reads))

    async def walk(rng: Random) -> None:
        line = Line(shop.port)
        for _ in left:
            await read_one(shop, line, rng, owners, seen)

    await asyncio.gather(*(walk(Random(f"{shop.model.seed}/{each}")) for each in range(WALKERS)))
    return seen


def owners_of(model: Model) -> Owners:
    """As the tills know it."""
    sales = ((number, model.sale(number)) for number in range(model.sold))
    return {str(model.id_of(number)): (sale.campground, sale.reference) for number, sale in sales}


async def read_one(shop: Shop, line: Line, rng: Random, owners: Owners, seen: Seen) -> None:
    """Anything, with the key of either."""
    campground, reference = rng.choice(CAMPGROUNDS), f"T-{rng.randrange(REFERENCES)}"
    (kind,) = rng.choices(list(KINDS), weights=list(KINDS.values()))
    path = {
        "read back": f"transactions/{reference}/",
        "listed by reference": f"transactions/?external_ref={reference}",
        "a page of the list": f"transactions/?page={rng.randint(1, PAGES)}",
    }[kind]
    token = rng.choice(shop.keys.lasting[campground])
    answer = await line.call(request("GET", path, token=token, request_id="walk"), patience=PATIENCE)
    seen.reads[kind] += 1
    look_at(answer, campground, None if kind == "a page of the list" else reference, owners, seen)


def look_at(answer: Answer, campground: str, reference: str | None, owners: Owners, seen: Seen) -> None:
    """Whose is each sale in it, and is it what was asked for?"""
    sales = sales_in(answer)
    seen.empty += not sales
    for sale in sales:
        seen.sales += 1
        owner, own_reference = owners.get(str(sale.get("id")), ("nobody", ""))
        seen.neighbours += owner != campground
        seen.otherwise += own_reference != (reference or sale.get("external_ref"))


def sales_in(answer: Answer) -> list[dict[str, Any]]:
    """One, or those of a list; none in a refusal."""
    document = read_document(answer.content) if answer.status == 200 else None
    if document is None:
        return []
    return list(document["results"]) if "results" in document else [document]


def judge(seen: Seen, reads: int) -> list[Condition]:
    """All were read, each had something to show, and nothing of a neighbour's."""
    number = FIRST_OF_A_SIEGE
    total = sum(seen.reads.values())
    return [
        happened(number, f"reads, {dict(seen.reads)}", total, at_least=reads),
        none_of(number + 1, "a sale that was shown was a neighbour's", seen.neighbours, among=seen.sales),
        none_of(number + 2, "a sale that was shown was not the one asked for", seen.otherwise, among=seen.sales),
        none_of(number + 3, "a read had nothing to show", seen.empty, among=total),
    ]
