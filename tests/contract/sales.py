"""Sales to send, each under a reference of its own, and what a refusal says about them."""

from __future__ import annotations

from itertools import count
from typing import Any, TypeAlias

from django.http import HttpResponse
from hypothesis import HealthCheck, settings

from kasse.models import Transaction
from tests.till import Body, body_of, croissants_and_coffee

Fault: TypeAlias = tuple[str | None, str]

_numbers = count(1)

# The campground of a test stays the same while a property is tried; every example brings its own reference.
on_one_campground = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def new_reference() -> str:
    """A reference that no other sale of this run has; all are of one length."""
    return f"seeblick-T-{next(_numbers):06}"


def gas_bottle(**changes: Any) -> Body:
    """A line of CHF 68.00; ``changes`` replace or add fields, ``...`` takes one away."""
    line = {"description": "Gasflasche 5 kg", "quantity": 1, "unit_price": "68.00", "line_total": "68.00", **changes}
    return {name: value for name, value in line.items() if value is not ...}


def sale_of(amount: Any, **changes: Any) -> Body:
    """A sale in cash with one line, both of ``amount``."""
    return new_sale(total_amount=amount, items=[gas_bottle(line_total=amount)], **changes)


def new_sale(**changes: Any) -> Body:
    """Croissants and coffee for CHF 12.50 in cash."""
    return croissants_and_coffee(**{"external_ref": new_reference(), **changes})


def faults_of(answer: HttpResponse) -> set[Fault]:
    """Field and code of everything that a 400 finds at fault."""
    assert answer.status_code == 400, answer.content
    return {(fault["field"], fault["code"]) for fault in body_of(answer)["errors"]}


def warnings_of(answer: HttpResponse) -> set[Fault]:
    """Field and code of everything that an accepted sale is warned about."""
    assert answer.status_code in {200, 201}, answer.content
    return {(warning["field"], warning["code"]) for warning in body_of(answer).get("warnings", [])}


def nothing_is_stored() -> bool:
    """Whether the ledger is empty."""
    return not Transaction.objects.exists()
