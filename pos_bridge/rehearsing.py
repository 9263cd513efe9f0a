"""Answers to test keys: marked as such, and lost on purpose where that is wanted.

To lose an answer is to break the connection after everything is committed. What the till sees is what it sees when the
network fails, and only a till that sends the same sale again comes through.
"""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from django.db import Error
from django.http import HttpResponse
from rest_framework.request import Request

from apikeys.models import ApiKey
from pos_bridge.activity import Call
from pos_bridge.losing_models import Losing, LosingAnswers
from pos_bridge.models import ANSWER_LOST, InboundCall

LOSE_THIS = "HTTP_X_LOSE_ANSWER"
AFTER_A_LOSS = ((Losing.ONCE, Losing.NEVER), (Losing.THIS, Losing.OTHER))


def rehearsed(request: Request, answer: HttpResponse, call: Call) -> HttpResponse:
    """The answer to a test key's call, which has been counted and logged; lost, if it says that something was taken."""
    answer["X-Test-Key"] = "true"
    key = cast(ApiKey, call.api_key)  # it is what has brought us here
    if request.method == "POST" and answer.status_code < 300:
        with suppress(Error):  # an answer that cannot be lost is given
            if request.META.get(LOSE_THIS) == "1" or takes_turn(key):
                _lose(answer, call, key)
    return answer


def takes_turn(key: ApiKey) -> bool:
    """Whether the switch of a test key takes this answer; a turn is taken by one call alone."""
    switch = LosingAnswers.objects.of(key.tenant).filter(api_key=key)
    if any(switch.filter(mode=now).update(mode=then) for now, then in AFTER_A_LOSS):
        return True
    switch.filter(mode=Losing.OTHER).update(mode=Losing.THIS)
    return False


def _lose(answer: HttpResponse, call: Call, key: ApiKey) -> None:
    call.error_code = ANSWER_LOST  # should its row not be written yet
    rows = InboundCall.objects.filter(tenant=key.tenant, at=call.at, request_id=call.request_id)
    rows.update(error_code=ANSWER_LOST)
    # Chunks as well as a length: the server does not send what nobody could read, and hangs up.
    answer["Transfer-Encoding"] = "chunked"
