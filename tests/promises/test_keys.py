"""What the product page promises about keys."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.hashers import check_password, identify_hasher
from django.core.management import call_command

from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.models import InboundCall
from tests.promises.conftest import Office
from tests.promises.page import quotes
from tests.server.calls import WireTill
from tests.till import croissants_and_coffee


def everything_stored() -> str:
    """Every value of every row of every table, as text."""
    rows = (row for model in apps.get_models() for row in model._default_manager.values_list())
    return "\n".join(str(value) for row in rows for value in row)


class TestMinting:
    @quotes("Give it a name (e.g. Lightspeed shop till).", "Tick pos:read and pos:write scopes.")
    def test_asks_for_a_name_and_scopes(self, office: Office) -> None:
        office.mint()

        key = ApiKey.objects.get()
        assert (key.name, key.scopes) == ("Lightspeed shop till", ["pos:read", "pos:write"])

    @quotes("CampOne shows the raw token once")
    def test_shows_the_token_alone_and_never_again(self, office: Office, capfd: pytest.CaptureFixture[str]) -> None:
        """Nothing that is stored, printed or answered later holds it."""
        call_command(
            "mint_key", "--tenant", "seeblick", "--name", "Kiosk", "--scope", "pos:read", "--scope", "pos:write"
        )
        shown = capfd.readouterr()
        token = shown.out.strip()
        till = office.till(token)
        answers = [till.get("/ping/"), till.post(croissants_and_coffee()), till.post({}), till.get("/transactions/")]
        office.revoke(token)
        answers.append(till.get("/ping/"))

        secret = token[11:]
        assert len(token) == 35
        assert shown.err == ""
        assert [answer.status for answer in answers] == [200, 201, 400, 200, 401]
        for answer in answers:
            assert secret not in f"{answer.headers}{answer.content.decode()}"
        assert secret not in everything_stored()
        assert secret not in office.server.log
        assert token[:11] in everything_stored()

    @quotes("The token is hashed at rest; if you lose it, revoke and mint a new one.")
    def test_anew_replaces_a_lost_token(self, office: Office) -> None:
        lost = office.mint()
        office.revoke(lost)
        new = office.mint()

        assert office.till(lost).get("/ping/").status == 401
        assert office.till(new).get("/ping/").status == 200
        assert new != lost


class TestAKeyAtRest:
    @quotes(
        "API keys are hashed at rest with Django’s password hasher (Argon2 / bcrypt).",
        "The token is hashed at rest",
    )
    def test_is_hashed_with_djangos_argon2(self, office: Office) -> None:
        token = office.mint()

        stored = ApiKey.objects.get().token_hash
        assert "$argon2id$" in stored
        assert "argon2" in str(identify_hasher(stored).algorithm)
        assert check_password(token, stored)
        assert not check_password(token[:-1] + "x", stored)

    @quotes("API keys are hashed at rest with Django’s password hasher (Argon2 / bcrypt).")
    def test_has_a_salt_of_its_own(self, office: Office) -> None:
        for _ in range(3):
            office.mint()

        salts = {hashed.split("$")[-2] for hashed in ApiKey.objects.values_list("token_hash", flat=True)}
        assert len(salts) == 3


class TestRevoking:
    @quotes("Keys can be revoked instantly.", "Revoked keys return 401 from the next call onwards.")
    def test_counts_from_the_very_next_call_in_every_process(self, office: Office) -> None:
        """The key is well known to both processes, and one connection stays open throughout."""
        token = office.mint()
        till = office.till(token)
        shared = till.connect()
        warm = [till.get("/ping/").status for _ in range(40)] + [till.get("/ping/", on=shared).status]

        office.revoke(token)
        after = [till.get("/ping/", on=shared), *(till.get("/ping/") for _ in range(40))]
        shared.close()

        assert set(warm) == {200}
        assert {answer.status for answer in after} == {401}
        assert {answer.body["detail"] for answer in after} == {"key_inactive"}
        assert all(answer.headers["www-authenticate"] == "Bearer" for answer in after)


class TestScopes:
    @quotes("Standard CampOne API key auth, with two new scopes: pos:read and pos:write")
    def test_are_two(self, office: Office) -> None:
        both = office.till(office.mint()).get("/ping/").body

        assert both["scopes"] == ["pos:read", "pos:write"]

    @quotes("Scopes are enforced per endpoint")
    def test_keep_a_reading_key_from_posting_even_if_you_ask_it_to(self, office: Office) -> None:
        reader = office.till(office.mint("seeblick", "pos:read"))
        asked = {"Content-Type": "application/json", "X-HTTP-Method-Override": "POST", "X-Scope": "pos:write"}

        posted = reader.post(croissants_and_coffee())
        begged = reader.call("POST", "/transactions/?scope=pos:write", body=b"{}", headers=asked)

        for answer in (posted, begged):
            assert (answer.status, answer.body["detail"]) == (403, "insufficient_scope")
            assert answer.body["required_scope"] == "pos:write"
        assert Transaction.objects.count() == 0
        assert reader.get("/transactions/").status == 200

    @quotes("Scopes are enforced per endpoint")
    def test_keep_a_writing_key_from_reading(self, office: Office) -> None:
        writer = office.till(office.mint("seeblick", "pos:write"))
        assert writer.post(croissants_and_coffee()).status == 201

        for path in ("/transactions/", "/transactions/seeblick-2026-04-29-T-1/", "/products/"):
            assert writer.get(path).status == 403


class TestTheLog:
    @quotes("Every API call is logged: method, path, status code, latency, key prefix.")
    def test_has_a_row_for_every_call(self, office: Office, till: WireTill) -> None:
        wrong = office.till("ck_" + "a" * 32)
        calls: list[tuple[Any, str, str]] = [
            (till.post(croissants_and_coffee()), "POST", "/transactions/"),
            (till.post(croissants_and_coffee()), "POST", "/transactions/"),
            (till.post({}), "POST", "/transactions/"),
            (till.get("/ping"), "GET", "/ping"),
            (till.get("/receipts/"), "GET", "/receipts/"),
            (till.call("DELETE", "/products/"), "DELETE", "/products/"),
            (wrong.get("/products/"), "GET", "/products/"),
        ]

        rows = list(InboundCall.objects.order_by("id"))
        base = "/api/v1/public/pos"
        assert [(row.status, row.method, row.path) for row in rows] == [
            (answer.status, method, base + path) for answer, method, path in calls
        ]
        assert [answer.status for answer, *_ in calls] == [201, 200, 400, 200, 404, 405, 401]
        assert all(row.latency_ms > 0 for row in rows)
        assert {row.key_prefix for row in rows[:-1]} == {till.headers["Authorization"][7:18]}
        assert rows[-1].key_prefix == "ck_aaaaaaaa"
        assert [row.request_id for row in rows] == [answer.headers["x-request-id"] for answer, *_ in calls]
