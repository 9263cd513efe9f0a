"""A form mints one key, however often it is sent."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError

from apikeys.minting import FormUsed, Minted, mint_once
from apikeys.models import ApiKey, UsedForm
from apikeys.states import state_of, with_state
from tenants.models import Tenant
from tests.factories import BOTH, NOON, mint
from tests.races.racing import race

FORM = UUID("5d6a2c1e-6f0b-4b4e-9c55-0d8f3f1f7a10")


def send(tenant: Tenant, form_id: UUID = FORM) -> Minted:
    return mint_once(tenant=tenant, form_id=form_id, name="Zettle", scopes=BOTH, at=NOON)


class TestMintOnce:
    def test_says_which_key_the_form_has_made(self, seeblick: Tenant, waldrand: Tenant) -> None:
        first = send(seeblick)

        with pytest.raises(FormUsed) as used:
            send(seeblick)

        assert used.value.key == first.key
        assert first.token[11:] not in repr(used.value)
        assert ApiKey.objects.of(waldrand).count() == 0

    def test_tells_campgrounds_apart(self, seeblick: Tenant, waldrand: Tenant) -> None:
        assert send(seeblick).key != send(waldrand).key

    def test_keeps_a_form_good_that_was_refused(self, seeblick: Tenant) -> None:
        with pytest.raises(ValidationError):
            mint_once(tenant=seeblick, form_id=FORM, name="", scopes=BOTH, at=NOON)

        assert send(seeblick).key.name == "Zettle"

    @pytest.mark.django_db(transaction=True)
    def test_lets_one_of_many_twins_through(self, seeblick: Tenant) -> None:
        def twin() -> str:
            try:
                return send(seeblick).token
            except FormUsed:
                return ""

        tokens = race([partial(twin)] * 8)

        assert len([token for token in tokens if token]) == 1
        assert ApiKey.objects.count() == UsedForm.objects.count() == 1


class TestTheStateOfAKey:
    @pytest.mark.parametrize(
        ("expires_in", "revoked", "state"),
        [
            (None, False, "active"),
            (timedelta(days=31), False, "active"),
            (timedelta(days=30), False, "expires_soon"),
            (timedelta(seconds=1), False, "expires_soon"),
            (timedelta(0), False, "expired"),
            (timedelta(days=-1), True, "revoked"),
        ],
    )
    def test_is_the_same_in_a_query_and_at_hand(
        self, expires_in: timedelta | None, revoked: bool, state: str, seeblick: Tenant
    ) -> None:
        key = mint(seeblick, expires_at=NOON + expires_in if expires_in is not None else None).key
        if revoked:
            key.revoke(at=NOON)

        (listed,) = with_state(ApiKey.objects.of(seeblick), at=NOON)

        assert state_of(key, at=NOON) == state
        assert listed.state == ("active" if state == "expires_soon" else state)  # type: ignore[attr-defined]
