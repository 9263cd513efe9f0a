"""Parked sales: seen again after staff have decided, and never a credential in them, whatever a till sends."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.tokens import ALPHABET, TOKEN
from kasse.models import Transaction
from pos_bridge.models import ParkedSale
from pos_bridge.parking import CUT, without_credentials
from tests.factories import NOON
from tests.till import Till, croissants_and_coffee

OTHER = croissants_and_coffee(payment_method="CARD")


class TestAParkedSale:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now: datetime = NOON
        monkeypatch.setattr("django.utils.timezone.now", lambda: self.now)

    def test_tells_when_it_came_first_and_last(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        for _ in range(3):
            till.post(OTHER)
            self.now += timedelta(hours=1)

        parked = ParkedSale.objects.get()
        assert (parked.first_received_at, parked.last_received_at) == (NOON, NOON + timedelta(hours=2))
        assert parked.times_received == 3

    def test_that_staff_have_decided_stays_decided_when_the_till_repeats_it(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        till.post(OTHER)
        ParkedSale.objects.update(decided_at=NOON)

        assert till.post(OTHER).status_code == 409

        parked = ParkedSale.objects.get()
        assert (parked.decided_at, parked.times_received) == (NOON, 2)

    def test_comes_again_under_a_new_number_as_a_sale_like_any_other(self, till: Till) -> None:
        till.post(croissants_and_coffee())
        till.post(OTHER)

        assert till.post(OTHER | {"external_ref": "seeblick-2026-04-29-T-1b"}).status_code == 201
        assert Transaction.objects.count() == 2
        assert ParkedSale.objects.count() == 1

    def test_of_the_largest_size_is_kept_whole(self, till: Till) -> None:
        line = {"description": "x" * 255, "quantity": 1, "unit_price": "0.01", "line_total": "0.01"}
        till.post(croissants_and_coffee())

        answer = till.post(croissants_and_coffee(total_amount="4.00", items=[line] * 400))

        assert answer.status_code == 409
        assert len(json.loads(ParkedSale.objects.get().payload)["items"]) == 400


TOKENS = st.text(ALPHABET, min_size=32, max_size=32).map("ck_".__add__)
TEXTS = st.text(max_size=20)
WITH_TOKEN = st.builds(lambda before, token, after: f"{before}{token}{after}", TEXTS, TOKENS, TEXTS)
NAMES = st.one_of(TEXTS, WITH_TOKEN, st.sampled_from(["api_key", "X-API-Key", "Password", "refreshToken", "note"]))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), TEXTS, WITH_TOKEN)
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4))
    ),
)


class TestWithoutCredentials:
    @settings(max_examples=50, deadline=None)
    @given(DOCUMENTS)
    def test_no_token_is_left_anywhere(self, document: dict[str, Any]) -> None:
        assert not TOKEN.search(json.dumps(without_credentials(document), ensure_ascii=False))

    @settings(max_examples=50, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(["total_amount", "note", "items", "external_ref"]), st.one_of(TEXTS, st.integers())
        )
    )
    def test_what_is_no_credential_stays_as_it_was(self, document: dict[str, Any]) -> None:
        assert without_credentials(document) == document

    @pytest.mark.parametrize(
        "name", ["api_key", "apikey", "API-Key", "password", "Secret", "access_token", "authorization"]
    )
    def test_a_field_named_like_one_is_cut_whole(self, name: str) -> None:
        assert without_credentials({"a": [{name: {"deep": ["hush"]}}]}) == {"a": [{name: CUT}]}
