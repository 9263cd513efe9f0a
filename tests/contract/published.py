"""The committed description of the API, and whether a document follows one of its schemas."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from django.http import HttpResponse
from jsonschema import Draft202012Validator

FILE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.yaml"
REFRESH = "python manage.py spectacular --validate --fail-on-warn --file docs/reference/openapi.yaml"
# Headers that say something about this one answer.
TELLING = {"Location", "Idempotent-Replayed", "ETag", "Link", "Retry-After", "WWW-Authenticate"}
# Of a list that fits on one page, of a key that does not end soon, of one that is not for tests: there are none.
SOMETIMES = {"Link", "X-Api-Key-Expires", "X-Test-Key"}

DESCRIPTION: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
COMPONENTS = DESCRIPTION["components"]


@dataclass(frozen=True)
class Described:
    """One method of one path."""

    path: str
    method: str
    operation: dict[str, Any]

    @property
    def name(self) -> str:
        return cast(str, self.operation["operationId"])


DESCRIBED = {
    operation["operationId"]: Described(path, method, operation)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}


def resolved(part: Any) -> Any:
    """A part of the description, or the component it points to."""
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = COMPONENTS[kind][name]
    return part


def faults_in(document: Any, schema: dict[str, Any], components: dict[str, Any] = COMPONENTS) -> list[str]:
    """What in a document does not follow a schema of the description."""
    rooted = {"allOf": [schema], "components": components}
    validator = Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def closed_components() -> dict[str, Any]:
    """The components as of today: a field of an answer that nobody has described is a fault.

    A problem names the fields at fault beside its own; its schema stays open.
    """
    components: dict[str, Any] = copy.deepcopy(COMPONENTS)
    for name, schema in components["schemas"].items():
        if schema.get("properties") and name != "Problem":
            schema["additionalProperties"] = False
    return components


CLOSED = closed_components()


def examples_of(content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each example of a body, by its name."""
    for name, example in content["application/json"]["examples"].items():
        yield name, resolved(example)["value"]


def deviations(name: str, answer: HttpResponse) -> list[str]:
    """Where a real answer to an operation is not what the description says."""
    described = DESCRIBED[name].operation["responses"].get(str(answer.status_code))
    if described is None:
        return [f"{answer.status_code} is not described"]
    return [*_faults_in_headers(answer, described["headers"]), *_faults_in_body(answer, described.get("content"))]


def _faults_in_headers(answer: HttpResponse, headers: dict[str, Any]) -> Iterator[str]:
    for header in TELLING & (set(answer.headers) - set(headers)):
        yield f"{header} is not described"
    for header, pointer in headers.items():
        if header in answer.headers:
            yield from faults_in(answer.headers[header], resolved(pointer)["schema"])
        elif header not in SOMETIMES:
            yield f"{header} is missing"


def _faults_in_body(answer: HttpResponse, content: dict[str, Any] | None) -> list[str]:
    if content is None:
        return ["a body that is not described"] if answer.content else []
    return faults_in(json.loads(answer.content), content["application/json"]["schema"], CLOSED)
