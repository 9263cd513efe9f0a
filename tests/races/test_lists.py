"""Writers of whole lists at the same moment: no deadlock, each reference once, every outcome told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from kasse.models import Payment, Source, Transaction, TransactionItem
from kasse.recording import ExternalRefConflict, Recorded, record_transactions
from kasse.sales import NewSale
from tenants.models import Tenant
from tests.kasse.sales import NOON, breakfast, paid
from tests.races.racing import race
from tests.till import Till, croissants_and_coffee

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 60


def sale(number: int, tip: str = "0.00") -> NewSale:
    return breakfast(external_ref=f"T-{number}", tip_amount=Decimal(tip), payments=(paid(tip=tip),))


def record_all(tenant: Tenant, sales: list[NewSale]) -> list[Recorded | ExternalRefConflict]:
    return record_transactions(tenant=tenant, sales=sales, source=Source.EXTERNAL_POS, received_at=NOON)


def words(outcomes: list[Recorded | ExternalRefConflict]) -> list[str]:
    return [
        "conflict" if isinstance(each, ExternalRefConflict) else "created" if each.created else "replayed"
        for each in outcomes
    ]


class TestLists:
    def test_that_overlap_in_opposite_order_store_each_reference_once(self, seeblick: Tenant) -> None:
        for first in (0, 1000, 2000):
            forwards = [sale(first + number) for number in range(MANY)]
            backwards = [sale(first + number) for number in range(MANY + 20, 20, -1)]

            outcomes = race([partial(record_all, seeblick, each) for each in (forwards, backwards) * 3])

            told = Counter(word for each in outcomes for word in words(each))
            assert told == {"created": MANY + 21, "replayed": 5 * MANY - 21}
            by_reference = {each.stored.sale.external_ref: each.stored.id for one in outcomes for each in one}
            assert len(by_reference) == len(set(by_reference.values())) == MANY + 21
        stored = 3 * (MANY + 21)
        assert [each.objects.count() for each in (Transaction, TransactionItem, Payment)] == [
            stored,
            2 * stored,
            stored,
        ]

    def test_of_rivals_leave_one_sale_whole_and_tell_the_others(self, seeblick: Tenant) -> None:
        ours = [sale(number) for number in range(MANY)]
        rivals = [sale(number, tip="1.00") for number in reversed(range(MANY))]

        won, lost = race([partial(record_all, seeblick, each) for each in (ours, rivals)])

        told = Counter(words(won) + words(lost))
        assert told == {"created": MANY, "conflict": MANY}
        tips = dict(Transaction.objects.values_list("external_ref", "tip_amount"))
        for outcome in [*won, *lost]:
            assert outcome.stored.sale.tip_amount == tips[outcome.stored.sale.external_ref or ""]

    def test_and_single_posts_meet_without_harm(self, till: Till, seeblick: Tenant) -> None:
        listed = [sale(number) for number in range(40)]
        posts = [partial(till.post, croissants_and_coffee(external_ref=f"T-{number}")) for number in range(39, 29, -1)]

        deeds: list[Callable[[], Any]] = [partial(record_all, seeblick, listed), *posts]
        outcomes, *answers = race(deeds)

        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {200, 201}
        assert words(outcomes).count("created") == 40 - statuses[201]
        assert Transaction.objects.count() == 40

    def test_of_neighbours_never_meet(self, seeblick: Tenant, waldrand: Tenant) -> None:
        same = [sale(number) for number in range(MANY)]

        outcomes = race([partial(record_all, tenant, same) for tenant in (seeblick, waldrand)])

        assert [Counter(words(each)) for each in outcomes] == [{"created": MANY}] * 2
