"""Who acts, and from where: said once at the edge of a request or a command, and read where a deed is written down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in a browser, or a command; ``user`` is the id of a person who has signed in."""

    name: str
    user: int | None = None
    address: str = ""
    request_id: str = ""


NOBODY = Actor("the service")
_ACTOR: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


def actor() -> Actor:
    """Who acts at this moment."""
    return _ACTOR.get()


@contextmanager
def acting(who: Actor) -> Iterator[None]:
    """Whatever is done within is done by them."""
    token = _ACTOR.set(who)
    try:
        yield
    finally:
        _ACTOR.reset(token)
