"""A backup that was restored, against what the tills know; and what they hear when they send everything again."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.books import Condition, Ledger, expected_sums, wrong_groups
from tests.faults.model import Model


@dataclass(frozen=True, slots=True)
class Moment:
    """When a backup was made. ``acknowledged`` has a byte for each sale, of the moment before it began; ``sold`` is how
    many had been given to tills when it had ended.
    """

    acknowledged: bytes
    sold: int


def check_snapshot(ledger: Ledger, model: Model, moment: Moment) -> list[Condition]:
    """What is in it, and what is not."""
    missing = sum(known and not ledger.times_stored[n] for n, known in enumerate(moment.acknowledged))
    later = sum(map(bool, ledger.times_stored[moment.sold :]))
    found = ledger.findings.counts
    stored = (number for number, times in enumerate(ledger.times_stored) if times)
    wrong = wrong_groups(ledger.sums, expected_sums(model, stored))
    ids = found["stored under another id than was answered"]
    return [
        Condition(
            13,
            "everything acknowledged before the backup began is in it, once",
            not missing and not found["doubled"],
            f"{ledger.stored} in it, {sum(map(bool, moment.acknowledged))} acknowledged before; {missing} missing,"
            f" {found['doubled']} doubled",
        ),
        Condition(
            14,
            "nothing is in it that was not sold by its end",
            not found["phantom"] and not later,
            f"{found['phantom']} phantoms, {later} of later",
        ),
        Condition(15, "sums of what is in it are those of the same sales", not wrong, f"{len(wrong)} groups wrong"),
        Condition(
            16,
            "no half sale in it, each under its own id",
            not (ledger.torn or ids),
            f"{ledger.torn} half, {ids} other ids",
        ),
    ]


def check_digests(told: str, expected: str) -> Condition:
    """What ``restore`` has told, and the same of the same sales where the backup was made."""
    same = bool(told) and sorted(told.splitlines()) == sorted(expected.splitlines())
    counts = ", ".join(" ".join(line.split()[1:]) for line in told.splitlines() if line.split()[1:2] != ["0"])
    return Condition(17, "its digests are those of the same sales where it was made", same, counts or "none")


def check_sent_again(kept: bytearray, model: Model, again: Model) -> Condition:
    """Older than the backup: 200, under the id that was answered at first. Newer: 201, once."""
    older = [number for number, times in enumerate(kept) if times]
    newer = [number for number, times in enumerate(kept) if not times]
    doubted = sum(bool(again.times_created[n]) or again.id_of(n) != model.id_of(n) for n in older)
    missed = sum(again.times_created[n] != 1 for n in newer)
    return Condition(
        18,
        "sent again, older sales are 200 with their id, newer ones 201 once",
        not doubted and not missed and bool(older) and bool(newer),
        f"{len(older)} older and {len(newer)} newer sent again, {doubted + missed} answered otherwise",
    )
