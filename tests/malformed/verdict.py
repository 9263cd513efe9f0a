"""What every answer must be, whatever was asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.malformed.hearing import Heard

SLOW_SECONDS = 3.0
OUR_FAULT = range(500, 600)
MAY_BE_SAID = frozenset({501, 505})
"""Of an unknown transfer coding, or version of the protocol."""
FEW = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that got what it must not; ``case`` plays it again."""

    case: str
    what: str


@dataclass(slots=True)
class Verdict:
    """What was heard so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    slow: int = 0

    def hear(self, case: str, heard: Heard, *, must_answer: bool = True) -> None:
        """Judge an answer; only where the call was no HTTP at all may the server just hang up."""
        self.statuses[heard.status] += 1
        self.slow += heard.seconds > SLOW_SECONDS
        self.findings.extend(Finding(case, what) for what in wrongs_of(heard, must_answer=must_answer))

    def blame(self, case: str, what: str) -> None:
        """Something else is wrong about a case."""
        self.findings.append(Finding(case, what))

    def lines(self) -> Iterable[str]:
        """For whoever reads along."""
        yield ", ".join(f"{status or 'no answer'}: {number}" for status, number in sorted(self.statuses.items()))
        if self.slow:
            yield f"slower than {SLOW_SECONDS:.0f} s: {self.slow}"
        yield from (f"WRONG {each.case}: {each.what}" for each in self.findings[:FEW])
        if len(self.findings) > FEW:
            yield f"… and {len(self.findings) - FEW} more"


def wrongs_of(heard: Heard, *, must_answer: bool) -> list[str]:
    """What is wrong with an answer, whatever the question was."""
    if not heard.status:
        return ["no answer"] if must_answer else []
    if heard.status in OUR_FAULT and heard.status not in MAY_BE_SAID:
        return [f"{heard.status}: {heard.body[:200]!r}"]
    if not heard.body or heard.status in MAY_BE_SAID:
        return []
    kind = heard.headers.get("content-type", "")
    if kind.startswith("application/json"):
        try:
            json.loads(heard.body)
        except ValueError:
            return [f"{heard.status} is no JSON: {heard.body[:200]!r}"]
        return []
    # What is no HTTP is refused by the server's own parser, before there is a path.
    return [f"{heard.status} is {kind or 'of no kind'}: {heard.body[:200]!r}"] if must_answer else []
