"""One request, repeated with the same bytes until its answer is understood."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import TypeVar

from campone.till import answers
from campone.till.stopping import BudgetUsedUp, KeyRefused, NobodyAnswers, TillStopped
from campone.till.wire import Answer, Loss, LostAnswer, NoAnswer, Wire

Meaning = TypeVar("Meaning")

KEY_REFUSED = {401, 403}
TOO_MANY = 429
LONGEST_RETRY_AFTER = 30
PATIENCE_SECONDS = 120.0


class Refused(Exception):
    """A final no to one request; the message is its status, code and first fault."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, byte for byte, on every try; the path counts from the API's base."""

    method: str
    path: str
    body: bytes | None = None


@dataclass(slots=True)
class Asking:
    """How one conversation is led, and what it has cost so far.

    ``loss`` is the share of answers thrown away, ``patience`` the seconds one request may take in all,
    ``stop`` ends every wait of the whole run.
    """

    rng: Random
    stop: Event = field(default_factory=Event)
    loss: float = 0.0
    patience: float = PATIENCE_SECONDS
    sends: int = 0
    lost: int = 0


def ask(wire: Wire, request: Request, *, understand: Callable[[Answer], Meaning | None], asking: Asking) -> Meaning:
    """Send until ``understand`` makes something of the answer.

    Raises:
        Refused: a final refusal, that is any answer which the same bytes cannot change.
        KeyRefused, BudgetUsedUp, NobodyAnswers: the whole run has to end.

    """
    deadline = time.monotonic() + asking.patience
    for attempt in itertools.count():
        wait = answers.wait_before(attempt, rng=asking.rng)
        try:
            answer = _send(wire, request, asking)
        except NoAnswer as error:
            last_word = str(error)
        else:
            if (meaning := understand(answer)) is not None:
                return meaning
            _give_up_on_a_final(answer)
            last_word = answers.in_words(answer)
            wait += answers.retry_after(answer)
        if time.monotonic() + wait > deadline:
            raise NobodyAnswers(f"No usable answer for {asking.patience:g} s, last: {last_word}")
        if asking.stop.wait(wait):
            raise TillStopped("Stopped.")
    raise AssertionError("count() never ends")


def _send(wire: Wire, request: Request, asking: Asking) -> Answer:
    asking.sends += 1
    try:
        return wire.call(request.method, request.path, request.body, loss=_loss(asking))
    except LostAnswer:
        asking.lost += 1
        raise


def _loss(asking: Asking) -> Loss:
    if asking.rng.random() >= asking.loss:
        return Loss.NONE
    return asking.rng.choice((Loss.UNREAD, Loss.UNNOTED))


def _give_up_on_a_final(answer: Answer) -> None:
    if answer.status in KEY_REFUSED:
        raise KeyRefused(f"The server refuses the key: {answers.in_words(answer)}")
    if answer.status == TOO_MANY and answers.retry_after(answer) > LONGEST_RETRY_AFTER:
        raise BudgetUsedUp(
            f"The key's budget of calls is used up; the server asks to wait {answers.retry_after(answer)} s."
            " Use a key without a budget: manage.py mint_key … --budget none"
        )
    if not answers.worth_repeating(answer):
        raise Refused(answers.in_words(answer))
