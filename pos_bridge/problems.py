"""Errors: one body that serves Django REST clients, RFC 9457 readers, and the cashier.

Facts raised by the rooms below become answers here, and only here, under one of the published codes (``kinds``).

Source: wire contract, section 4.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from psycopg.errors import IdleInTransactionSessionTimeout as WaitedTooLong
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from apikeys.permissions import AddressNotAllowed, InsufficientScope
from kasse.recording import ExternalRefConflict, SaleForgotten
from pos_bridge.activity import Call, call_of, safe_text
from pos_bridge.answers import json_value
from pos_bridge.cashier import cashier_message
from pos_bridge.discretion import cut_rows_out
from pos_bridge.faults import Fault, Refused, nested
from pos_bridge.kinds import KINDS, RETRYABLE
from pos_bridge.strict_json import Malformed
from pos_bridge.throttling import BudgetUsedUp
from pos_bridge.wire import json_answer

LOGGER = logging.getLogger(__name__)
RETRY_SECONDS_WHEN_AWAY = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer in the making: its code, its faults, facts for programs, and headers."""

    code: str
    faults: Sequence[Fault] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status of the code."""
        return int(KINDS[self.code].status)


def answer_exception(exception: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Django REST framework's exception handler: every exception becomes an answer of ours."""
    return answer_problem(context["request"], problem_of(exception), exception)


def answer_problem(
    request: HttpRequest | Request, problem: Problem, exception: BaseException | None = None
) -> HttpResponse:
    """The answer for what goes wrong in a view of the API, before it or beside it."""
    tell_operator(call_of(request), problem, exception or sys.exception())
    note_problem(call_of(request), problem)
    answer = json_answer(problem_body(problem, request), status=problem.status, headers=dict(problem.headers))
    return _told(answer)


def tell_operator(call: Call, problem: Problem, exception: BaseException | None) -> None:
    """One entry in the operator's log for each fault of ours, under its request id."""
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        cut_rows_out(exception)
        LOGGER.error("Call %s: %s", call.request_id, problem.code, exc_info=exception)


def _told(answer: HttpResponse) -> HttpResponse:
    """Keep Django from telling it again: its line repeats the path, and a path may hold a token."""
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (there is no public switch)
    return answer


def note_problem(call: Call, problem: Problem) -> None:
    """Tell the activity log what was at fault."""
    call.error_code = problem.code
    if problem.faults:
        call.error_code = problem.faults[0].code if problem.code == "parse_error" else problem.code
        call.error_field = problem.faults[0].field or ""


def problem_of(exception: Exception) -> Problem:  # noqa: C901, PLR0911, PLR0912 (a table: one line for each fact)
    """What an exception means to the caller; whatever is not foreseen is a fault of ours."""
    match exception:
        case Refused():
            return _refusal(exception)
        case Malformed():
            return Problem("parse_error", [Fault((), exception.code, exception.reason)])
        case ExternalRefConflict():
            return _conflict(exception)
        case BudgetUsedUp():
            return Problem("throttled", headers={"Retry-After": str(exception.retry_after)})
        case InsufficientScope():
            return Problem("insufficient_scope", facts={"required_scope": exception.required_scope})
        case AddressNotAllowed():
            return Problem("address_not_allowed", facts={"address": safe_text(exception.address, 64)})
        case Http404():
            return Problem("not_found")
        case SaleForgotten():
            return Problem("busy", headers={"Retry-After": "1"})
        case OperationalError(__cause__=PoolTimeout()) if not _pool_could_grow():
            return Problem("busy", headers={"Retry-After": "1"})
        case (
            OperationalError() | InterfaceError() | InternalError(__cause__=ReadOnlySqlTransaction() | WaitedTooLong())
        ):
            return Problem("unavailable", headers={"Retry-After": str(RETRY_SECONDS_WHEN_AWAY)})
        case UnreadablePostError() | SuspiciousOperation() | DjangoPermissionDenied():
            return Problem("bad_request")
        case APIException():
            return _framework_problem(exception)
        case _:
            return Problem("server_error")


def _pool_could_grow() -> bool:
    """Whether a call that got no connection in time has waited for the database, and not for other calls.

    The pool makes new connections for whoever waits, up to its size: one that is below it could not make any.
    """
    pool = getattr(connection, "pool", None)
    sizes = pool.get_stats() if pool else {"pool_size": 0, "pool_max": 0}
    return bool(sizes["pool_size"] < sizes["pool_max"])


def _refusal(refused: Refused) -> Problem:
    """One fault with a code of its own names the whole answer; several are a ``validation_error``."""
    codes = set(refused.codes)
    own = codes.pop() if len(codes) == 1 else ""
    if own not in KINDS:
        return Problem("validation_error", refused.faults)
    return Problem(own, refused.faults, facts=refused.faults[0].facts)


def _conflict(conflict: ExternalRefConflict) -> Problem:
    """Each differing field with both values; ``id`` is that of the stored sale."""
    faults = [
        Fault(
            (each.field,),
            "differs",
            "Not what is stored under this reference.",
            {"stored": json_value(each.stored), "sent": json_value(each.sent)},
        )
        for each in conflict.differences
    ]
    return Problem("external_ref_conflict", faults, facts={"id": str(conflict.stored.id)})


def _framework_problem(exception: APIException) -> Problem:
    codes = exception.get_codes()
    code = codes if isinstance(codes, str) and codes in KINDS else ""
    headers = {}
    if auth_header := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(exception, "wait", None):
        headers["Retry-After"] = str(wait)
    return Problem(code or _code_of_status(exception.status_code), headers=headers)


def _code_of_status(status: int) -> str:
    return next((code for code, kind in KINDS.items() if kind.status == status), "server_error")


def problem_body(problem: Problem, request: HttpRequest | Request) -> dict[str, Any]:
    """The body of an error answer: the fields or ``detail`` first, as Django REST clients read it."""
    kind = KINDS[problem.code]
    in_fields = problem.status == HTTPStatus.BAD_REQUEST and any(fault.path for fault in problem.faults)
    fields = nested(problem.faults) if in_fields else {"detail": problem.code}
    return {
        **fields,
        "type": f"{settings.PUBLIC_URL}/errors/{problem.code}",
        "title": kind.title,
        "status": problem.status,
        "code": problem.code,
        "errors": [_error(fault) for fault in problem.faults],
        "retryable": problem.status in RETRYABLE,
        "request_id": call_of(request).request_id,
        "cashier_message": cashier_message(problem.code, problem.faults, request),
        **problem.facts,
    }


def _error(fault: Fault) -> dict[str, Any]:
    return {"field": fault.field, "code": fault.code, "message": fault.message, **fault.facts}
