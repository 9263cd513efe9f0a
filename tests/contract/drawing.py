"""Data made from the published schemas alone, as a stranger's generator would make it."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

from tests.contract.published import faults_in, resolved

Schema = dict[str, Any]

FEW = 3
"""As many rows as are drawn of a list; the most a list may have is another test's business."""


def documents(schema: Schema) -> st.SearchStrategy[Any]:
    """Documents that follow a schema; only what our description uses is known here."""
    if "$ref" in schema:
        return documents(resolved(schema))
    drawn = _drawn(schema)
    return drawn.filter(lambda value: not faults_in(value, schema)) if "if" in schema else drawn


def _drawn(schema: Schema) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for combined in ("anyOf", "oneOf"):
        if combined in schema:
            return st.one_of([documents(each) for each in schema[combined]])
    if "allOf" in schema:
        (only,) = schema["allOf"]
        return documents(only)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([KINDS[kind](schema) for kind in kinds])


def _texts(schema: Schema) -> st.SearchStrategy[str]:
    """By the pattern; what ECMA-262 writes ``$`` is ``\\Z`` in Python."""
    drawn = st.from_regex(re.sub(r"\$$", r"\\Z", schema["pattern"]))
    if not {"minLength", "maxLength"} & set(schema):
        return drawn
    return drawn.filter(lambda text: schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)))


def _whole_numbers(schema: Schema) -> st.SearchStrategy[int]:
    return st.integers(schema["minimum"], schema["maximum"])


def _rows(schema: Schema) -> st.SearchStrategy[list[Any]]:
    return st.lists(documents(schema["items"]), min_size=schema["minItems"], max_size=FEW)


def _objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        values = documents(schema["additionalProperties"])
        return st.dictionaries(_texts(schema["propertyNames"]), values, max_size=FEW)
    fields = {name: documents(each) for name, each in schema["properties"].items()}
    required = {name: each for name, each in fields.items() if name in schema["required"]}
    return st.fixed_dictionaries(required, optional={name: fields[name] for name in fields.keys() - required.keys()})


KINDS = {
    "string": _texts,
    "integer": _whole_numbers,
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
    "array": _rows,
    "object": _objects,
}
