"""What an answer means: acknowledged, later, never, or nothing at all. Pure rules, no wire, no clock.

*Acknowledged* is a sale only by a 2xx whose JSON carries the till's own reference. A status alone proves
nothing: a portal answers 200 to everything, and an answer cut off in its headers may read as a 201. A refusal
counts as one only in the bridge's own JSON, or a proxy's error page would set sales aside.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from till_client.errors import (
    Answered,
    Conflict,
    KeyRefused,
    NotOffered,
    SaleRefused,
    TillClientError,
    TryLater,
    Unproven,
)
from till_client.wire import Answer

OK, CREATED, REDIRECT, NOT_MODIFIED, CONFLICT, SERVER_FAULT = 200, 201, 300, 304, 409, 500
KEY = frozenset({401, 403})
LATER = frozenset({408, 425, 429})
ABSENT = frozenset({404, 405})
ABOUT_THE_SALE = frozenset({400, 409, 413, 422})
LONGEST_RETRY_AFTER = 3600.0
LONGEST_REASON = 300


class Result(StrEnum):
    """What became of one sale of a batch."""

    CREATED = "created"
    REPLAYED = "replayed"
    CONFLICT = "conflict"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The bridge's word that it has a sale; ``created`` is false when it had it already.

    ``transaction`` is the stored sale as it was answered. ``warnings`` says what the till should know.
    """

    external_ref: str
    transaction_id: str
    created: bool
    transaction: dict[str, Any] = field(repr=False)

    @property
    def business_date(self) -> str:
        """The day it counts for, as ``2026-04-29``; the campground's cut-off hour decides."""
        return str(self.transaction.get("business_date") or "")

    @property
    def warnings(self) -> list[dict[str, Any]]:
        """Fields that were ignored, rounding that was booked, texts that differed on a retry."""
        said = self.transaction.get("warnings")
        return said if isinstance(said, list) else []


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One sale of a batch; a receipt if it is stored, a reason if it is not."""

    external_ref: str
    result: Result
    receipt: Receipt | None = None
    reason: str = ""


def json_object(answer: Answer) -> dict[str, Any] | None:
    """The body, if it is a whole JSON object."""
    try:
        content = json.loads(answer.body.decode())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def object_from(answer: Answer) -> dict[str, Any]:
    """The JSON object of a 2xx.

    Raises:
        TillClientError: whatever else it is; see `error_from`.

    """
    content = json_object(answer)
    if not OK <= answer.status < REDIRECT or content is None:
        raise error_from(answer)
    return content


def receipt_from(answer: Answer, *, external_ref: str) -> Receipt:
    """The proof that this very sale is stored.

    Raises:
        TillClientError: the answer proves nothing of the kind; see `error_from`.

    """
    receipt = _receipt(object_from(answer), external_ref=external_ref, created=answer.status == CREATED)
    if receipt is None:
        raise Unproven(f"{answer.status} without the sale's own reference")
    return receipt


def _receipt(content: Mapping[str, Any], *, external_ref: str, created: bool) -> Receipt | None:
    if content.get("external_ref") != external_ref or not content.get("id"):
        return None
    return Receipt(external_ref, str(content["id"]), created=created, transaction=dict(content))


def results_from(answer: Answer, *, references: Sequence[str]) -> dict[str, ItemResult]:
    """What became of each sale of a batch, by reference; of what is not named, nothing is known.

    Raises:
        TillClientError: it is no answer to a batch; see `error_from`.

    """
    listed = object_from(answer).get("results")
    if not isinstance(listed, list):
        raise Unproven(f"{answer.status} without results")
    items = list(_objects(listed))
    found = {str(item["external_ref"]): _item_result(item) for item in items if item.get("external_ref")}
    if len(items) == len(references):  # a sale that could not be read has no name, but its place
        nameless = [
            (name, item) for name, item in zip(references, items, strict=True) if item.get("external_ref") is None
        ]
        found |= {name: _item_result(item | {"external_ref": name}) for name, item in nameless}
    unknown = "the answer to the batch does not name it"
    return {name: found.get(name) or ItemResult(name, Result.UNKNOWN, reason=unknown) for name in references}


def _objects(listed: Iterable[Any]) -> Iterable[dict[str, Any]]:
    return (each for each in listed if isinstance(each, dict))


def _item_result(item: Mapping[str, Any]) -> ItemResult:
    """A refusal goes by its status and ``retryable``, since the list of results may grow."""
    reference, result, body = str(item["external_ref"]), item.get("result"), item.get("body")
    status = item["status"] if isinstance(item.get("status"), int) else 0
    content = body if isinstance(body, dict) else {}
    if result in {Result.CREATED, Result.REPLAYED}:
        receipt = _receipt(content, external_ref=reference, created=result == Result.CREATED)
        if receipt:
            return ItemResult(reference, Result(result), receipt)
    reason = in_words(status, content)
    if status in ABOUT_THE_SALE and content.get("retryable") is False:
        return ItemResult(reference, Result.CONFLICT if status == CONFLICT else Result.INVALID, reason=reason)
    return ItemResult(reference, Result.UNKNOWN, reason=reason)


def error_from(answer: Answer) -> TillClientError:
    """Which error an answer is that was not asked for."""
    status, content = answer.status, json_object(answer) or {}
    code = next((word for word in (content.get("code"), content.get("detail")) if isinstance(word, str)), "")
    kind = _kind_of(status, is_ours=bool(code))
    words = in_words(status, content)
    if kind is None:
        return Unproven(f"{status}, and not in the bridge's own words")
    error = kind(words, status=status, code=code, problem=content)
    if isinstance(error, TryLater):
        error.retry_after = retry_after(answer)
    return error


def _kind_of(status: int, *, is_ours: bool) -> type[Answered] | None:
    """None for what only looks like the bridge."""
    if status in LATER or status >= SERVER_FAULT:
        return TryLater
    if status in ABSENT:
        return NotOffered
    if not is_ours:
        return None
    if status in KEY:
        return KeyRefused
    if status == CONFLICT:
        return Conflict
    return SaleRefused if status in ABOUT_THE_SALE else None


def retry_after(answer: Answer) -> float:
    """The seconds that the bridge asks for, an hour at most; 0 when it says nothing readable.

    Given as a date it is counted from the answer's own ``Date``, so that no clock of the till matters.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
        since = parsedate_to_datetime(answer.headers.get("date", ""))
        return min(max((_aware(until) - _aware(since)).total_seconds(), 0.0), LONGEST_RETRY_AFTER)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def in_words(status: int, content: Mapping[str, Any]) -> str:
    """Status, stable code, and the first fault of each field, in one short line without control characters."""
    code = content.get("code") or content.get("detail") or ""
    listed = content.get("errors")
    faults = [_fault(each) for each in _objects(listed if isinstance(listed, list) else [])]
    said = " ".join(f"{status} {code if isinstance(code, str) else ''} {'; '.join(faults)}".split())
    return "".join(character for character in said if character.isprintable())[:LONGEST_REASON]


def _fault(fault: Mapping[str, Any]) -> str:
    return f"{fault.get('field') or ''} {fault.get('message') or fault.get('code') or ''}"
