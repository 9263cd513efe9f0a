"""What Lightspeed Restaurant (K-Series) asks of a property management system: charge, and search.

The key comes in the body of a charge and in the query of a search, not in a header. It is an API key of the
campground's with ``pos:write``, checked as every other, and cut out of whatever is kept or logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from adapters.connections import note_heard, require_switched_on
from adapters.payloads import read_body, text_of
from adapters.receiving import receive
from adapters.vendor import CallRefused, Visit
from apikeys.models import Scope
from apikeys.tokens import is_well_formed, prefix_of
from apikeys.verification import InvalidKey, KeyInactive, TooManyUnproven, verify_token
from pos_bridge.wire import json_answer
from tenants.addresses import proven_address

NO_GUESTS: Mapping[str, Any] = {"success": True, "errorMessage": None, "reservations": []}


def charge(visit: Visit) -> HttpResponse:
    """A closed account. 200 once it is kept, whatever becomes of it: the till would not send it again."""
    document = read_body(visit.body)
    _require_key(visit, document.get("apiKey"))
    require_switched_on(visit.connection)
    delivery = visit.request.headers.get("X-Lightspeed-Idempotency-Key", "")
    receive(visit, kind="charge", delivery=delivery, text=text_of(document))
    return json_answer({"success": True})


def search(visit: Visit) -> HttpResponse:
    """Guests to charge a room to: this bridge knows of revenue, not of guests."""
    _require_key(visit, visit.request.GET.get("apiKey"))
    require_switched_on(visit.connection)
    note_heard(visit.connection, at=visit.at)
    visit.outcome = "read"
    return json_answer(NO_GUESTS)


def refusal(_code: str, words: str) -> Mapping[str, Any]:
    """The one shape whose text the till prints; at most 50 characters."""
    return {"customerErrorMessage": words}


def _require_key(visit: Visit, token: object) -> None:
    """See that the token is that of an active key of the campground's with ``pos:write``.

    Raises:
        CallRefused: it is not.
    """
    text = token if isinstance(token, str) else ""
    address = proven_address(visit.request)
    if is_well_formed(text):
        visit.key_prefix = prefix_of(text)
    try:
        key = verify_token(text, named_tenant=visit.connection.tenant.slug, at=visit.at, address=address)
    except InvalidKey:
        raise CallRefused("invalid_key") from None
    except KeyInactive:
        raise CallRefused("key_inactive") from None
    except TooManyUnproven:
        raise CallRefused("busy") from None
    if not key.may_be_used_from(address):
        raise CallRefused("address_not_allowed")
    if Scope.POS_WRITE not in key.scopes:
        raise CallRefused("insufficient_scope", Scope.POS_WRITE)
