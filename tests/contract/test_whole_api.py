"""The whole API against a dictionary: whatever tills and staff do in whatever order, service and model agree.

Two campgrounds use the same references. A machine of more steps, and more of them: ``API_SEQUENCES=2000 API_STEPS=50``.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.models import ParkedSale
from tenants.models import Tenant
from tests.factories import TenantFactory, mint
from tests.till import Body, Till, body_of, croissants_and_coffee

SEQUENCES = int(os.environ.get("API_SEQUENCES", "8"))
STEPS = int(os.environ.get("API_STEPS", "20"))
NUMBERS = count()

WHERE = st.integers(0, 1)
REFERENCES = st.sampled_from(["T-1", "T-2", "T/3", "T 4", "Ü%5"])
RAPPEN = st.sampled_from([0, 5, 350, 1250])
DAYS = st.sampled_from(["2026-04-28", "2026-04-29"])
SALES = st.builds(
    lambda reference, rappen, day: croissants_and_coffee(
        external_ref=reference,
        total_amount=str(Decimal(rappen) / 100),
        items=[{"description": "Kaffee", "quantity": 1, "unit_price": "1", "line_total": str(Decimal(rappen) / 100)}],
        occurred_at=f"{day}T10:00:00+02:00",
    ),
    REFERENCES,
    RAPPEN,
    DAYS,
)
WRONG = st.sampled_from([{"total_amount": "99.99"}, {"payment_method": "GOLD"}, {"items": []}, {"currency": "EUR"}])


def money_of(sale: Body) -> tuple[Decimal, str]:
    """What makes two deliveries under one reference the same sale here."""
    return Decimal(sale["total_amount"]), sale["occurred_at"][:10]


@dataclass
class Place:
    """A campground as the model knows it: sales by reference with the id they got, refused ones, the keys."""

    tenant: Tenant
    key: Minted
    sales: dict[str, tuple[Body, str]] = field(default_factory=dict)
    parked: set[tuple[str, tuple[Decimal, str]]] = field(default_factory=set)
    revoked: list[Minted] = field(default_factory=list)

    @property
    def till(self) -> Till:
        return Till(self.key.token)

    def expected(self, sale: Body) -> str:
        """What is to become of a sale in order."""
        stored = self.sales.get(sale["external_ref"])
        if stored is None:
            return "created"
        return "replayed" if money_of(stored[0]) == money_of(sale) else "conflict"

    def learn(self, sale: Body, outcome: str, answer: Body) -> None:
        """Note what has become of it."""
        reference = sale["external_ref"]
        if outcome == "created":
            assert answer["id"] not in {id_ for _, id_ in self.sales.values()}
            self.sales[reference] = (sale, answer["id"])
        elif outcome == "replayed":
            assert answer["id"] == self.sales[reference][1]
        else:
            self.parked.add((reference, money_of(sale)))


STATUS = {"created": 201, "replayed": 200, "conflict": 409}


class Season(RuleBasedStateMachine):
    """Tills of two campgrounds, and staff who mint and revoke."""

    def __init__(self) -> None:
        super().__init__()
        cache.clear()
        number = next(NUMBERS)
        tenants = [TenantFactory.create(slug=f"{name}-{number}") for name in ("seeblick", "waldrand")]
        self.places = [Place(tenant, mint(tenant)) for tenant in tenants]

    @rule(where=WHERE, sale=SALES)
    def a_till_posts(self, where: int, sale: Body) -> None:
        place = self.places[where]
        outcome = place.expected(sale)
        answer = place.till.post(sale)
        assert answer.status_code == STATUS[outcome], answer.content
        place.learn(sale, outcome, body_of(answer))

    @rule(where=WHERE, sale=SALES)
    def a_till_asks_what_would_happen(self, where: int, sale: Body) -> None:
        answer = self.places[where].till.call("POST", "/transactions/?dry_run=1", body=json.dumps(sale).encode())
        assert answer.status_code == 200
        assert body_of(answer)["result"] == self.places[where].expected(sale)

    @rule(where=WHERE, sale=SALES, wrong=WRONG)
    def a_till_posts_nonsense(self, where: int, sale: Body, wrong: dict[str, Any]) -> None:
        assert self.places[where].till.post({**sale, **wrong}).status_code == 400

    @rule(where=WHERE, sales=st.lists(SALES, min_size=1, max_size=4))
    def an_outbox_is_drained(self, where: int, sales: list[Body]) -> None:
        place = self.places[where]
        answer = place.till.call("POST", "/transactions/batch/", body=json.dumps({"transactions": sales}).encode())
        assert answer.status_code == 200, answer.content
        for sale, result in zip(sales, body_of(answer)["results"], strict=True):
            outcome = place.expected(sale)
            assert result["result"] == outcome
            place.learn(sale, outcome, result["body"])

    @rule(where=WHERE, reference=REFERENCES)
    def a_till_reads_back(self, where: int, reference: str) -> None:
        place = self.places[where]
        answer = place.till.read_back(reference)
        known = place.sales.get(reference)
        assert answer.status_code == (200 if known else 404)
        if known:
            read = body_of(answer)
            assert (read["id"], Decimal(read["total_amount"])) == (known[1], money_of(known[0])[0])

    @rule(where=WHERE, day=DAYS)
    def a_till_reads_its_evening(self, where: int, day: str) -> None:
        place = self.places[where]
        of_day = [sale for sale, _ in place.sales.values() if money_of(sale)[1] == day]
        listed = body_of(place.till.get(f"/transactions/?business_date={day}"))
        summed = body_of(place.till.get(f"/transactions/summary/?business_date={day}"))
        assert {each["external_ref"] for each in listed["results"]} == {sale["external_ref"] for sale in of_day}
        assert summed["count"] == listed["count"] == len(of_day)
        assert Decimal(summed["total_amount"]) == sum((money_of(sale)[0] for sale in of_day), Decimal(0))

    @rule(where=WHERE)
    def staff_revoke_and_mint(self, where: int) -> None:
        place = self.places[where]
        place.key.key.revoke(at=timezone.now())
        place.revoked.append(place.key)
        place.key = mint(place.tenant)

    @rule(where=WHERE, sale=SALES)
    def a_revoked_key_opens_nothing(self, where: int, sale: Body) -> None:
        for minted in self.places[where].revoked[-1:]:
            assert Till(minted.token).post(sale).status_code == 401
            assert Till(minted.token).read_back(sale["external_ref"]).status_code == 401

    @invariant()
    def the_books_are_the_models(self) -> None:
        for place in self.places:
            stored = {str(sale.pk): sale.external_ref for sale in Transaction.objects.of(place.tenant)}
            assert stored == {id_: reference for reference, (_, id_) in place.sales.items()}
            assert ParkedSale.objects.of(place.tenant).count() == len(place.parked)


@pytest.mark.timeout(max(600, SEQUENCES * STEPS))
class TestAnyOrderOfDeeds:
    def test_leaves_the_service_and_the_model_agreed(self, transactional_db: None) -> None:
        run_state_machine_as_test(
            Season,
            settings=settings(
                max_examples=SEQUENCES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
