"""Errors: one body that serves Django REST clients, RFC 9457 readers, and the cashier.

``KINDS`` is the list of all published codes; a code never changes its meaning. Facts raised by the rooms
below become answers here, and only here.

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
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from apikeys.permissions import InsufficientScope
from kasse.recording import ExternalRefConflict
from pos_bridge.activity import Call, call_of
from pos_bridge.answers import json_value
from pos_bridge.cashier import cashier_message
from pos_bridge.discretion import cut_rows_out
from pos_bridge.faults import Fault, Refused, nested
from pos_bridge.strict_json import Malformed
from pos_bridge.throttling import BudgetUsedUp
from pos_bridge.wire import json_answer

LOGGER = logging.getLogger(__name__)
RETRYABLE = frozenset({408, 429, 500, 501, 502, 503, 504})
RETRY_SECONDS_WHEN_AWAY = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A published code: its status, its title, and what a till maker should do."""

    status: HTTPStatus
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "validation_error": Kind(
        HTTPStatus.BAD_REQUEST,
        "The transaction was refused.",
        "Mend the fields named in `errors` and send again, under the same reference.",
    ),
    "total_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "The lines do not add up to the total.",
        "Σ `line_total` + `rounding_amount` must be `total_amount`, to the Rappen; see `difference`.",
    ),
    "payments_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "The payments do not add up to the total.",
        "Send amounts net of change; their sum must be `total_amount`.",
    ),
    "tip_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "The tips of the payments are not the tip.",
        "Leave `tip_amount` out, or send the sum of the payments' tips.",
    ),
    "occurred_at_in_future": Kind(
        HTTPStatus.BAD_REQUEST,
        "The sale lies in the future.",
        "Set the till's clock; `server_time` is ours.",
    ),
    "currency_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "This campground counts in another currency.",
        "Leave `currency` out, or send the campground's.",
    ),
    "unknown_parameter": Kind(
        HTTPStatus.BAD_REQUEST,
        "A query parameter is unknown.",
        "Check its spelling: a filter that were ignored would fake a reconciliation.",
    ),
    "parse_error": Kind(
        HTTPStatus.BAD_REQUEST,
        "The body could not be read.",
        "Send one JSON object in UTF-8; `errors` says what is wrong with this one.",
    ),
    "too_many": Kind(
        HTTPStatus.BAD_REQUEST,
        "The list is longer than one call may bring.",
        "Send it in several calls; `most` says how many rows fit into one.",
    ),
    "bad_request": Kind(HTTPStatus.BAD_REQUEST, "The request is malformed.", "Check the host name and the headers."),
    "invalid_key": Kind(
        HTTPStatus.UNAUTHORIZED,
        "No valid API key.",
        "Check the token and the host name; if the token is lost, have a new key minted.",
    ),
    "key_inactive": Kind(
        HTTPStatus.UNAUTHORIZED,
        "This API key is revoked or has expired.",
        "Ask the campground's staff for a new key.",
    ),
    "insufficient_scope": Kind(
        HTTPStatus.FORBIDDEN,
        "This API key may not do that.",
        "Use a key that holds `required_scope`.",
    ),
    "pos_bridge_disabled": Kind(
        HTTPStatus.FORBIDDEN,
        "The campground has switched the bridge off.",
        "Keep the sales; send them when staff have switched it on again.",
    ),
    "not_found": Kind(HTTPStatus.NOT_FOUND, "There is no such thing.", "Check the path and the reference."),
    "method_not_allowed": Kind(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This path does not take that method.",
        "The `Allow` header names those it takes.",
    ),
    "not_acceptable": Kind(
        HTTPStatus.NOT_ACCEPTABLE, "Answers are JSON.", "Accept `application/json`, or leave the header out."
    ),
    "external_ref_conflict": Kind(
        HTTPStatus.CONFLICT,
        "This reference belongs to another sale.",
        "Do not repeat it: the stored sale stays, yours is parked for staff to decide. "
        "A receipt counter that began again is the usual cause.",
    ),
    "payload_too_large": Kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is too large.",
        "A sale has at most 256 KiB, a batch or a reconciliation 2 MiB; send less at once.",
    ),
    "unsupported_media_type": Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Bodies are JSON in UTF-8.",
        "Send `Content-Type: application/json`, without a content coding.",
    ),
    "throttled": Kind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The key's budget for this hour is used up.",
        "Wait `Retry-After` seconds; calls made meanwhile count too.",
    ),
    "server_error": Kind(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.", "Send again later, the same bytes."
    ),
    "busy": Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once.", "Send again after `Retry-After` seconds."),
    "unavailable": Kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database is away.",
        "Send again after `Retry-After` seconds, the same bytes.",
    ),
}


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


def problem_of(exception: Exception) -> Problem:  # noqa: C901, PLR0911 (a table: one line for each fact)
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
        case Http404():
            return Problem("not_found")
        case OperationalError(__cause__=PoolTimeout()):
            return Problem("busy", headers={"Retry-After": "1"})
        case OperationalError() | InterfaceError() | InternalError(__cause__=ReadOnlySqlTransaction()):
            return Problem("unavailable", headers={"Retry-After": str(RETRY_SECONDS_WHEN_AWAY)})
        case UnreadablePostError() | SuspiciousOperation() | DjangoPermissionDenied():
            return Problem("bad_request")
        case APIException():
            return _framework_problem(exception)
        case _:
            return Problem("server_error")


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
