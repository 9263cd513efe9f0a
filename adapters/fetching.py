"""Asking a vendor's service: one call, its JSON, and what may go wrong as one of a few troubles.

Errors::

    Trouble    why there is no answer to work with; its code has words for staff, and decides when to try again
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from pos_bridge.strict_json import Literal
from tenants.outgoing import Answer, CallFailed, Outgoing

PATIENCE_SECONDS = 15.0
LONGEST_WAIT = 24 * 3600


class Trouble(Exception):
    """What keeps a vendor from answering; ``wait`` is what it has asked for, ``status`` what it said."""

    def __init__(self, code: str, *, wait: timedelta | None = None, status: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.wait = wait
        self.status = status


def fetch(
    line: Outgoing,
    method: str,
    url: str,
    *,
    token: str = "",
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    document: Mapping[str, Any] | None = None,
) -> Any:
    """The JSON of an answer, numbers as the texts they were sent as; None where it has no body.

    Raises:
        Trouble: no answer, or one that is no use.
    """
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    content = None
    if form is not None:
        content, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
    elif document is not None:
        content, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
    try:
        answer = line.call(method, url, content=content, headers=headers, query=query)
    except CallFailed:
        raise Trouble("unreachable") from None
    _refuse_useless(answer)
    return _document(answer)


def objects_in(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list of an answer.

    Raises:
        Trouble: it is no list.
    """
    if not isinstance(value, list):
        raise Trouble("not_understood")
    return [each for each in value if isinstance(each, Mapping)]


def _refuse_useless(answer: Answer) -> None:
    if answer.status == 401:
        raise Trouble("secret_refused")
    if answer.status == 403:
        raise Trouble("right_missing")
    if answer.status == 429:
        raise Trouble("throttled", wait=_wait(answer))
    if answer.status >= 500 or answer.status == 408:
        raise Trouble("unreachable", wait=_wait(answer))
    if not 200 <= answer.status < 300:
        raise Trouble("not_understood", status=answer.status)


def _wait(answer: Answer) -> timedelta | None:
    """What ``Retry-After`` asks for, in seconds; a day at most."""
    asked = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(asked), LONGEST_WAIT)) if asked.isascii() and asked.isdigit() else None


def _document(answer: Answer) -> Any:
    if not answer.body.strip():
        return None
    try:
        return json.loads(answer.body.decode("utf-8"), parse_float=Literal, parse_int=Literal)
    except (ValueError, RecursionError):
        raise Trouble("not_understood") from None
