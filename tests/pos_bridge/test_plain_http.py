"""A call that a trusted proxy had in clear is refused: everyone on the way has seen its key."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from apikeys.minting import Minted
from kasse.models import Transaction
from pos_bridge.models import InboundCall
from pos_bridge.throttling import calls_in_last_hour
from tenants.models import Tenant
from tests.factories import mint
from tests.till import Till, body_of, croissants_and_coffee


@pytest.fixture
def proxied(settings: Any) -> None:
    settings.PROXY_COUNT = 1
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.usefixtures("proxied")
class TestACallInClear:
    def test_stores_nothing_counts_and_stands_in_the_log_of_its_campground(
        self, seeblick: Tenant, waldrand: Tenant
    ) -> None:
        key = mint(seeblick, budget=1000)

        answer = Till(key.token).post(croissants_and_coffee(), x_forwarded_proto="http")

        assert (answer.status_code, body_of(answer)["code"]) == (403, "https_required")
        assert not body_of(answer)["retryable"]
        assert not Transaction.objects.exists()
        assert calls_in_last_hour(key.key, at=timezone.now()) == 1
        row = InboundCall.objects.get()
        assert (row.tenant, row.error_code) == (seeblick, "https_required")

    def test_is_refused_after_many_that_came_sealed(self, till: Till) -> None:
        for number in range(3):
            sale = croissants_and_coffee(external_ref=f"T-{number}")
            assert till.post(sale, x_forwarded_proto="https").status_code == 201

        answers = [
            till.post(croissants_and_coffee(external_ref="T-9"), x_forwarded_proto="http"),
            till.get("/transactions/T-1/", x_forwarded_proto="http"),
            till.get("/ping/", x_forwarded_proto="http, https"),
        ]

        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert Transaction.objects.count() == 3

    def test_is_refused_before_anything_else_that_is_wrong_with_its_key(self, seeblick: Tenant) -> None:
        reader = mint(seeblick, networks=["203.0.113.0/24"], scopes=["pos:read"])

        answer = Till(reader.token).post(croissants_and_coffee(), x_forwarded_proto="http")

        assert body_of(answer)["code"] == "https_required"

    def test_of_a_stranger_hears_what_every_stranger_hears(self, key: Minted) -> None:
        assert body_of(Till(key.token + "x").get("/ping/", x_forwarded_proto="http"))["code"] == "invalid_key"

    def test_is_not_what_comes_past_the_proxy_without_a_word_of_it(self, till: Till) -> None:
        assert till.get("/ping/").status_code == 200
        assert till.get("/ping/", x_forwarded_proto="").status_code == 200


class TestWithoutAProxy:
    def test_what_a_caller_says_of_itself_is_nothing(self, till: Till) -> None:
        assert till.get("/ping/", x_forwarded_proto="http").status_code == 200
