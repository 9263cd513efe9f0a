"""What an answer means to a till: acknowledged, ask once more, or a final refusal. Pure rules."""

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from campone.till.wire import Answer

OK, CREATED, REDIRECT, SERVER_FAULT = 200, 201, 300, 500
ASK_AGAIN = {408, 425, 429}
FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0


def json_object(answer: Answer) -> dict[str, Any] | None:
    """The body, if it is a whole JSON object; numbers are read as exact decimals."""
    try:
        content = json.loads(answer.body, parse_float=Decimal)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The proof that a sale is stored: under which id, and whether this very request created it."""

    transaction_id: str
    created: bool


def acknowledged(answer: Answer, *, external_ref: str) -> Acknowledgement | None:
    """The acknowledgement, if this answer proves that *this* sale is stored.

    Only a 2xx whose JSON body carries the till's own reference proves it. A status alone does not: an
    answer that was cut off in its headers reads as 201 with an empty body.
    """
    if not OK <= answer.status < REDIRECT:
        return None
    content = json_object(answer) or {}
    if content.get("external_ref") != external_ref or not content.get("id"):
        return None
    return Acknowledgement(str(content["id"]), created=answer.status == CREATED)


def worth_repeating(answer: Answer) -> bool:
    """Whether the same bytes may succeed later: 408, 425, 429, any 5xx, and a 2xx that proves nothing."""
    return answer.status in ASK_AGAIN or answer.status >= SERVER_FAULT or OK <= answer.status < REDIRECT


def retry_after(answer: Answer) -> int:
    """The whole seconds the server asks a till to wait; 0 when it says nothing readable."""
    text = answer.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def wait_before(attempt: int, *, rng: Random) -> float:
    """Seconds before the next try, full jitter: anything from 0 up to a bound that doubles to 1 s.

    A till in a shop begins with 0.5 s and goes up to 60 s; a simulation is in more of a hurry.
    """
    return rng.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt, 16)))


def in_words(answer: Answer) -> str:
    """Status, stable code and first fault of a refusal, in one short line."""
    content = json_object(answer) or {}
    code = content.get("code") or content.get("detail") or ""
    faults = content.get("errors") or [""]
    return " ".join(f"{answer.status} {code} {faults[0]}".split())[:200]
