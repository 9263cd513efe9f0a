"""A process remembers a key's row, and the statement that stores a sale compares it: what staff change holds at once.

Every test posts with a key that the process remembers, and looks at the very next call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import verification
from apikeys.hashing import hash_token
from apikeys.minting import Minted
from apikeys.models import ApiKey, Scope
from apikeys.tokens import check_characters, make_token
from catalogue.models import VatRate
from kasse.models import Transaction
from pos_bridge import admission
from pos_bridge.models import BridgeSettings, InboundCall
from pos_bridge.throttling import calls_in_last_hour
from tenants.models import Tenant
from tests.factories import mint
from tests.pos_bridge.breaking import CUT, assert_unavailable, commits_failing, statements_failing
from tests.till import Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.postgresql
WARM = 2


@pytest.fixture
def known(seeblick: Tenant, waldrand: Tenant) -> Minted:
    """A key with a budget of ten, of which this process remembers the row as it stands."""
    minted = mint(seeblick, budget=10)
    for _ in range(WARM):  # the first use changes the row: it is noted
        assert Till(minted.token).get("/ping/").status_code == 200
    return minted


def statements_of(deed: Callable[[], Any]) -> list[str]:
    """The texts of what a deed asks the database."""
    with CaptureQueriesContext(connection) as queries:
        deed()
    return [query["sql"] for query in queries]


def counted(minted: Minted) -> int:
    """The calls of the last hour, those that made the key known left out."""
    return calls_in_last_hour(minted.key, at=timezone.now()) - WARM


def revoke(key: ApiKey) -> None:
    key.revoke(at=timezone.now())


def expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())


def close_campground(key: ApiKey) -> None:
    Tenant.objects.filter(pk=key.tenant_id).update(is_active=False)


def replace_hash(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(token_hash=hash_token(make_token()))


def rename_prefix(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(prefix="ck_elsewher")


def take_scope(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(scopes=[Scope.POS_READ])


def switch_bridge_off(key: ApiKey) -> None:
    BridgeSettings.objects.create(tenant=key.tenant, enabled=False)


def lower_budget(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(budget=WARM)


class TestARememberedKey:
    def test_stores_a_sale_with_one_statement(self, known: Minted) -> None:
        [statement] = statements_of(lambda: Till(known.token).post(croissants_and_coffee()))

        for table in ("apikeys_apikey", "pos_bridge_budgettotal", "kasse_transaction", "pos_bridge_inboundcall"):
            assert table in statement
        assert counted(known) == 1

    def test_is_asked_for_first_when_its_use_is_to_be_noted(
        self, known: Minted, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = timezone.now() + timedelta(minutes=2)
        monkeypatch.setattr("django.utils.timezone.now", lambda: later)

        statements = statements_of(lambda: Till(known.token).post(croissants_and_coffee()))

        assert ["INSERT INTO kasse_transaction " in each for each in statements] == [False, False, True]
        known.key.refresh_from_db()
        assert known.key.last_used_at == later

    @pytest.mark.parametrize(
        ("change", "status", "code", "calls"),
        [
            (revoke, 401, "key_inactive", 0),
            (expire, 401, "key_inactive", 0),
            (close_campground, 401, "key_inactive", 0),
            (replace_hash, 401, "invalid_key", 0),
            (rename_prefix, 401, "invalid_key", 0),
            (take_scope, 403, "insufficient_scope", 1),
            (switch_bridge_off, 403, "pos_bridge_disabled", 1),
            (lower_budget, 429, "throttled", 1),
        ],
    )
    def test_that_changes_is_refused_from_the_next_call(
        self, known: Minted, change: Callable[[ApiKey], None], status: int, code: str, calls: int
    ) -> None:
        till = Till(known.token)
        assert till.post(croissants_and_coffee(external_ref="T-1")).status_code == 201
        change(known.key)

        answer = till.post(croissants_and_coffee(external_ref="T-2"))

        assert (answer.status_code, body_of(answer)["code"]) == (status, code)
        assert list(Transaction.objects.values_list("external_ref", flat=True)) == ["T-1"]
        assert counted(known) == 1 + calls
        assert list(InboundCall.objects.order_by("id").values_list("status", flat=True)) == [200, 200, 201, status]

    @pytest.mark.parametrize("change", [revoke, replace_hash])
    def test_that_is_refused_tells_nothing_of_what_exists(
        self, known: Minted, change: Callable[[ApiKey], None]
    ) -> None:
        till = Till(known.token)
        till.post(croissants_and_coffee())
        change(known.key)

        refusals = [
            till.post(croissants_and_coffee()),
            till.post(croissants_and_coffee(total_amount="13.00", rounding_amount="0.50")),
            till.post(croissants_and_coffee(external_ref="new")),
            till.call("POST", "/transactions/", body=b"{"),
        ]

        assert {(answer.status_code, body_of(answer)["code"]) for answer in refusals} == {
            (401, body_of(refusals[0])["code"])
        }

    def test_that_is_of_nobody_any_more_leaves_no_campground_in_the_log(self, known: Minted) -> None:
        replace_hash(known.key)

        Till(known.token).post(croissants_and_coffee())

        assert InboundCall.objects.latest("id").tenant_id is None

    def test_leaves_the_neighbours_alone(self, known: Minted, waldrand: Tenant) -> None:
        theirs = mint(waldrand, budget=10)
        for _ in range(WARM):
            Till(theirs.token).get("/ping/")
        revoke(known.key)

        assert Till(theirs.token).post(croissants_and_coffee()).status_code == 201
        assert Till(known.token).post(croissants_and_coffee()).status_code == 401


class TestAReadWithARememberedKey:
    """It is counted, confirmed and logged at its end, in one commit."""

    @pytest.mark.parametrize(("path", "statements"), [("/ping/", 1), ("/transactions/T-1/", 2)])
    def test_costs_what_it_asks_for_and_one_statement_more(self, known: Minted, path: str, statements: int) -> None:
        till = Till(known.token)
        till.post(croissants_and_coffee(external_ref="T-1"))

        asked = statements_of(lambda: till.get(path))

        assert len(asked) == statements
        assert all(table in asked[-1] for table in ("apikeys_apikey", "budgettotal", "inboundcall"))
        assert counted(known) == 2

    @pytest.mark.parametrize("path", ["/ping/", "/transactions/T-1/", "/transactions/T-2/", "/products/", "/nothing/"])
    @pytest.mark.parametrize(
        ("change", "status", "calls"),
        [(revoke, 401, 0), (replace_hash, 401, 0), (switch_bridge_off, 403, 1), (lower_budget, 429, 1)],
    )
    def test_of_what_has_changed_is_refused_and_says_nothing_else(
        self, known: Minted, path: str, change: Callable[[ApiKey], None], status: int, calls: int
    ) -> None:
        till = Till(known.token)
        till.post(croissants_and_coffee(external_ref="T-1"))
        change(known.key)

        answer = till.get(path)

        expected = 404 if (path, status) == ("/nothing/", 403) else status
        assert (answer.status_code, counted(known)) == (expected, 1 + calls)
        assert b"12.50" not in answer.content
        assert InboundCall.objects.latest("id").status == expected

    def test_that_finds_nothing_is_confirmed_counted_and_logged_as_well(self, known: Minted) -> None:
        asked = statements_of(lambda: Till(known.token).read_back("T-1"))

        assert (len(asked), counted(known)) == (2, 1)
        assert InboundCall.objects.latest("id").status == 404

    def test_whose_log_ails_is_counted_and_answered(self, known: Minted, caplog: pytest.LogCaptureFixture) -> None:
        with statements_failing(DataError("out of range"), touching="INTO pos_bridge_inboundcall"):
            answer = Till(known.token).get("/ping/")

        assert (answer.status_code, counted(known)) == (200, 1)
        assert f'"request_id": "{answer["X-Request-Id"]}"' in caplog.text

    def test_whose_log_ails_is_confirmed_all_the_same(self, known: Minted) -> None:
        revoke(known.key)

        with statements_failing(DataError("out of range"), touching="INTO pos_bridge_inboundcall"):
            assert Till(known.token).get("/ping/").status_code == 401

    def test_without_a_budget_is_confirmed_too(self, seeblick: Tenant) -> None:
        free = mint(seeblick)
        for _ in range(WARM):
            Till(free.token).get("/ping/")
        revoke(free.key)

        assert Till(free.token).get("/ping/").status_code == 401
        assert Till(free.token).post(croissants_and_coffee()).status_code == 401


class TestTheTermsOfARememberedKey:
    def sale(self, rate: str) -> dict[str, Any]:
        coffee = {"description": "Kaffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50", "vat_rate": rate}
        return croissants_and_coffee(items=[coffee], total_amount="5.50")

    def test_are_those_of_today_for_a_rate_that_is_new(self, known: Minted) -> None:
        VatRate.objects.create(
            tenant=known.key.tenant, rate=Decimal("9.5"), valid_from="2026-01-01", label="Vorgezogener Satz"
        )

        assert Till(known.token).post(self.sale("9.5")).status_code == 201

    def test_are_those_of_today_for_a_rate_that_is_gone(self, known: Minted) -> None:
        VatRate.objects.of(known.key.tenant).filter(rate=Decimal("8.1")).delete()

        answer = Till(known.token).post(self.sale("8.1"))

        assert body_of(answer)["errors"][0]["code"] == "unknown_vat_rate"
        assert Transaction.objects.count() == 0

    def test_are_those_of_today_for_the_day_it_counts_for(self, known: Minted) -> None:
        Tenant.objects.filter(pk=known.key.tenant_id).update(cutoff_hour=12)

        answer = Till(known.token).post(croissants_and_coffee())

        assert body_of(answer)["business_date"] == "2026-04-28"

    def test_let_no_faulty_sale_in(self, known: Minted) -> None:
        answer = Till(known.token).post(croissants_and_coffee(total_amount="99.00"))

        assert (answer.status_code, counted(known)) == (400, 1)
        assert InboundCall.objects.filter(status=400).count() == 1


class TestTheMemory:
    def test_does_not_grow_without_end(self, known: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(admission, "MOST_REMEMBERED", 3)

        for _ in range(5):
            Till(mint(known.key.tenant).token).get("/ping/")

        assert len(admission._REMEMBERED) <= 3

    def test_holds_no_token(self, known: Minted) -> None:
        assert known.token not in str(admission._REMEMBERED)


@pytest.mark.django_db(transaction=True)
class TestAConnection:
    def test_that_died_since_the_last_call_is_replaced_unseen(self, known: Minted) -> None:
        till = Till(known.token)
        assert till.post(croissants_and_coffee(external_ref="T-1")).status_code == 201
        ours = connection.connection.info.backend_pid
        from_elsewhere(f"SELECT pg_terminate_backend({ours}, 5000)")

        assert till.post(croissants_and_coffee(external_ref="T-2")).status_code == 201
        assert counted(known) == 2

    def test_that_dies_in_the_middle_makes_a_503_and_counts_once(self, known: Minted) -> None:
        with commits_failing(CUT):
            assert_unavailable(Till(known.token).post(croissants_and_coffee()))

        assert Till(known.token).post(croissants_and_coffee()).status_code == 201
        assert counted(known) == 1


def from_elsewhere(statement: str) -> None:
    """Ask the database over a connection of its own."""
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute(statement)
    finally:
        own.close()


class TestATokenThatIsNotProvenYet:
    def test_holds_no_connection_while_it_is_hashed(self, known: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        deeds: list[str] = []

        def fits_not(*_: str) -> bool:
            deeds.append("hashed")
            return False

        monkeypatch.setattr(admission, "do_without_connection", lambda: deeds.append("given back"))
        monkeypatch.setattr(verification, "token_fits", fits_not)

        assert Till(make_token()).get("/ping/").status_code == 401
        assert deeds == ["given back", "hashed"]
        assert Till(known.token).get("/ping/").status_code == 200
        assert deeds == ["given back", "hashed"]

    def test_under_a_prefix_that_is_remembered_is_looked_up_like_any_other(self, known: Minted) -> None:
        """Else the time that a look saves would tell which prefixes exist."""
        body = known.token[:-3] + ("x" if known.token[-3] != "x" else "y")
        forged = body + check_characters(body, settings.SECRET_KEY)

        theirs = statements_of(lambda: Till(forged).post(croissants_and_coffee()))
        nobodys = statements_of(lambda: Till(make_token()).post(croissants_and_coffee()))

        assert len(theirs) == len(nobodys)
        assert "FROM apikeys_apikey" in theirs[0]
