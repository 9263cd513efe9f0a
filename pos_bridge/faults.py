"""What is wrong with an input, field by field, and the two shapes in which it is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]

WHOLE = "non_field_errors"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where (``("items", 1, "quantity")``; empty where no field is at fault), its stable code, a
    sentence, and facts for programs, such as ``expected`` and ``actual``.
    """

    path: Path
    code: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def field(self) -> str | None:
        """The path as written in answers: ``items[1].quantity``."""
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return text.removeprefix(".") or None


class Refused(Exception):
    """An input with at least one fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = tuple(faults)

    @property
    def codes(self) -> frozenset[str]:
        """The codes of all its faults."""
        return frozenset(fault.code for fault in self.faults)


def faults_in(detail: Any, path: Path = ()) -> Iterator[Fault]:
    """The faults in the nested errors of a Django REST framework serializer."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from faults_in(inner, path if name == WHOLE else (*path, name))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from faults_in(inner, (*path, index) if isinstance(inner, Mapping) else path)
    else:
        yield Fault(path, detail.code, str(detail))


def nested(faults: Sequence[Fault]) -> dict[str, Any]:
    """The faults as Django REST framework nests them: ``{"items": [{}, {"quantity": ["…"]}]}``."""
    tree: dict[str | int, Any] = {}
    for fault in faults:
        node = tree
        for step in fault.path:
            node = node.setdefault(step, {})
        node.setdefault(WHOLE, []).append(fault.message)
    return _fields(tree)


def _fields(node: dict[str | int, Any]) -> dict[str, Any]:
    return {str(name): inner if name == WHOLE else _branch(inner) for name, inner in node.items()}


def _branch(node: dict[str | int, Any], *, row: bool = False) -> Any:
    """A field with messages alone is a list of them; rows of a list are padded with ``{}``."""
    if set(node) == {WHOLE} and not row:
        return node[WHOLE]
    rows = [step for step in node if isinstance(step, int)]
    if rows:
        return [_branch(node[index], row=True) if index in node else {} for index in range(max(rows) + 1)]
    return _fields(node)
