"""Rows of the activity log that the operator's log has kept while the table took none, into the table after all.

Each is a line that ends in its row as JSON (``activity.keep_row()``), plain or as one field of a line that is JSON as a
whole. Taking one twice does nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pos_bridge.activity import KEPT, keep_row
from pos_bridge.models import InboundCall

SAYS_IT = keep_row.__module__
SAID = re.compile(r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) (?P<logger>\S+): (?P<message>.*)")
"""A plain line, behind whatever a collector has put before it."""
ALONE = re.compile(r"Activity log away \(\w+\); ")


@dataclass(frozen=True, slots=True)
class Taken:
    """How many rows were new, and how many were there before."""

    new: int
    known: int


def take_kept_calls(lines: Iterable[str]) -> Taken:
    """Store the rows in these lines of the operator's log, each once."""
    stored = [_store(row) for row in kept_rows(lines)]
    return Taken(new=sum(stored), known=len(stored) - sum(stored))


def kept_rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows in them; a line that a crash has cut off holds none."""
    for line in lines:
        row = _kept_in(line)
        try:
            found = json.loads(row)
        except ValueError:
            continue
        yield {**found, "at": datetime.fromisoformat(found["at"]), "latency_ms": Decimal(found["latency_ms"])}


def _kept_in(line: str) -> str:
    """The row in a line that the activity log itself has said; others may repeat what a stranger has sent."""
    logger, message = _said_in(line)
    beginning, _, row = message.partition(KEPT)
    return row if logger == SAYS_IT and ALONE.fullmatch(beginning) else ""


def _said_in(line: str) -> tuple[str, str]:
    """Who has said what."""
    if not line.startswith("{"):
        said = SAID.search(line)
        return (said["logger"], said["message"]) if said else ("", "")
    try:
        found = json.loads(line)
    except ValueError:
        return "", ""
    return str(found.get("logger", "")), str(found.get("message", ""))


def _store(row: dict[str, Any]) -> bool:
    same = {name: row[name] for name in ("at", "request_id", "status", "outcome")}
    if InboundCall.objects.filter(**same).exists():
        return False
    InboundCall.objects.create(**row)
    return True
