"""One account delivered many times at the same moment: one sale, and every delivery is answered."""

from __future__ import annotations

import pytest

from adapters.booking import take_event
from adapters.models import Connection, Standing, VendorEvent
from adapters.vendors import VENDORS
from apikeys.minting import Minted
from kasse.models import Transaction
from tests.adapters.vendors_tills import LightspeedTill, fondue
from tests.factories import NOON
from tests.races.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


class TestTwins:
    def test_of_one_account_are_one_sale(self, restaurant: Connection, key: Minted) -> None:
        till = LightspeedTill(restaurant, key.token)
        accounts = [fondue(), fondue(fiscId=None)] * 4

        answers = race([lambda account=account: till.charge(account) for account in accounts])  # type: ignore[misc]

        assert [answer.status_code for answer in answers] == [200] * 8
        assert Transaction.objects.count() == 1
        assert set(VendorEvent.objects.values_list("standing", flat=True)) == {Standing.RECORDED}

    def test_of_one_delivery_are_one_event(self, restaurant: Connection, key: Minted) -> None:
        till = LightspeedTill(restaurant, key.token)

        race([lambda: till.charge(fondue(), delivery="LS1_1")] * 6)

        assert VendorEvent.objects.get().times_received == 6
        assert Transaction.objects.count() == 1

    def test_that_are_mapped_again_while_others_come_are_one_sale(self, restaurant: Connection, key: Minted) -> None:
        till = LightspeedTill(restaurant, key.token)
        till.charge(fondue())
        event = VendorEvent.objects.select_related("connection__tenant").get()

        race([lambda: take_event(event, VENDORS["lightspeed"], at=NOON), lambda: till.charge(fondue())] * 3)

        assert Transaction.objects.count() == 1
