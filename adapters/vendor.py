"""What a vendor's folder tells the house about itself; ``adapters/<vendor>/vendor.py`` holds one, named ``VENDOR``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from django.http import HttpRequest, HttpResponse
from django_stubs_ext import StrOrPromise

from adapters.models import Connection
from adapters.neutral import NeutralSale, Terms


@dataclass(slots=True)
class Visit:
    """A vendor's call under way at a connection; the deed adds what the connection's log should say of it."""

    request: HttpRequest
    vendor: Vendor
    connection: Connection
    at: datetime
    body: bytes = b""
    outcome: str = ""
    detail: str = ""
    key_prefix: str = ""


MapEvent: TypeAlias = Callable[[Mapping[str, Any], Terms], Sequence[NeutralSale]]
Deed: TypeAlias = Callable[[Visit], HttpResponse]


class CallRefused(Exception):
    """A call that is not let in; ``code`` is a published one of ``pos_bridge.problems``, ``detail`` for the log."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class SecretField:
    """A secret that staff get at the vendor's and enter here."""

    name: str
    label: StrOrPromise
    help_text: StrOrPromise = ""
    hidden: bool = True


def plain_refusal(code: str, words: str) -> Mapping[str, Any]:
    """For vendors that show nothing of it to anybody; the code is for their support and ours."""
    return {"detail": code, "message": words}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor, as the frame knows it.

    ``deeds`` are what is answered below a connection's address, by path and method. ``refusal`` makes the body of an
    error answer out of a problem's code and one sentence for the person at the till. ``pull`` is what the scheduler
    does for a connection: poll, watch over a subscription; called as ``pull(connection, vendor, at=now)``, it says
    whether it was time. ``several_names``: a sale may be known by another name first.
    """

    code: str
    label: str
    what_for: StrOrPromise
    map_event: MapEvent
    refusal: Callable[[str, str], Mapping[str, Any]] = plain_refusal
    deeds: Mapping[str, Mapping[str, Deed]] = field(default_factory=dict)
    address_help: StrOrPromise = ""
    scope_label: StrOrPromise = ""
    scope_help: StrOrPromise = ""
    scope_needed: bool = False
    knows_currency: bool = True
    knows_methods: bool = False
    speaks_at_till: bool = False
    several_names: bool = False
    secrets: Sequence[SecretField] = ()
    pull: Callable[..., bool] | None = None

    @property
    def is_asked(self) -> bool:
        """Whether there is something to fetch; for templates, which would call ``pull``."""
        return self.pull is not None
