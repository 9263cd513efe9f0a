from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from pytest_django import DjangoAssertNumQueries

from apikeys import verification
from apikeys.hashing import is_outdated, token_fits
from apikeys.minting import Minted
from apikeys.models import ApiKey, Scope
from apikeys.tokens import check_characters, make_token, prefix_of
from apikeys.verification import InvalidKey, KeyInactive, ProvenTokens, TooManyUnproven, verify_token
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.till import Till, body_of, croissants_and_coffee


def with_another_secret(token: str) -> str:
    """A token with the same prefix, check characters that fit, and a secret that does not."""
    body = prefix_of(token) + make_token()[11:-2]
    return body + check_characters(body, settings.SECRET_KEY)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The encoded hashes that tokens were held against, in a process that has proven nothing yet."""
    held_against: list[str] = []

    def count(token: str, encoded: str) -> bool:
        held_against.append(encoded)
        return token_fits(token, encoded)

    monkeypatch.setattr(verification, "token_fits", count)
    monkeypatch.setattr(verification, "_proven", ProvenTokens())
    return held_against


class TestVerification:
    def test_finds_the_key_and_its_campground_in_one_query(
        self, key: Minted, waldrand: Tenant, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        verify_token(key.token, named_tenant=None, at=NOON)

        with django_assert_num_queries(1):
            found = verify_token(key.token, named_tenant=None, at=NOON)
            assert found.tenant.slug == "seeblick"

        assert found == key.key

    def test_hashes_once_and_reads_the_row_every_time(self, key: Minted, hashes: list[str]) -> None:
        for _ in range(5):
            verify_token(key.token, named_tenant=None, at=NOON)

        assert len(hashes) == 1

    def test_hashes_for_a_wrong_secret_as_for_an_unknown_prefix(self, key: Minted, hashes: list[str]) -> None:
        for token in (with_another_secret(key.token), make_token()):
            with pytest.raises(InvalidKey):
                verify_token(token, named_tenant=None, at=NOON)

        wrong_secret, unknown_prefix = hashes
        assert wrong_secret == ApiKey.objects.get().token_hash
        # The same cost: algorithm and parameters of the hash that stands in for nobody's are the same.
        assert unknown_prefix.split("$")[:4] == wrong_secret.split("$")[:4]

    def test_never_proves_the_hash_of_nobody(self, key: Minted, hashes: list[str]) -> None:
        unknown = make_token()

        for _ in range(3):
            with pytest.raises(InvalidKey):
                verify_token(unknown, named_tenant=None, at=NOON)

        assert len(hashes) == 1

    def test_tells_nobody_which_prefixes_exist(self, key: Minted) -> None:
        revoked = mint(key.key.tenant, name="Old till")
        revoked.key.revoke(at=NOON)

        for token in (with_another_secret(key.token), with_another_secret(revoked.token), make_token()):
            with pytest.raises(InvalidKey) as refused:
                verify_token(token, named_tenant=None, at=NOON)
            assert refused.value.args == ()

    def test_takes_a_neighbours_key_to_be_the_neighbours(self, key: Minted, waldrand: Tenant) -> None:
        assert verify_token(mint(waldrand).token, named_tenant=None, at=NOON).tenant == waldrand

    def test_shows_the_token_in_no_error(self, key: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        key.key.revoke(at=NOON)
        errors: list[Exception] = []
        for token in (key.token, with_another_secret(key.token)):
            with pytest.raises(verification.KeyRefused) as refused:
                verify_token(token, named_tenant=None, at=NOON)
            errors.append(refused.value)
        monkeypatch.setattr(verification, "_proven", ProvenTokens(queue=0))
        with pytest.raises(TooManyUnproven) as busy:
            verify_token(key.token, named_tenant=None, at=NOON)

        for error in (*errors, busy.value):
            assert key.token[11:] not in repr(error) + str(error) + repr(vars(error))


class TestTheHostOfACall:
    def test_may_be_the_keys_own_or_common_to_all(self, key: Minted) -> None:
        for named in ("seeblick", None):
            assert verify_token(key.token, named_tenant=named, at=NOON) == key.key

    @pytest.mark.parametrize("named", ["waldrand", "nobody", ""])
    def test_that_names_another_campground_makes_the_key_invalid(
        self, key: Minted, waldrand: Tenant, named: str
    ) -> None:
        with pytest.raises(InvalidKey):
            verify_token(key.token, named_tenant=named, at=NOON)

    def test_that_names_another_campground_is_not_told_that_a_key_is_revoked(
        self, key: Minted, waldrand: Tenant
    ) -> None:
        key.key.revoke(at=NOON)

        with pytest.raises(InvalidKey):
            verify_token(key.token, named_tenant="waldrand", at=NOON)


class TestRights:
    """A proven token says nothing about what its key may do now."""

    def test_end_with_a_revocation_from_the_very_next_call(self, till: Till, key: Minted) -> None:
        assert till.get("/ping/").status_code == 200

        ApiKey.objects.get().revoke(at=NOON)

        answer = till.get("/ping/")
        assert (answer.status_code, body_of(answer)["detail"]) == (401, "key_inactive")

    def test_end_at_the_instant_of_expiry(self, seeblick: Tenant) -> None:
        minted = mint(seeblick, expires_at=NOON)
        assert verify_token(minted.token, named_tenant=None, at=NOON - timedelta(seconds=1)) == minted.key

        with pytest.raises(KeyInactive) as refused:
            verify_token(minted.token, named_tenant=None, at=NOON)

        assert refused.value.key == minted.key

    def test_end_while_the_campground_is_switched_off(self, till: Till, seeblick: Tenant) -> None:
        answers = []
        for is_active in (True, False, True):
            Tenant.objects.filter(pk=seeblick.pk).update(is_active=is_active)
            answers.append(till.get("/ping/").status_code)

        assert answers == [200, 401, 200]

    def test_follow_the_scopes_of_the_row(self, till: Till, key: Minted) -> None:
        assert till.post(croissants_and_coffee()).status_code == 201

        ApiKey.objects.update(scopes=[Scope.POS_READ])

        answer = till.post(croissants_and_coffee())
        assert (answer.status_code, body_of(answer)["required_scope"]) == (403, "pos:write")
        assert till.read_back("seeblick-2026-04-29-T-1").status_code == 200

    def test_end_with_the_row(self, key: Minted) -> None:
        verify_token(key.token, named_tenant=None, at=NOON)

        ApiKey.objects.all().delete()

        with pytest.raises(InvalidKey):
            verify_token(key.token, named_tenant=None, at=NOON)

    def test_of_the_neighbour_stay_as_they_are(self, till: Till, neighbours_till: Till, key: Minted) -> None:
        key.key.revoke(at=NOON)

        assert (till.get("/ping/").status_code, neighbours_till.get("/ping/").status_code) == (401, 200)


class TestTheLastUse:
    def test_is_noted_once_a_minute_at_most(self, key: Minted) -> None:
        noted = []
        for seconds in (0, 1, 59, 60, 61, 119, 120):
            verify_token(key.token, named_tenant=None, at=NOON + timedelta(seconds=seconds))
            noted.append(ApiKey.objects.get().last_used_at)

        assert [(at - NOON).total_seconds() for at in noted if at] == [0, 0, 0, 60, 60, 60, 120]

    def test_is_not_noted_for_a_key_that_opens_nothing(self, key: Minted) -> None:
        key.key.revoke(at=NOON)

        with pytest.raises(KeyInactive):
            verify_token(key.token, named_tenant=None, at=NOON)

        assert ApiKey.objects.get().last_used_at is None

    def test_is_not_moved_back_by_a_slower_call(self, key: Minted) -> None:
        verify_token(key.token, named_tenant=None, at=NOON)

        verify_token(key.token, named_tenant=None, at=NOON - timedelta(minutes=5))

        assert ApiKey.objects.get().last_used_at == NOON

    def test_is_noted_though_a_clock_of_ours_was_a_year_ahead_before(self, key: Minted) -> None:
        verify_token(key.token, named_tenant=None, at=NOON + timedelta(days=365))

        verify_token(key.token, named_tenant=None, at=NOON)

        assert ApiKey.objects.get().last_used_at == NOON


class TestAnOutdatedHash:
    @pytest.fixture
    def outdated(self, key: Minted) -> str:
        """Made with Django's own, much higher cost, as an earlier release might have done."""
        hasher = Argon2PasswordHasher()
        hasher.memory_cost = 16384
        encoded = hasher.encode(key.token, hasher.salt()).replace("argon2$", "argon2_api_key$", 1)
        assert is_outdated(encoded)
        ApiKey.objects.update(token_hash=encoded)
        return encoded

    def test_is_renewed_once_by_the_first_good_call(self, key: Minted, outdated: str) -> None:
        stored = []
        for _ in range(3):
            verify_token(key.token, named_tenant=None, at=NOON)
            stored.append(ApiKey.objects.get().token_hash)

        assert stored[0] != outdated
        assert not is_outdated(stored[0])
        assert len(set(stored)) == 1

    def test_is_not_renewed_by_a_wrong_secret(self, key: Minted, outdated: str) -> None:
        with pytest.raises(InvalidKey):
            verify_token(with_another_secret(key.token), named_tenant=None, at=NOON)

        assert ApiKey.objects.get().token_hash == outdated
