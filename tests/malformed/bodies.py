"""Sales misspelt and damaged, at every door that takes a body; what is taken nonetheless reads back as stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from tests.contract.misspelling import MUTATIONS, WRONG, damaged
from tests.contract.spelling import Object, Speller, tree_of
from tests.faults.sales import sale_numbered
from tests.faults.wire import request
from tests.malformed.hearing import Caller, Heard
from tests.malformed.verdict import Verdict

DOORS = ("transactions/", "transactions", "transactions/?dry_run=1", "transactions/batch/", "reconciliations/")
TAKEN = frozenset({200, 201})


def body_for(door: str, number: int, chance: Random) -> bytes:
    """A body in order for a door, before anything happens to it."""
    sale = json.loads(sale_numbered(number, seed=chance.randrange(10**6)).body)
    sale["external_ref"] = f"M-{chance.randrange(10**12)}"
    for name, value in chance.sample(sorted(EXTRAS.items()), chance.randrange(4)):
        sale[name] = value
    document = {
        "transactions/batch/": {"transactions": [sale] * chance.choice([0, 1, 2, 3])},
        "reconciliations/": {"business_date": "2026-04-29", "transactions": [_told(sale)] * chance.choice([0, 1, 2])},
    }.get(door, sale)
    tree = tree_of(document)
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        chance.choice(MUTATIONS)(tree, chance)
    if chance.random() < 0.02:  # nothing of a sale is left
        tree = chance.choice([*WRONG, [], Object([]), [tree] * 3])
    body = Speller(chance).body(tree)
    return damaged(body, chance) if chance.random() < 0.4 else body


EXTRAS = {
    "currency": "CHF",
    "rounding_amount": "0.00",
    "tip_amount": "1.00",
    "refund_of": "T-1",
    "sent_at": "2026-04-29T08:14:32Z",
    "metadata": {"table": 7, "waiter": "Ursin"},
    "till_id": "bar-1",
    "receipt_seq": 1041,
}


def _told(sale: dict[str, object]) -> dict[str, object]:
    return {"external_ref": sale["external_ref"], "total_amount": sale["total_amount"]}


def post_misspelt(
    caller: Caller, verdict: Verdict, *, token: str, seed: int, numbers: range, tell: Callable[[str], None]
) -> None:
    """One case for each number; ``tell`` hears of the progress."""
    for number in numbers:
        case = f"bodies:{number}"
        chance = Random(f"{seed}/{case}")
        door = chance.choice(DOORS)
        sent = request("POST", door, token=token, request_id=f"m-{seed}-{number}", body=body_for(door, number, chance))
        heard = caller.ask(sent)
        verdict.hear(case, heard)
        if heard.status in TAKEN and door in DOORS[:2]:
            _read_back(caller, verdict, case, token, heard)
        if number % 5000 == 4999:
            tell(f"{number + 1} bodies")


def _read_back(caller: Caller, verdict: Verdict, case: str, token: str, taken: Heard) -> None:
    stored = json.loads(taken.body)
    path = f"transactions/{quote(stored['external_ref'], safe='')}/"
    heard = caller.ask(request("GET", path, token=token, request_id="m-read-back"), method="GET")
    found = json.loads(heard.body) if heard.status == 200 else {}
    stored.pop("warnings", None)
    found.pop("warnings", None)
    if found != stored:
        verdict.blame(case, f"taken, and read back as {heard.status} {heard.body[:200]!r}")
