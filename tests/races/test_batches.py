"""The same sales in several batches at once, and in single posts beside them: each is stored once."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial

from apikeys.minting import Minted
from kasse.models import Payment, Transaction, TransactionItem
from pos_bridge.models import InboundBatch, InboundCall, ParkedSale
from tenants.models import Tenant
from tests.factories import mint
from tests.races.racing import race
from tests.server.calls import Answer, WireTill
from tests.server.process import Server
from tests.till import Body, croissants_and_coffee

SALES = 40


def sale(number: int, **changes: str) -> Body:
    return croissants_and_coffee(external_ref=f"T-{number}", **changes)


def post(till: WireTill, sales: list[Body]) -> Answer:
    """Post a batch."""
    body = json.dumps({"transactions": sales}).encode()
    return till.call("POST", "/transactions/batch/", body=body, headers={"Content-Type": "application/json"})


def results(answers: list[Answer]) -> Counter[str]:
    """How many of each over all batches."""
    assert {answer.status for answer in answers} == {200}
    return Counter(each["result"] for answer in answers for each in answer.body["results"])


class TestTheSameBatch:
    def test_at_once_by_several_keys_and_in_any_order_is_stored_once(
        self, server: Server, key: Minted, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        """Two processes, two keys, so that not even the budget keeps them apart; half of them in reverse."""
        tills = [WireTill(server.port, key.token), WireTill(server.port, mint(seeblick).token)]
        sales = [sale(number) for number in range(SALES)]
        deeds = [partial(post, till, order) for till in tills for order in (sales, sales[::-1])] * 2

        answers = race(deeds)

        assert results(answers) == {"created": SALES, "replayed": SALES * 7}
        bodies = [{each["external_ref"]: each["body"] for each in answer.body["results"]} for answer in answers]
        assert all(each == bodies[0] for each in bodies)
        assert [model.objects.count() for model in (Transaction, TransactionItem, Payment)] == [SALES, SALES * 2, SALES]
        assert sum(InboundBatch.objects.values_list("created", flat=True)) == SALES
        assert InboundCall.objects.count() == len(deeds)

    def test_beside_single_posts_is_stored_once(self, server: Server, key: Minted, waldrand: Tenant) -> None:
        till = WireTill(server.port, key.token)
        sales = [sale(number) for number in range(SALES)]

        answers = race([partial(post, till, sales)] * 2 + [partial(till.post, each) for each in sales[:12]])

        batches, singles = answers[:2], answers[2:]
        created = results(batches)["created"] + Counter(each.status for each in singles)[201]
        assert created == SALES
        assert {each.status for each in singles} <= {200, 201}
        assert Transaction.objects.count() == SALES

    def test_with_rivals_parks_each_of_them_once(self, server: Server, key: Minted, seeblick: Tenant) -> None:
        tills = [WireTill(server.port, key.token), WireTill(server.port, mint(seeblick).token)]
        ours = [sale(number) for number in range(SALES)]
        rivals = [sale(number, payment_method="CARD") for number in range(SALES)]

        answers = race([partial(post, till, sales) for till in tills for sales in (ours, rivals[::-1])])

        assert results(answers) == {"created": SALES, "replayed": SALES, "conflict": SALES * 2}
        assert ParkedSale.objects.count() == SALES
        assert set(ParkedSale.objects.values_list("times_received", flat=True)) == {2}


class TestABatchInItself:
    def test_of_twins_is_stored_once_however_many_come(self, server: Server, key: Minted) -> None:
        till = WireTill(server.port, key.token)

        answers = race([partial(post, till, [sale(1)] * 20)] * 5)

        assert results(answers) == {"created": 1, "replayed": 99}
