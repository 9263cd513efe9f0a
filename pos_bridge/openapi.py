"""The description of the API in OpenAPI 3.1, by drf-spectacular, without a word in the views.

``operations`` says what each call asks and answers, ``request_shapes`` and ``answer_shapes`` in which form,
``examples`` and ``problem_examples`` show it. The extensions below register themselves with drf-spectacular when
this module is imported, at the start of the service.
"""

# mypy: untyped-calls-exclude=drf_spectacular

from __future__ import annotations

from typing import Any, TypeAlias

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiViewExtension
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.views import APIView

from pos_bridge.activity import BASE_PATH
from pos_bridge.answer_shapes import HEADERS, SCHEMAS
from pos_bridge.api import NothingHere
from pos_bridge.kinds import KINDS
from pos_bridge.many_shapes import MANY_SCHEMAS
from pos_bridge.operations import OPERATIONS, Answer, Operation, code_of
from pos_bridge.problem_examples import problem_examples
from pos_bridge.request_shapes import Schema, ref

Endpoints: TypeAlias = list[tuple[str, str, str, Any]]

ABOUT = """An external till posts each finished sale to its campground, once, and reads back what has arrived.

Every path works with and without its final slash. Bodies are JSON in UTF-8, no larger than 256 KiB unless more is \
allowed below. Amounts are in the campground's currency, VAT included. Instants are RFC 3339; answers are in UTC.

A request that follows these schemas is well-formed; what they cannot say is told at `SaleRequest`. Within version 1, \
paths, optional fields, fields of answers, error codes and values of codes may be added at any time: a till ignores \
what it does not know."""

# By status: more than the problems' own words say.
PROBLEM_HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",), 429: ("Retry-After",), 503: ("Retry-After",)}
PROBLEM_WORDS = {
    400: "Refused, and nothing was stored; `errors` names every fault.",
    401: "No key of ours, or one that is no longer good.",
    403: "The key is good, but not for this.",
    404: "There is no such thing at this campground.",
    405: "Another method on this path.",
    406: "Something else than JSON was asked for.",
    409: "The reference belongs to another sale. Parked for staff; do not repeat it.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "The key's budget for the rolling hour is used up.",
    500: "A fault of ours. Send the same again later.",
    503: "Not now. Send the same again after `Retry-After` seconds.",
}

PARAMETERS: dict[str, Schema] = {
    "X-Lose-Answer": {
        "name": "X-Lose-Answer",
        "in": "header",
        "description": "With a test key: take what is sent, and close the connection without an answer.",
        "schema": {"type": "string", "enum": ["1"]},
    },
    "Accept-Language": {
        "name": "Accept-Language",
        "in": "header",
        "description": "The language of `cashier_message`: de, fr, it or en; German otherwise.",
        "schema": {"type": "string", "examples": ["fr-CH"]},
    },
    "X-Request-Id": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "The caller's own name for this call, for the activity log and the answer.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"},
    },
    "If-None-Match": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of the last answer to the same address.",
        "schema": {"type": "string", "examples": [HEADERS["ETag"]["example"]]},
    },
}


class BearerKey(OpenApiAuthenticationExtension):
    """``Authorization: Bearer ck_…``."""

    target_class = "pos_bridge.admission.TillAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> Schema:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "ck_ and 32 letters and digits; ckt_ begins a test key",
            "description": "A key of the campground, minted by its staff and shown once. It decides whose sales are "
            "written and read, and by its scopes, `pos:read` and `pos:write`, what the till may do.",
        }


class TillViewInWords(OpenApiViewExtension):
    """A view of the API with what ``OPERATIONS`` says of it."""

    target_class = "pos_bridge.till_view.TillView"
    match_subclasses = True

    def view_replacement(self) -> type[APIView]:
        described = type(self.target.__name__, (self.target,), {})
        methods = {each.method: _decorator(each) for each in OPERATIONS if each.view is self.target}
        return extend_schema_view(**methods)(described)


def _decorator(operation: Operation) -> Any:
    return extend_schema(
        operation_id=operation.name,
        summary=operation.summary,
        description=f"{operation.words}\n\n{_scope_in_words(operation)}",
        parameters=[*([operation.query] if operation.query else ()), *operation.parameters],
        request=operation.request,
        responses={},  # see describe_answers()
    )


def _scope_in_words(operation: Operation) -> str:
    scopes = operation.view.required_scopes[operation.method.upper()]
    return "Needs the scope " + " or ".join(f"`{scope}`" for scope in scopes) + "."


def keep_canonical_paths(endpoints: Endpoints, **_: Any) -> Endpoints:
    """Only the tills' API, and not the net that catches every other path. The paths come with their final slash."""
    return [each for each in endpoints if each[0].startswith(BASE_PATH) and each[3].cls is not NothingHere]


def describe_answers(result: Schema, **_: Any) -> Schema:
    """Add to drf-spectacular's paths, parameters and requests what the service answers, with an example of each."""
    named = {each.name: each for each in OPERATIONS}
    for methods in result["paths"].values():
        for operation in methods.values():
            _complete(operation, named[operation["operationId"]])
    components = result["components"]
    components["schemas"] |= SCHEMAS | MANY_SCHEMAS
    return {
        **result,
        "info": {**result["info"], "description": ABOUT},
        "components": {
            **components,
            "examples": {name: _problem_example(name, body) for name, body in problem_examples().items()},
            "headers": HEADERS,
            "parameters": PARAMETERS,
        },
    }


def _complete(described: Schema, operation: Operation) -> None:
    losing = ("X-Lose-Answer",) if operation.request else ()
    headers = ("Accept-Language", "X-Request-Id", *losing, *operation.headers)
    described.setdefault("parameters", []).extend(ref("parameters", name) for name in headers)
    if operation.request:
        content = described["requestBody"]["content"]["application/json"]
        shown = operation.sent()
        content["examples"] = {name: {"summary": title, "value": body} for name, (title, body) in shown.items()}
    answers = {status: _answer(each) for status, each in operation.answers.items()}
    problems = {status: _problem(status, names) for status, names in operation.problems_by_status.items()}
    described["responses"] = {str(status): each for status, each in (answers | problems).items()}


def _answer(answer: Answer) -> Schema:
    described: Schema = {"description": answer.words, "headers": _headers(*answer.headers)}
    if not answer.schema:
        return described
    shown = {name: {"summary": _in_words(name), "value": body} for name, body in answer.examples().items()}
    return {**described, "content": _json(answer.schema, shown)}


def _in_words(name: str) -> str:
    """``five_fields`` as people read it."""
    return name.replace("_", " ").capitalize()


def _problem(status: int, names: list[str]) -> Schema:
    return {
        "description": PROBLEM_WORDS[status],
        "headers": _headers(*PROBLEM_HEADERS.get(status, ())),
        "content": _json("Problem", {code_of(name): ref("examples", name) for name in names}),
    }


def _problem_example(name: str, body: Schema) -> Schema:
    kind = KINDS[code_of(name)]
    return {"summary": kind.title, "description": kind.advice, "value": body}


def _headers(*names: str) -> Schema:
    return {name: ref("headers", name) for name in (*names, "X-Api-Key-Expires", "X-Test-Key", "X-Request-Id")}


def _json(schema: str, shown: Schema) -> Schema:
    return {"application/json": {"schema": ref("schemas", schema), "examples": shown}}
