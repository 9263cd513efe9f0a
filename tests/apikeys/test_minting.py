from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction

from apikeys import minting
from apikeys.hashing import token_fits
from apikeys.minting import mint_key
from apikeys.models import ApiKey, Scope
from apikeys.tokens import make_token, may_be_ours, prefix_of
from tenants.models import Tenant
from tests.factories import BOTH, NOON, mint


class TestMinting:
    def test_keeps_the_prefix_and_the_hash_and_gives_the_token_away(self, seeblick: Tenant, waldrand: Tenant) -> None:
        minted = mint_key(tenant=seeblick, name="Lightspeed shop till", scopes=BOTH, at=NOON)

        stored = ApiKey.objects.get()
        assert may_be_ours(minted.token)
        assert stored.prefix == prefix_of(minted.token)
        assert token_fits(minted.token, stored.token_hash)
        assert (stored.tenant, stored.created_at, stored.budget) == (seeblick, NOON, 1000)
        assert (stored.expires_at, stored.revoked_at, stored.last_used_at) == (None, None, None)

    def test_leaves_the_secret_in_no_column(self, seeblick: Tenant) -> None:
        minted = mint(seeblick)

        [row] = ApiKey.objects.values()

        assert not [name for name, value in row.items() if minted.token[11:] in str(value)]

    def test_shows_the_token_in_no_text_of_the_result(self, seeblick: Tenant) -> None:
        minted = mint(seeblick)

        assert not [
            text for text in (repr(minted), str(minted), repr(minted.key), str(minted.key)) if minted.token in text
        ]
        assert prefix_of(minted.token) in str(minted.key)

    def test_draws_again_when_a_prefix_is_taken(self, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = mint(seeblick).token
        fresh = make_token()
        drawn = iter([taken, fresh])
        monkeypatch.setattr(minting, "make_token", lambda _start: next(drawn))

        assert mint(seeblick).token == fresh

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": ""},
            {"name": "x" * 121},
            {"scopes": []},
            {"scopes": ["pos:delete"]},
            {"scopes": ["pos:read", "pos:read"]},
            {"scopes": ["pos:read", "POS:WRITE"]},
            {"budget": 0},
            {"budget": -1},
            {"expires_at": NOON},
            {"expires_at": NOON - timedelta(days=1)},
            {"expires_at": NOON.replace(year=9999)},
        ],
    )
    def test_refuses_what_makes_no_key(self, seeblick: Tenant, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            mint_key(**{"tenant": seeblick, "name": "Shop till", "scopes": BOTH, "at": NOON, **wrong})

        assert not ApiKey.objects.exists()

    def test_takes_an_end_that_is_still_to_come(self, seeblick: Tenant) -> None:
        soon = NOON + timedelta(microseconds=1)

        assert mint_key(tenant=seeblick, name="Shop till", scopes=BOTH, at=NOON, expires_at=soon).key.is_active_at(NOON)


class TestRevoking:
    def test_by_the_whole_token_ends_its_key_and_no_other(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine, theirs = mint(seeblick), mint(waldrand)
        said = StringIO()

        call_command("revoke_key", mine.token, stdout=said)

        mine.key.refresh_from_db()
        theirs.key.refresh_from_db()
        assert mine.key.revoked_at is not None
        assert theirs.key.revoked_at is None
        assert mine.token not in said.getvalue()


class TestTheRecord:
    @pytest.mark.parametrize("scopes", [None, "pos:read", {"pos:read": 1}, [], ["pos:read", 1], [["pos:read"]], [{}]])
    def test_refuses_scopes_that_are_no_list_of_known_ones(self, seeblick: Tenant, scopes: Any) -> None:
        key = mint(seeblick).key
        key.scopes = scopes

        with pytest.raises(ValidationError) as refused:
            key.full_clean()

        assert set(refused.value.message_dict) == {"scopes"}

    def test_is_unique_by_prefix_across_campgrounds(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine = mint(seeblick).key
        theirs = ApiKey(
            tenant=waldrand, name="Kiosk", prefix=mine.prefix, token_hash="x", scopes=["pos:read"], created_at=NOON
        )

        with pytest.raises(IntegrityError), transaction.atomic():
            theirs.save()

    @pytest.mark.parametrize("wrong", [{"budget": 0}, {"prefix": "sk_12345678"}])
    def test_is_guarded_by_the_database_too(self, seeblick: Tenant, wrong: dict[str, Any]) -> None:
        key = mint(seeblick).key

        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(pk=key.pk).update(**wrong)

    def test_is_revoked_once_and_for_ever(self, seeblick: Tenant) -> None:
        key = mint(seeblick).key

        key.revoke(at=NOON)
        key.revoke(at=NOON + timedelta(days=1))

        key.refresh_from_db()
        assert key.revoked_at == NOON
        assert not key.is_active_at(NOON)

    def test_expires_at_the_instant_itself(self, seeblick: Tenant) -> None:
        key = mint(seeblick, expires_at=NOON).key

        assert key.is_active_at(NOON - timedelta(microseconds=1))
        assert not key.is_active_at(NOON)

    def test_holds_write_without_read(self, seeblick: Tenant) -> None:
        key = mint(seeblick, scopes=[Scope.POS_WRITE]).key

        key.refresh_from_db()
        assert key.scopes == ["pos:write"]

    def test_names_itself_by_name_and_prefix(self) -> None:
        assert str(ApiKey(name="Shop till", prefix="ck_a1b2c3d4")) == "Shop till (ck_a1b2c3d4…)"
