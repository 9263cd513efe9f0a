"""Test keys at the same moment: beside real ones, before their switch, and while what they sent is forgotten."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone
from django.utils.module_loading import import_string

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.forgetting import forget_test_sales
from pos_bridge.losing_models import Losing, LosingAnswers
from tenants.models import Tenant
from tenants.rehearsals import open_rehearsal
from tests.races.racing import race
from tests.till import Till, croissants_and_coffee

pytestmark = pytest.mark.django_db(transaction=True)


class TestTestKeys:
    def test_and_real_ones_sell_the_same_reference_once_each(
        self, seeblick: Tenant, stage: Tenant, till: Till, trying: Till
    ) -> None:
        answers = race([partial(each.post, croissants_and_coffee()) for each in [till, trying] * 20])

        for mine in (answers[0::2], answers[1::2]):
            assert Counter(answer.status_code for answer in mine) == {201: 1, 200: 19}
        assert [Transaction.objects.of(each).count() for each in (seeblick, stage)] == [1, 1]

    def test_lose_one_answer_if_one_is_to_be_lost(self, stage: Tenant, trial: Minted, trying: Till) -> None:
        LosingAnswers.objects.create(tenant=stage, api_key=trial.key, mode=Losing.ONCE)

        sales = [croissants_and_coffee(external_ref=f"T-{number}") for number in range(20)]
        answers = race([partial(trying.post, sale) for sale in sales])

        assert sum("Transfer-Encoding" in answer for answer in answers) == 1
        assert Transaction.objects.of(stage).count() == 20

    def test_sell_on_while_what_they_sent_is_forgotten(self, stage: Tenant, trying: Till) -> None:
        def forget() -> None:
            for _ in range(5):
                try:
                    forget_test_sales(stage, before=timezone.now())
                except IntegrityError:
                    continue

        sales = [croissants_and_coffee(external_ref=f"T-{number % 5}") for number in range(30)]
        deeds: list[Callable[[], object]] = [forget, *(partial(trying.post, sale) for sale in sales)]
        race(deeds)

        again = [trying.post(sale).status_code for sale in sales[:5]]
        assert set(again) <= {200, 201}
        assert Transaction.objects.of(stage).count() == 5

    @pytest.mark.parametrize("moment", ["kasse.recording.sales_under", "pos_bridge.intake._park"])
    @pytest.mark.parametrize("total", ["12.50", "5.50"])
    def test_say_to_come_again_if_what_they_meet_is_forgotten_at_that_moment(
        self, stage: Tenant, trying: Till, monkeypatch: pytest.MonkeyPatch, moment: str, total: str
    ) -> None:
        """A retry, or another sale under its reference; it is stored with that answer, or with the next."""
        trying.post(croissants_and_coffee())
        coffee = croissants_and_coffee(total_amount="5.50", items=croissants_and_coffee()["items"][1:])
        sale = coffee if total == "5.50" else croissants_and_coffee()
        goes_on = import_string(moment)

        def forgotten_first(*told: Any, **also: Any) -> Any:
            forget_test_sales(stage, before=timezone.now())
            return goes_on(*told, **also)

        with monkeypatch.context() as patched:
            patched.setattr(moment, forgotten_first)
            answer = trying.post(sale)

        assert answer.status_code in {200, 201} or (json.loads(answer.content)["code"], answer["Retry-After"]) == (
            "busy",
            "1",
        )
        assert trying.post(sale).status_code in {200, 201}
        assert Transaction.objects.of(stage).count() == 1

    def test_open_one_rehearsal(self, seeblick: Tenant) -> None:
        race([partial(open_rehearsal, seeblick)] * 10)

        assert Tenant.rehearsals.count() == 1
