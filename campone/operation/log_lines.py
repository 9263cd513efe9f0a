"""The operator's log: one line of JSON for each record, or of text for people. No line ever holds a token.

A record made while a call is answered names the call: ``request_id``, ``method``, ``path``. What stands in ``extra``
is left out, for Django puts the whole request there.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from apikeys.tokens import TOKEN, prefix_of
from pos_bridge.answered import UNDER_WAY


class JSONLine(JsonFormatter):
    """One line of JSON, whatever was said; a traceback is one of its fields."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data |= {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        log_data |= getattr(record, "told", None) or call_under_way()
        if "exc_info" in message_dict:
            log_data["traceback"] = message_dict["exc_info"]

    def format(self, record: logging.LogRecord) -> str:
        return without_tokens(super().format(record))


class TextLine(logging.Formatter):
    """A line for people; a traceback follows on lines of its own."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the standard library's name)
        said = super().formatMessage(record)
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in said)

    def format(self, record: logging.LogRecord) -> str:
        return without_tokens(super().format(record))


def without_tokens(line: str) -> str:
    """A line in which every token is cut to its public prefix."""
    return TOKEN.sub(lambda match: prefix_of(match[0]) + "…", line) if "ck" in line else line


def call_under_way() -> dict[str, Any]:
    """What names the call that this thread answers; nothing in a thread that answers none."""
    call = getattr(UNDER_WAY, "call", None)
    return {"request_id": call.request_id, "method": call.method, "path": call.path} if call else {}
