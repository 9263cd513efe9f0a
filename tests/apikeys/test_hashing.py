from __future__ import annotations

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, identify_hasher

from apikeys.hashing import ApiKeyHasher, hash_token, is_outdated, token_fits
from apikeys.tokens import make_token
from campone import settings as production


@pytest.mark.usefixtures("full_hashes")
class TestTheHashOfAToken:
    def test_is_argon2id_with_a_fresh_salt(self) -> None:
        token = make_token()
        first, second = hash_token(token), hash_token(token)

        parameters = extract_parameters(first.removeprefix("argon2_api_key"))

        assert first != second
        assert parameters.type is Type.ID
        assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (1, 8192, 1)
        assert parameters.salt_len >= 16
        assert parameters.hash_len == 32

    def test_holds_nothing_of_the_token(self) -> None:
        token = make_token()

        assert token not in hash_token(token)
        assert token[11:] not in hash_token(token)

    def test_fits_its_token_and_no_other(self) -> None:
        token = make_token()
        encoded = hash_token(token)

        assert token_fits(token, encoded)
        assert not token_fits(make_token(), encoded)
        assert not token_fits(token[:-1], encoded)

    def test_is_made_by_a_hasher_that_django_knows(self) -> None:
        assert "apikeys.hashing.ApiKeyHasher" in settings.PASSWORD_HASHERS
        assert isinstance(identify_hasher(hash_token(make_token())), ApiKeyHasher)

    def test_fits_the_column(self) -> None:
        assert len(hash_token(make_token())) < 200

    @pytest.mark.parametrize(("cost", "value"), [("memory_cost", 16384), ("time_cost", 2), ("parallelism", 2)])
    def test_is_outdated_once_a_cost_is_another(self, monkeypatch: pytest.MonkeyPatch, cost: str, value: int) -> None:
        encoded = hash_token(make_token())
        assert not is_outdated(encoded)

        monkeypatch.setattr(ApiKeyHasher, cost, value)

        assert is_outdated(encoded)


class TestPasswordsOfPeople:
    def test_keep_djangos_own_cost(self) -> None:
        assert production.PASSWORD_HASHERS[0] == "django.contrib.auth.hashers.Argon2PasswordHasher"
        assert Argon2PasswordHasher.memory_cost == 102400
