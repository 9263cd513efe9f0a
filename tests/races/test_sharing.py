"""Sales of several tills in one statement: each has its own answer, and what befalls one befalls no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.http import HttpResponse

from apikeys.minting import Minted
from apikeys.models import ApiKey
from kasse import writing
from kasse.models import Transaction
from pos_bridge.models import BudgetTotal, InboundCall
from pos_bridge.riding import PARTS
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.pos_bridge.breaking import FULL, commits_failing
from tests.races.racing import crowd, until, with_own_connection
from tests.server.holding import writers_waiting
from tests.till import Body, Till, body_of, croissants_and_coffee

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]
WAIT = 20


@pytest.fixture
def shops(seeblick: Tenant, waldrand: Tenant) -> list[Minted]:
    """Ten keys, by turns of two campgrounds, whose first use has been noted, and whose rows are remembered."""
    keys = [mint([seeblick, waldrand][number % 2], name=f"Till {number}", budget=50) for number in range(10)]
    for key in keys * 2:
        assert Till(key.token).get("/ping/").status_code == 200
    return keys


class Together:
    """What was written together."""

    def __init__(self, keys: Sequence[Minted]) -> None:
        self.sizes: list[int] = []
        self.keys = keys
        self.statement = writing._shared(PARTS[True])

    def note(self, entries: Sequence[writing._Entry]) -> None:
        self.sizes.append(len(entries))
        writing._write_entries(entries)

    @contextmanager
    def waiting(self, sales: Sequence[Body]) -> Iterator[list[Future[HttpResponse]]]:
        """One till's sale holds everybody else's up, one of each other key; inside they wait, afterwards they go on."""
        posts = [
            partial(with_own_connection, partial(Till(key.token).post, sale))
            for key, sale in zip(self.keys, sales, strict=False)
        ]
        with (
            patch.object(self.statement, "_do", self.note),
            patch.object(self.statement, "_patience", WAIT),
            ThreadPoolExecutor(len(posts)) as threads,
        ):
            with writers_waiting():
                asked = [threads.submit(posts[0])]
                until(lambda: self.sizes == [1])
                asked += [threads.submit(post) for post in posts[1:]]
                until(lambda: len(self.statement._waiting) == len(posts) - 1)
                yield asked
            [each.result(WAIT) for each in asked]


def end_whoever_waits_for_a_lock() -> int:
    """End their connections; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def statuses(asked: Sequence[Future[HttpResponse]]) -> list[int]:
    return [each.result().status_code for each in asked]


SALES = [croissants_and_coffee(external_ref=f"T-{number}") for number in range(10)]


class TestSalesOfSeveralTills:
    def test_share_a_statement_and_nothing_else(self, shops: list[Minted], seeblick: Tenant, waldrand: Tenant) -> None:
        together = Together(shops)
        with together.waiting(SALES) as asked:
            pass

        assert together.sizes == [1, 9]
        assert statuses(asked) == [201] * 10
        for tenant, first in ((seeblick, 0), (waldrand, 1)):
            stored = Transaction.objects.of(tenant).order_by("external_ref")
            assert [(each.external_ref, each.api_key_id) for each in stored] == [
                (f"T-{number}", shops[number].key.pk) for number in range(first, 10, 2)
            ]
            assert [each.items.count() for each in stored] == [2] * 5
            assert [each.payments.count() for each in stored] == [1] * 5
            logged = InboundCall.objects.filter(tenant=tenant, status=201)
            assert sorted((each.external_ref, each.api_key_id) for each in logged) == [
                (f"T-{number}", shops[number].key.pk) for number in range(first, 10, 2)
            ]
        assert list(BudgetTotal.objects.values_list("calls", flat=True)) == [3] * 10

    def test_have_the_answers_that_they_would_have_alone(self, shops: list[Minted]) -> None:
        same = croissants_and_coffee(external_ref="T-same")
        other = croissants_and_coffee(external_ref="T-same", payment_method="CARD")
        sales = [SALES[0], same, SALES[2], same, SALES[4], other, SALES[6], SALES[7], SALES[8], SALES[9]]
        with Together(shops).waiting(sales) as asked:
            pass

        answers = [each.result() for each in asked]
        of_waldrand = [answers[number] for number in (1, 3, 5)]
        assert sorted(each.status_code for each in of_waldrand) in ([200, 201, 409], [201, 409, 409])
        kept = {body_of(each)["id"] for each in of_waldrand if each.status_code != 409}
        assert len(kept) == 1
        assert [each.status_code for each in answers if each not in of_waldrand] == [201] * 7

    def test_stop_at_their_own_budgets(self, shops: list[Minted]) -> None:
        ApiKey.objects.filter(pk__in=[shops[3].key.pk, shops[6].key.pk]).update(budget=1)
        for key in (shops[3], shops[6]):
            assert Till(key.token).get("/ping/").status_code == 429  # the row is remembered anew
        with Together(shops).waiting(SALES) as asked:
            pass

        assert statuses(asked) == [201, 201, 201, 429, 201, 201, 429, 201, 201, 201]
        assert not Transaction.objects.filter(external_ref__in=["T-3", "T-6"]).exists()
        assert InboundCall.objects.filter(status=429, external_ref__in=["T-3", "T-6"]).count() == 2

    def test_are_refused_once_their_own_key_is_revoked(self, shops: list[Minted]) -> None:
        """They wait in line with what this process remembers of it."""
        with Together(shops).waiting(SALES) as asked:
            shops[4].key.revoke(at=NOON)

        assert statuses(asked) == [201, 201, 201, 201, 401, 201, 201, 201, 201, 201]
        assert not Transaction.objects.filter(external_ref="T-4").exists()

    def test_are_stored_although_the_database_refuses_one(self, shops: list[Minted]) -> None:
        together = Together(shops)
        with commits_failing(FULL, when="NEW.external_ref = 'T-5'"), together.waiting(SALES) as asked:
            pass

        assert statuses(asked) == [201, 201, 201, 201, 201, 503, 201, 201, 201, 201]
        assert together.sizes[:2] == [1, 9]
        assert set(together.sizes[2:]) == {1}
        assert Transaction.objects.count() == 9
        assert InboundCall.objects.filter(status=201).count() == 9

    def test_are_sent_again_if_the_connection_is_lost(self, shops: list[Minted]) -> None:
        with Together(shops).waiting(SALES) as asked:
            until(lambda: end_whoever_waits_for_a_lock() == 1)
            assert asked[0].result(WAIT).status_code == 503

        assert statuses(asked) == [503] + [201] * 9
        assert Till(shops[0].token).post(SALES[0]).status_code == 201
        assert Transaction.objects.count() == 10


class TestAStuckSale:
    def test_does_not_hold_up_the_shop(self, shops: list[Minted]) -> None:
        """Somebody holds the count of one key; whoever comes meanwhile is stored."""
        posts = [partial(Till(key.token).post, sale) for key, sale in zip(shops, SALES, strict=True)]
        with ThreadPoolExecutor(1) as threads:
            with transaction.atomic():
                BudgetTotal.objects.filter(api_key=shops[0].key).select_for_update().get()
                stuck = threads.submit(with_own_connection, posts[0])
                until(lambda: writing._shared(PARTS[True])._leader is not None)
                answers = crowd(posts[1:], at_once=3)
                assert not stuck.done()
            assert stuck.result(WAIT).status_code == 201
        assert {each.status_code for each in answers} == {201}
