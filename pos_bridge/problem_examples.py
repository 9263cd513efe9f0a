"""One example of each problem, made by the code that refuses tills: no sentence stands here twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, QueryDict
from django.utils import translation
from rest_framework import serializers
from rest_framework.exceptions import MethodNotAllowed, NotAcceptable, UnsupportedMediaType

from apikeys.authentication import Busy, InvalidKeyAnswer, KeyInactiveAnswer
from apikeys.models import ApiKey, Scope
from apikeys.permissions import AddressNotAllowed, HttpsRequired, InsufficientScope
from pos_bridge.activity import Call
from pos_bridge.contract import check_sale
from pos_bridge.examples import FIVE_FIELDS, NOW, PUBLIC_URL, SALE_ID, Body, as_sent, example_terms
from pos_bridge.faults import Fault, Refused
from pos_bridge.gaps_api import GapsQuery
from pos_bridge.problems import Problem, problem_body, problem_of
from pos_bridge.queries import ProductQuery, TransactionQuery, read_query
from pos_bridge.reconciling_api import SummaryQuery
from pos_bridge.splitting import MOST_SALES, split_batch
from pos_bridge.strict_json import Malformed, read_json
from pos_bridge.telling import MOST_ROWS, read_day
from pos_bridge.throttling import BudgetUsedUp
from pos_bridge.till_view import BridgeDisabled
from pos_bridge.wire import PayloadTooLarge

REQUEST_ID = "4f9d2c1be07a48d3a6c5f18e92b7d035"

CROISSANTS = FIVE_FIELDS["items"][0]

REFUSED_SALES: dict[str, Body] = {
    "validation_error": {**FIVE_FIELDS, "payment_method": "GOLD", "items": [CROISSANTS, {**CROISSANTS, "quantity": 0}]},
    "total_mismatch": {**FIVE_FIELDS, "total_amount": "13.50"},
    "payments_mismatch": {**FIVE_FIELDS, "payments": [{"method": "CASH", "amount": "20.00"}]},
    "tip_mismatch": {
        **FIVE_FIELDS,
        "tip_amount": "2.00",
        "payments": [{"method": "CASH", "amount": "12.50", "tip_amount": "1.50"}],
    },
    "occurred_at_in_future": {**FIVE_FIELDS, "occurred_at": "2062-04-29T08:14:32Z"},
    "currency_mismatch": {**FIVE_FIELDS, "currency": "EUR"},
}
UNREADABLE = b'{"total_amount": "12.50", "total_amount": "21.50"}'
FAULTY_QUERIES = {
    "unknown_parameter": "buisness_date=2026-04-29",
    "validation_error.transactions": "business_date=29.04.2026",
    "validation_error.products": "include_inactive=yes",
    "unknown_parameter.summary": "business_date=2026-04-29&mien=true",
    "validation_error.summary": "business_date=29.04.2026",
    "validation_error.gaps": "since=2026-04-29",
}
QUERIES: dict[str, type[serializers.Serializer[Any]]] = {
    "products": ProductQuery,
    "summary": SummaryQuery,
    "gaps": GapsQuery,
}
TOLD: Body = {"external_ref": "seeblick-2026-04-29-T-1", "total_amount": "12.50"}
FAULTY_BATCHES: dict[str, Body] = {
    "validation_error.batch": {"transactions": []},
    "too_many.batch": {"transactions": [FIVE_FIELDS] * (MOST_SALES + 1)},
}
FAULTY_DAYS: dict[str, Body] = {
    "validation_error.day": {"business_date": "2026-04-29", "transactions": [TOLD, TOLD]},
    "too_many.day": {"business_date": "2026-04-29", "transactions": [TOLD] * (MOST_ROWS + 1)},
}
OTHER_SALE: Body = {**FIVE_FIELDS, "total_amount": "14.00", "rounding_amount": "1.50"}


def problem_examples() -> dict[str, Body]:
    """Bodies by the name of the example: the code, and after a dot what sets two of one code apart."""
    with translation.override("en"):
        return {name: _body(problem) for name, problem in _problems().items()}


def _problems() -> dict[str, Problem]:
    refused = {code: _refused(document) for code, document in REFUSED_SALES.items()}
    asked = {name: _refused_query(name, QueryDict(query)) for name, query in FAULTY_QUERIES.items()}
    asked |= {name: _raised_by(partial(split_batch, as_bytes(sent))) for name, sent in FAULTY_BATCHES.items()}
    asked |= {name: _raised_by(partial(read_day, as_sent(sent))) for name, sent in FAULTY_DAYS.items()}
    exceptions = (
        refused
        | asked
        | {
            "parse_error": _raised_by(lambda: read_json(UNREADABLE)),
            "invalid_key": InvalidKeyAnswer(),
            "key_inactive": KeyInactiveAnswer(ApiKey()),
            "insufficient_scope.read": InsufficientScope((Scope.POS_READ,)),
            "insufficient_scope.write": InsufficientScope((Scope.POS_WRITE,)),
            "https_required": HttpsRequired(),
            "address_not_allowed": AddressNotAllowed("203.0.113.9"),
            "pos_bridge_disabled": BridgeDisabled(),
            "not_found": Http404(),
            "method_not_allowed": MethodNotAllowed("DELETE"),
            "not_acceptable": NotAcceptable(),
            "payload_too_large": PayloadTooLarge(),
            "unsupported_media_type": UnsupportedMediaType("text/xml"),
            "throttled": BudgetUsedUp(1800),
            "busy": Busy(),
            "unavailable": OperationalError(),
            "server_error": RuntimeError(),
        }
    )
    return {name: problem_of(exception) for name, exception in exceptions.items()} | {
        "bad_request": Problem("bad_request"),
        "external_ref_conflict": _conflict(),
    }


def _refused(document: Body) -> Exception:
    return _raised_by(lambda: check_sale(as_sent(document), example_terms()))


def as_bytes(document: Body) -> bytes:
    """A body as it is sent."""
    return json.dumps(document).encode()


def _refused_query(name: str, query: QueryDict) -> Exception:
    asked = QUERIES.get(name.partition(".")[2], TransactionQuery)
    return _raised_by(lambda: read_query(query, asked, paged=asked is not SummaryQuery))


def _raised_by(deed: Callable[[], Any]) -> Exception:
    try:
        deed()
    except (Refused, Malformed) as refusal:
        return refusal
    raise AssertionError("An example of a refusal was taken.")


def _conflict() -> Problem:
    """``OTHER_SALE`` after ``FIVE_FIELDS``."""
    stored_and_sent = {
        "total_amount": ("12.50", "14.00"),
        "rounding_amount": ("0.00", "1.50"),
        "payments": tuple(
            [{"method": "CASH", "amount": amount, "tip_amount": "0.00"}] for amount in ("12.50", "14.00")
        ),
    }
    faults = [
        Fault((name,), "differs", "Not what is stored under this reference.", {"stored": stored, "sent": sent})
        for name, (stored, sent) in stored_and_sent.items()
    ]
    return Problem("external_ref_conflict", faults, {"id": str(SALE_ID)})


def _body(problem: Problem) -> Body:
    request = HttpRequest()
    request.call = Call(NOW, 0, "POST", "/", REQUEST_ID, "")  # type: ignore[attr-defined]
    return {**problem_body(problem, request), "type": f"{PUBLIC_URL}/errors/{problem.code}"}
