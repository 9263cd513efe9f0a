"""What the tills know: which sales were sold, what was answered to each call, what is acknowledged.

It stands outside of everything that is struck. A sale is *acknowledged* when an answer of 200 or 201 has come whole,
as JSON, with the sale's own reference and amount. Silence, a cut answer and a 5xx say nothing; the till sends again.

Small on purpose: a million sales take about thirty megabytes, whatever happens to them.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.faults.sales import Sale, money, sale_numbered

NOTHING, DROPPED_BY_A_GRACEFUL_SERVER = 0, 1
"""What stands in place of a status: no answer; none from a server that had promised to answer."""
MOST_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; the names of its headers in small letters."""

    status: int
    headers: dict[str, str]
    content: bytes


@dataclass(slots=True)
class Findings:
    """What must not be, counted by kind, with a few examples of each."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, kind: str, example: object) -> None:
        """One more."""
        self.counts[kind] += 1
        if self.counts[kind] <= MOST_EXAMPLES:
            self.examples.append(f"{kind}: {example}")


class Model:
    """Everything is by number: a sale's, and a call's."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.sold = 0
        self.acknowledged = 0
        self.is_acknowledged = bytearray()
        self.times_created = bytearray()
        self.ids = bytearray()
        self.statuses = array("H")
        self.failures: Counter[int] = Counter()
        self.findings = Findings()

    def sell(self, count: int) -> range:
        """The numbers of so many new sales."""
        first, self.sold = self.sold, self.sold + count
        self.is_acknowledged.extend(bytes(count))
        self.times_created.extend(bytes(count))
        self.ids.extend(bytes(16 * count))
        return range(first, self.sold)

    def sale(self, number: int) -> Sale:
        """A sale by its number."""
        return sale_numbered(number, seed=self.seed)

    def call(self) -> int:
        """The number of a new call, of which nothing has been heard."""
        self.statuses.append(NOTHING)
        return len(self.statuses) - 1

    def hear(self, call: int, answer: Answer) -> None:
        """Any call was answered."""
        self.statuses[call] = answer.status
        if answer.status >= 500:
            self.failures[answer.status] += 1
            if answer.status != 503 or not answer.headers.get("retry-after", "").isdecimal():
                self.findings.add("5xx that is no 503 with Retry-After", answer)

    def hear_of_sale(self, call: int, sale: Sale, answer: Answer) -> bool:
        """A posted sale was answered; whether that acknowledges it."""
        if answer.status not in (200, 201):
            self.hear(call, answer)
            if answer.status < 500:
                self.findings.add("a refusal of a sale that is in order", answer)
            return False
        document = read_document(answer.content)
        if document is None:
            return False
        self.hear(call, answer)
        if document.get("external_ref") != sale.reference or document.get("total_amount") != money(sale.total):
            self.findings.add("an answer that is of another sale", f"{sale.reference}: {answer.content[:200]!r}")
            return False
        self._acknowledge(sale, UUID(document["id"]), created=answer.status == 201)
        return True

    def _acknowledge(self, sale: Sale, record: UUID, *, created: bool) -> None:
        place = slice(16 * sale.number, 16 * sale.number + 16)
        if not self.is_acknowledged[sale.number]:
            self.ids[place] = record.bytes  # first: a copy that is looked into meanwhile must find it
            self.is_acknowledged[sale.number] = 1
            self.acknowledged += 1
        elif self.ids[place] != record.bytes:
            self.findings.add("two ids for one sale", sale.reference)
        if created:
            self.times_created[sale.number] = min(self.times_created[sale.number] + 1, 255)
            if self.times_created[sale.number] > 1:
                self.findings.add("two answers of 201 for one sale", sale.reference)

    def id_of(self, number: int) -> UUID:
        """Under which id a sale was acknowledged."""
        return UUID(bytes=bytes(self.ids[16 * number : 16 * number + 16]))


def read_document(content: bytes) -> dict[str, Any] | None:
    """An answer's JSON object; None for anything else, such as half of one."""
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
