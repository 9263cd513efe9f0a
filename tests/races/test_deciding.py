"""People and a till at one parked sale at the same moment: one decision, one sale, and everything counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client

from kasse.models import Transaction
from pos_bridge.deciding import AlreadyDecided, decide
from pos_bridge.models import Decision, ParkedDecision, ParkedSale
from tenants.models import Role, Tenant, User
from tests.factories import NOON, member
from tests.races.racing import race
from tests.till import Till, croissants_and_coffee

pytestmark = pytest.mark.django_db(transaction=True)

REFERENCE = "seeblick-2026-04-29-T-1"
BY_CARD = croissants_and_coffee(payment_method="CARD")
ROUNDS = 6


@pytest.fixture
def people(seeblick: Tenant, waldrand: Tenant) -> list[User]:
    """Four admins of Seeblick."""
    return [member(seeblick, Role.TENANT_ADMIN) for _ in range(4)]


def park(till: Till, reference: str) -> ParkedSale:
    """A card sale under the reference of a cash sale."""
    till.post(croissants_and_coffee(external_ref=reference))
    till.post(BY_CARD | {"external_ref": reference})
    return ParkedSale.objects.get(external_ref=reference)


def try_to(decision: Decision, parked: ParkedSale, person: User) -> str:
    """What came of it."""
    try:
        made = decide(
            tenant=parked.tenant, parked=parked.pk, decision=decision, by=person, at=NOON, reason=person.username
        )
    except AlreadyDecided as before:
        return f"after {before.decision.decided_by_id}"
    return f"by {made.decided_by_id}"


class TestPeopleDecidingAtOnce:
    def test_make_one_decision_and_the_others_hear_of_it(self, till: Till, people: list[User]) -> None:
        for number in range(ROUNDS):
            parked = park(till, f"T-{number}")

            said = race([partial(try_to, Decision.BOOK, parked, person) for person in people])

            made = ParkedDecision.objects.get(parked=parked)
            assert Counter(said) == {f"by {made.decided_by_id}": 1, f"after {made.decided_by_id}": 3}
            assert Transaction.objects.filter(external_ref__startswith=f"T-{number}").count() == 2
            assert made.booked is not None
            assert made.booked.external_ref == f"T-{number}~2"

    def test_differently_leave_one_decision_whole(self, till: Till, people: list[User]) -> None:
        for number in range(ROUNDS):
            parked = park(till, f"T-{number}")

            race(
                [partial(try_to, decision, parked, person) for decision, person in zip(Decision, people, strict=False)]
            )

            made = ParkedDecision.objects.get(parked=parked)
            sales = Transaction.objects.filter(external_ref__startswith=f"T-{number}").count()
            assert sales == (2 if made.decision == Decision.BOOK else 1)

    def test_by_the_page_get_an_answer_each(self, till: Till, people: list[User]) -> None:
        parked = park(till, REFERENCE)

        def press(person: User) -> str:
            browser = Client()
            browser.force_login(person)
            answer = browser.post(f"/einstellungen/integrationen/geparkt/{parked.pk}", {"decision": "book"})
            return f"{answer.status_code} {answer['Location'].rpartition('/')[2]}"

        said = race([partial(press, person) for person in people])

        assert Counter(said) == {"302 geparkt": 1, f"302 {parked.pk}": 3}
        assert Transaction.objects.count() == 2


class TestATillThatRepeatsTheSaleMeanwhile:
    def test_is_answered_as_ever_and_counted(self, till: Till, people: list[User]) -> None:
        for number in range(ROUNDS):
            parked = park(till, f"T-{number}")
            again = partial(till.post, BY_CARD | {"external_ref": f"T-{number}"})
            deeds: list[Callable[[], object]] = [again, partial(try_to, Decision.BOOK, parked, people[0]), again, again]

            _first, said, *_rest = answers = race(deeds)

            assert said == f"by {people[0].pk}"
            assert [getattr(each, "status_code", 409) for each in answers] == [409] * 4
            parked.refresh_from_db()
            assert (parked.times_received, parked.decided_at) == (4, NOON)
            assert Transaction.objects.filter(external_ref__startswith=f"T-{number}").count() == 2

    def test_and_sells_under_the_new_reference_itself_loses_nothing(self, till: Till, people: list[User]) -> None:
        """One of the two gets the reference; both sales are in the ledger, or the till's is parked."""
        for number in range(ROUNDS):
            parked = park(till, f"T-{number}")
            own = croissants_and_coffee(external_ref=f"T-{number}~2", tip_amount="2.00")
            deeds: list[Callable[[], object]] = [
                partial(till.post, own),
                partial(try_to, Decision.BOOK, parked, people[0]),
            ]

            answer, said = race(deeds)

            assert said == f"by {people[0].pk}"
            kept = Transaction.objects.filter(external_ref__startswith=f"T-{number}~").count()
            waiting = ParkedSale.objects.filter(external_ref=f"T-{number}~2").count()
            assert getattr(answer, "status_code", None) == (409 if waiting else 201)
            assert kept + waiting == 2
