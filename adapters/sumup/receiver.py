"""SumUp's messages about checkouts and readers: nobody signs them, so each is a hint to ask, and nothing more."""

from __future__ import annotations

from django.http import HttpResponse

from adapters.connections import require_switched_on
from adapters.pulling import take_hint
from adapters.vendor import Visit
from pos_bridge.wire import json_answer


def hint(visit: Visit) -> HttpResponse:
    """Something may have happened: ask soon. What the message says is not even read."""
    require_switched_on(visit.connection)
    visit.outcome = "hinted" if take_hint(visit.connection, at=visit.at) else "not_needed"
    return json_answer({})
