"""One sale sent fifty times at the same moment, over and over; and one conflict that is repeated for ever."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from tests.faults.books import Condition
from tests.faults.databases import Database
from tests.faults.report import tell_conditions
from tests.faults.running import check
from tests.faults.sales import Sale, money
from tests.faults.sieges.besieging import FIRST_OF_A_SIEGE, Order, happened, open_shop
from tests.faults.stage import Scene, set_stage
from tests.faults.tills import Shop
from tests.faults.wire import Line, request

ROUNDS = 1000
AT_ONCE = 50
RIVALS = 1000
PATIENCE = 60.0
PARKED = "SELECT count(*), sum(times_received) FROM pos_bridge_parkedsale"


def besiege_one_reference(order: Order) -> bool:
    """First the twins, then the rivals; the books are looked at in between."""
    with set_stage(Scene("postgresql", order.seed), order.folder) as stage:
        shop = open_shop(stage, order.seed)
        rounds, rivals = order.part_of(ROUNDS), order.part_of(RIVALS)
        became = asyncio.run(race(shop, rounds))
        conditions, examples = check(stage, shop, network_spoils=False)
        answered = asyncio.run(conflict(shop, rivals))
        own = [*judge_twins(became, rounds), judge_rivals(answered, parked_in(stage.database), rivals)]
        return tell_conditions([*conditions, *own], examples)


async def race(shop: Shop, rounds: int) -> list[Counter[int]]:
    """What was heard in each round; ids are the model's to compare."""
    lines = [Line(shop.port) for _ in range(AT_ONCE)]
    became = []
    for number in shop.model.sell(rounds):
        sale = shop.model.sale(number)
        statuses = await asyncio.gather(*(send(shop, sale, line, place) for place, line in enumerate(lines)))
        became.append(Counter(statuses))
    return became


async def send(shop: Shop, sale: Sale, line: Line, place: int) -> int:
    """Once, by one of the tills of the campground."""
    call, tokens = shop.model.call(), shop.keys.lasting[sale.campground]
    token = tokens[place % len(tokens)]
    sent = request("POST", "transactions/", token=token, request_id=shop.request_id(call), body=sale.body)
    answer = await line.call(sent, patience=PATIENCE)
    shop.model.hear_of_sale(call, sale, answer)
    return answer.status


async def conflict(shop: Shop, rivals: int) -> Counter[int]:
    """Other money under the first reference, the same each time."""
    sale = shop.model.sale(0)
    document = json.loads(sale.body)
    line = {"description": "Other", "quantity": 1, "unit_price": money(sale.total + 100)}
    line["line_total"] = document["total_amount"] = line["unit_price"]
    rival = replace(sale, body=json.dumps({**document, "items": [line]}).encode())
    token = shop.keys.lasting[sale.campground][0]
    lines = [Line(shop.port) for _ in range(min(AT_ONCE, rivals))]
    left = iter(range(rivals))

    async def insist(on: Line) -> Counter[int]:
        heard = Counter[int]()
        for number in left:
            sent = request("POST", "transactions/", token=token, request_id=f"rival-{number}", body=rival.body)
            heard[(await on.call(sent, patience=PATIENCE)).status] += 1
        return heard

    return sum(await asyncio.gather(*map(insist, lines)), Counter())


def parked_in(database: Database) -> tuple[int, int]:
    """How many rows there are, and how often they say that they came."""
    ((rows, times),) = database.rows(PARKED)
    return int(rows), int(times or 0)


def judge_twins(became: Sequence[Counter[int]], rounds: int) -> list[Condition]:
    """One is new, all others are retries."""
    number, wanted = FIRST_OF_A_SIEGE, Counter({201: 1, 200: AT_ONCE - 1})
    wrong = [each for each in became if each != wanted]
    figures = f"{len(wrong)} of {len(became)} otherwise {[dict(each) for each in wrong[:3]] or ''}".strip()
    return [
        happened(number, f"rounds of {AT_ONCE} at once", len(became), at_least=rounds),
        Condition(number + 1, f"one 201 and {AT_ONCE - 1} times 200 in each", not wrong and bool(became), figures),
    ]


def judge_rivals(answered: Counter[int], parked: tuple[int, int], rivals: int) -> Condition:
    """Each is refused, all are one row, which has counted them."""
    holds = answered == Counter({409: rivals}) and parked == (1, rivals)
    figures = f"answered {dict(answered)}, {parked[0]} parked, received {parked[1]} times"
    return Condition(FIRST_OF_A_SIEGE + 2, "a conflict is parked once, however often it comes", holds, figures)
