"""The activity log: one row for every call below the base path, whatever answered it.

A middleware, not a mixin of views: a mixin would miss bodies that do not parse, 401, 405, 413 and crashes.
The row of a stored sale commits with the sale, in its own statement (``riding``); every
other row is written after the view's transaction has ended, so a rollback does not take it along. A log
that fails never fails a sale: the row then goes to the operator's log as one line of JSON.

Source: product page, "Every API call is logged"; wire contract, section 5.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, cast

from django.db import DatabaseError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from psycopg.errors import LockNotAvailable, QueryCanceled

from apikeys.models import ApiKey
from apikeys.tokens import TOKEN, is_well_formed, prefix_of
from catalogue.exact_decimals import number_of
from kasse.sqlite import LOCKED, for_sqlite, on_sqlite
from kasse.statements import change, does_without_connection
from pos_bridge import answered
from pos_bridge.answered import UNDER_WAY
from pos_bridge.floods import count_refusal, hold_up, is_flooded
from pos_bridge.models import InboundCall, Outcome
from pos_bridge.wire import LENGTH
from tenants.addresses import client_address
from tenants.fence import leave

BASE_PATH = "/api/v1/public/pos"
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
COLUMNS = tuple(field.column for field in InboundCall._meta.concrete_fields if not field.primary_key)
INSERT = (
    f"INSERT INTO pos_bridge_inboundcall ({', '.join(COLUMNS)}) VALUES ({', '.join(f'%({name})s' for name in COLUMNS)})"
)
LOGGER = logging.getLogger(__name__)
KEPT = "row kept here: "
"""Before a row in the operator's log; ``kept_calls`` finds it by that."""


@dataclass(slots=True)
class Call:
    """What is known so far of a call under way; views and the error handler add to it."""

    at: datetime
    started: float
    method: str
    path: str
    request_id: str
    remote_address: str
    key_prefix: str = ""
    request_bytes: int = 0
    api_key: ApiKey | None = None
    outcome: Outcome | None = None
    error_code: str = ""
    error_field: str = ""
    external_ref: str = ""
    logged: bool = field(default=False)

    def begin_anew(self) -> None:
        """Forget what was found out about it."""
        self.api_key, self.outcome = None, None
        self.error_code = self.error_field = self.external_ref = ""


class ActivityLogMiddleware:
    """Outermost: begins a ``Call``, and sees that it ends as a row and that the answer names its request id."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        leave()  # should whatever this thread did before have broken off
        call = begin_call(request)
        request.call = UNDER_WAY.call = call  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-Id"] = call.request_id
        # With 304 it would speak of the body that is not sent.
        if response.status_code != 304 and not response.streaming and "Content-Length" not in response:
            response["Content-Length"] = str(len(response.content))
        if is_api_path(request.path_info) and not call.logged:
            log_call(call, status=response.status_code)
        leave()
        if answered.LISTENING is not None:
            answered.LISTENING.append((call, response.status_code, request.resolver_match, time.perf_counter()))
        return response


def is_api_path(path: str) -> bool:
    """Whether a path leads to the tills' API."""
    return path == BASE_PATH or path.startswith(f"{BASE_PATH}/")


def call_of(request: Any) -> Call:
    """The call under way; takes Django's request as well as Django REST framework's."""
    return cast(Call, getattr(request, "_request", request).call)


def begin_call(request: HttpRequest) -> Call:
    """Note what the request itself tells. Texts are escaped and cut to what a row holds."""
    sent_id = request.META.get("HTTP_X_REQUEST_ID", "")
    return Call(
        at=timezone.now(),
        started=time.perf_counter(),
        method=safe_text(request.method or "", 16),
        path=safe_text(request.path, 500),
        request_id=sent_id if may_be_a_request_id(sent_id) else secrets.token_hex(16),
        remote_address=safe_text(client_address(request), 64),
        key_prefix=_prefix_in(request.META.get("HTTP_AUTHORIZATION", "")),
        request_bytes=_length(request),
    )


def may_be_a_request_id(text: str) -> bool:
    """Whether a caller's own id may stand in logs and answers: well-formed, and not a token in the wrong header."""
    return REQUEST_ID.fullmatch(text) is not None and TOKEN.search(text) is None


def safe_text(text: str, limit: int) -> str:
    """Without tokens, with unprintable characters escaped, and no longer than ``limit``."""
    hidden = TOKEN.sub(lambda match: prefix_of(match[0]) + "…", text) if "ck" in text else text
    if hidden.isprintable():
        return hidden[:limit]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in hidden[:limit])
    return shown[:limit]


def log_call(call: Call, *, status: int) -> None:
    """Write the row of a call that has been answered; never raises."""
    try:
        if status >= 500:
            _leave_a_broken_connection()
        if status == 401 or (call.api_key is None and 400 <= status < 500):
            _log_refusal(call, status)
        else:
            write_row(call, status)
    except Exception as error:  # noqa: BLE001 (whatever ails the log, the answer stands; the sale is committed)
        keep_row(call, status, error)


def keep_row(call: Call, status: int, error: Exception) -> None:
    """Where the log does not take a row, the operator's log keeps it, for ``take_kept_calls``."""
    row = json.dumps(_told(call, status), default=str)
    LOGGER.error("Activity log away (%s); %s%s", type(error).__name__, KEPT, row)
    call.logged = True


def may_be_the_log(error: DatabaseError) -> bool:
    """Whether a statement that writes the log among others may have failed for the log alone.

    Not if the connection is gone; nor if it has waited for a lock in vain, and the log is free.
    """
    if str(error) == LOCKED or not connection.is_usable():
        return False
    if isinstance(error.__cause__, QueryCanceled):
        return False  # whatever has taken so long, the till has waited long enough
    if not isinstance(error.__cause__, LockNotAvailable):
        return True
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE pos_bridge_inboundcall IN ROW EXCLUSIVE MODE NOWAIT")
    except DatabaseError:
        return True
    return False


def _leave_a_broken_connection() -> None:
    """Where the connection is what has failed, another one takes the row.

    Raises:
        OperationalError: there was none to be had, and we have waited for it once already.
    """
    if connection.connection is None and not does_without_connection():
        raise OperationalError("No connection")
    if connection.errors_occurred and not connection.in_atomic_block and not connection.is_usable():
        connection.close()


def _log_refusal(call: Call, status: int) -> None:
    """A row each for the first refusals of an address in a minute; the rest are counted."""
    minute = call.at.replace(second=0, microsecond=0)
    if is_flooded(call.remote_address, status, minute):
        count_refusal(call.remote_address, minute, partial(_told, call, status))
        hold_up()
    else:
        write_row(call, status)


def write_row(call: Call, status: int) -> None:
    """The row of a call, by itself."""
    change(INSERT, row_of(call, status))
    call.logged = True


def row_of(call: Call, status: int) -> dict[str, Any]:
    """The row of a call that is answered with ``status``, by column, as the connected database takes it."""
    row = _row(call, status)
    return for_sqlite(row) if on_sqlite() else row


def _told(call: Call, status: int) -> dict[str, Any]:
    """The same, its numbers as they are written for people and models."""
    row = _row(call, status)
    return {**row, "latency_ms": number_of(row["latency_ms"], 2)}


def _row(call: Call, status: int) -> dict[str, Any]:
    return {
        "at": call.at,
        "tenant_id": call.api_key.tenant_id if call.api_key else None,
        "api_key_id": call.api_key.pk if call.api_key else None,
        "key_prefix": call.key_prefix,
        "method": call.method,
        "path": call.path,
        "status": status,
        "latency_ms": round((time.perf_counter() - call.started) * 100_000),
        "request_id": call.request_id,
        "outcome": outcome_of(call, status).value,
        "error_code": call.error_code,
        "error_field": safe_text(call.error_field, 120),
        "external_ref": safe_text(call.external_ref, 255),
        "remote_address": call.remote_address,
        "request_bytes": call.request_bytes,
        "calls": 1,
    }


def outcome_of(call: Call, status: int) -> Outcome:
    """What became of a call that is answered with ``status``."""
    if status >= 500:
        return Outcome.FAILED
    if call.outcome is not None:
        return call.outcome
    if status == 429:
        return Outcome.THROTTLED
    return Outcome.REFUSED if status >= 400 else Outcome.READ


def _prefix_in(authorization: str) -> str:
    """The public start of a token of the right shape; of anything else, nothing is kept."""
    token = authorization.rpartition(" ")[2]
    return prefix_of(token) if is_well_formed(token) else ""


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if LENGTH.fullmatch(length) else 0
