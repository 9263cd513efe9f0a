from __future__ import annotations

import secrets
from collections import Counter

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from apikeys.minting import Minted
from apikeys.tokens import ALPHABET, TOKEN, check_characters, is_well_formed, make_token, may_be_ours, prefix_of
from apikeys.verification import InvalidKey, verify_token
from tests.factories import NOON

OLD_SECRET = "the-server's-secret-of-last-year-" + "q8Wm3zRt" * 4


def mistype(token: str, position: int, character: str) -> str:
    return token[:position] + character + token[position + 1 :]


def all_typing_errors(token: str) -> list[str]:
    """Every token that differs in one character behind ``ck_``."""
    return [
        mistype(token, position, character)
        for position in range(3, len(token))
        for character in ALPHABET
        if character != token[position]
    ]


class TestAToken:
    def test_has_the_shape_of_the_contract(self) -> None:
        token = make_token()

        assert TOKEN.pattern == "ckt?_[A-Za-z0-9]{32}"
        assert is_well_formed(token)
        assert len(token) == 35

    def test_shows_eight_characters_behind_its_mark(self) -> None:
        assert prefix_of("ck_a1b2c3d4" + "x" * 24) == "ck_a1b2c3d4"
        assert prefix_of("ckt_a1b2c3d4" + "x" * 24) == "ckt_a1b2c3d4"

    def test_is_never_made_twice(self) -> None:
        made = {make_token() for _ in range(2000)}

        assert len(made) == 2000
        assert len({prefix_of(token) for token in made}) == 2000

    def test_draws_every_character_about_equally_often(self) -> None:
        # 30 random characters each: 968 of every letter expected, with a deviation of 31.
        counts = Counter("".join(make_token()[3:33] for _ in range(2000)))

        assert set(counts) == set(ALPHABET)
        assert all(968 - 8 * 31 < count < 968 + 8 * 31 for count in counts.values())

    def test_draws_its_check_characters_from_the_whole_alphabet(self) -> None:
        assert {token[-2:][index] for token in (make_token() for _ in range(2000)) for index in (0, 1)} == set(ALPHABET)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ck_",
            "ck_" + "a" * 31,
            "ck_" + "a" * 33,
            "CK_" + "a" * 32,
            "ck-" + "a" * 32,
            "ck_" + "a" * 31 + "-",
            "ck_" + "a" * 31 + "ä",
            "ck_" + "a" * 31 + "\N{FULLWIDTH LATIN SMALL LETTER A}",
            "ck_" + "a" * 32 + "\n",
            " ck_" + "a" * 32,
            "Bearer ck_" + "a" * 32,
        ],
    )
    def test_of_another_shape_is_none(self, text: str) -> None:
        assert not is_well_formed(text)


class TestCheckCharacters:
    def test_fit_what_was_minted(self) -> None:
        assert all(may_be_ours(make_token()) for _ in range(200))

    def test_reject_all_but_a_few_typing_errors_in_ten_thousand(self) -> None:
        mistyped = [each for _ in range(5) for each in all_typing_errors(make_token())]

        passed = sum(may_be_ours(each) for each in mistyped)

        # One in 3,844 passes by chance: 2.5 of these 9,760 on average.
        assert len(mistyped) == 5 * 32 * 61
        assert passed < 25

    def test_reject_every_typing_error_in_themselves(self) -> None:
        token = make_token()

        assert not any(may_be_ours(each) for each in all_typing_errors(token) if each[:-2] == token[:-2])

    def test_depend_on_the_servers_secret(self) -> None:
        bodies = [make_token()[:-2] for _ in range(50)]

        assert [check_characters(body, "one secret") for body in bodies] != [
            check_characters(body, "another secret") for body in bodies
        ]

    def test_of_an_older_secret_fit_while_it_is_a_fallback(self, settings: Settings) -> None:
        body = make_token()[:-2]
        token = body + check_characters(body, OLD_SECRET)
        assert not may_be_ours(token)

        settings.SECRET_KEY_FALLBACKS = [OLD_SECRET]

        assert may_be_ours(token)

    @pytest.mark.django_db
    def test_stop_made_up_tokens_before_the_database(
        self, key: Minted, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        made_up = ["ck_" + "".join(secrets.choice(ALPHABET) for _ in range(32)) for _ in range(50)]
        mistyped = [each for each in all_typing_errors(key.token) if not may_be_ours(each)][:200]
        refused = [each for each in made_up if not may_be_ours(each)] + mistyped + ["", "ck_", "nonsense" * 1000]
        assert len(refused) > 240

        with django_assert_num_queries(0):
            for token in refused:
                with pytest.raises(InvalidKey):
                    verify_token(token, named_tenant=None, at=NOON)
