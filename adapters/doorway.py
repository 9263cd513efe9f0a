"""The way in for vendors: whose address it is, what may be done there, and every answer in the vendor's own shape.

    find the vendor → find the connection → deed and method → body, bounded → the vendor's deed → its log

Whatever goes wrong on the way is answered in the shape the vendor shows at its till, on every 4xx and 5xx. The log of
the connection is written after the answer is made, and never spoils it. A stranger without a connection's address
leaves no trace.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from adapters.connections import connection_at
from adapters.logbook import write_call
from adapters.vendor import CallRefused, Deed, Vendor, Visit
from adapters.vendors import VENDORS
from apikeys.permissions import require_https
from pos_bridge.activity import call_of
from pos_bridge.cashier import LANGUAGES, language_of, sentence
from pos_bridge.discretion import cut_rows_out
from pos_bridge.problems import Problem, problem_of, tell_operator
from pos_bridge.wire import json_answer, read_body
from tenants.access import slug_named_by
from tenants.fence import within

LOGGER = logging.getLogger(__name__)


@csrf_exempt
def answer_vendor(request: HttpRequest, vendor: str = "", token: str = "", path: str = "") -> HttpResponse:
    """Answer a vendor's call, whatever it is."""
    known = VENDORS.get(vendor)
    try:
        visit, deed = _let_in(request, known, token, path)
    except Exception as error:  # noqa: BLE001 (every answer is in the vendor's shape)
        return _refuse(request, known, None, error)
    started = time.perf_counter()
    with within(visit.connection.tenant):
        try:
            answer = _act(visit, deed)
        except Exception as error:  # noqa: BLE001 (the same)
            answer = _refuse(request, known, visit, error)
        _log(visit, path, answer.status_code, started)
    return answer


def _let_in(request: HttpRequest, vendor: Vendor | None, token: str, path: str) -> tuple[Visit, Mapping[str, Deed]]:
    """The visit, and the deeds of its path by method.

    Raises:
        CallRefused: there is nothing here, or not for the campground that the host names.
    """
    slug = slug_named_by(request.get_host())
    connection = connection_at(vendor.code, token) if vendor else None
    if vendor is None or connection is None or slug not in {None, connection.tenant.slug}:
        raise CallRefused("not_found")
    deeds = vendor.deeds.get(path)
    if deeds is None:
        raise CallRefused("not_found")
    return Visit(request=request, vendor=vendor, connection=connection, at=timezone.now()), deeds


def _act(visit: Visit, deeds: Mapping[str, Deed]) -> HttpResponse:
    require_https(visit.request)
    deed = deeds.get(str(visit.request.method))
    if deed is None:
        raise CallRefused("method_not_allowed", ", ".join(deeds))
    if not read_body(visit.request):
        raise CallRefused("payload_too_large")
    visit.body = visit.request.body
    return deed(visit)


def _refuse(request: HttpRequest, vendor: Vendor | None, visit: Visit | None, error: Exception) -> HttpResponse:
    """The answer to what was raised; what is our fault is told to the operator, without the address."""
    problem = Problem(error.code) if isinstance(error, CallRefused) else problem_of(error)
    tell_operator(call_of(request), problem, error)
    if visit is not None:
        visit.outcome = problem.code
        visit.detail = error.detail if isinstance(error, CallRefused) else type(error).__name__
    words = sentence(problem.code, (), LANGUAGES.index(_language(request, visit)))
    body = vendor.refusal(problem.code, words) if vendor else {"detail": problem.code}
    answer = json_answer(body, status=problem.status, headers=dict(problem.headers))
    if isinstance(error, CallRefused) and error.code == "method_not_allowed":
        answer["Allow"] = error.detail
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (Django's line would repeat the path)
    return answer


def _language(request: HttpRequest, visit: Visit | None) -> str:
    """That of the caller, if it says so; else that of the till."""
    if visit is None or "Accept-Language" in request.headers:
        return language_of(request)
    return visit.connection.language


def _log(visit: Visit, path: str, status: int, started: float) -> None:
    try:
        write_call(
            visit.connection,
            at=visit.at,
            deed=path or "message",
            outcome=visit.outcome,
            status=status,
            detail=visit.detail,
            latency_ms=round((time.perf_counter() - started) * 1000),
            remote_address=call_of(visit.request).remote_address,
            key_prefix=visit.key_prefix,
        )
    except Exception as error:
        cut_rows_out(error)
        LOGGER.exception("The log of connection %s is away.", visit.connection.pk)
