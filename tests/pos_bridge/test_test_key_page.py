"""The page of a test key: the one place where staff see what a till has tried out."""

from __future__ import annotations

import re

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys.minting import Minted
from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.losing_models import Losing, LosingAnswers
from pos_bridge.models import InboundCall
from pos_bridge.pages import rehearsing
from tenants.models import Role, Tenant
from tests.factories import mint
from tests.pos_bridge.browsing import CARD, CONNECT, KEYS, LIVE, MOST_QUERIES, at_work, generate, shown, values
from tests.till import Till, croissants_and_coffee

TOKEN = re.compile(r"ckt_[A-Za-z0-9]{32}")


def page_of(key: Minted) -> str:
    return f"{CONNECT}/{key.key.pk}"


def steps(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-step="(\w+)" data-done="(\w+)"', page))


@pytest.fixture
def admin(seeblick: Tenant, waldrand: Tenant) -> Client:
    return at_work(seeblick)


class TestMinting:
    @pytest.mark.parametrize("path", [CONNECT, f"{KEYS}/neu"])
    def test_a_test_key_is_a_choice_of_the_form(self, admin: Client, seeblick: Tenant, path: str) -> None:
        page = shown(generate(admin, path, is_test="on"))

        (token,) = set(TOKEN.findall(page))
        key = ApiKey.objects.get()
        assert (key.tenant_id, key.prefix) == (-seeblick.pk, token[:12])
        assert Till(token).post(croissants_and_coffee()).status_code == 201
        assert not Transaction.objects.of(seeblick).exists()

    def test_it_happens_once_for_a_form(self, admin: Client) -> None:
        first = generate(admin, CONNECT, is_test="on")
        form_id = "5b2d6c1e-0000-4000-8000-000000000001"
        for _ in range(2):
            again = generate(admin, CONNECT, is_test="on", form_id=form_id)

        assert first.status_code == 200
        assert again.status_code == 302
        assert ApiKey.objects.count() == 2

    def test_without_the_choice_it_is_a_real_one(self, admin: Client, seeblick: Tenant) -> None:
        generate(admin, CONNECT)

        assert ApiKey.objects.get().tenant_id == seeblick.pk


class TestThePageOfATestKey:
    def test_says_that_nothing_counts(self, admin: Client, trial: Minted, key: Minted) -> None:
        assert 'id="test-key"' in shown(admin.get(page_of(trial)))
        assert "data-test" not in shown(admin.get(page_of(key)))

    def test_shows_what_the_till_has_sent_and_no_real_sale(
        self, admin: Client, trial: Minted, trying: Till, till: Till
    ) -> None:
        till.post(croissants_and_coffee(external_ref="real-1"))
        trying.post(croissants_and_coffee(external_ref="T-1"))
        trying.post(croissants_and_coffee(external_ref="T-2"))

        page = shown(admin.get(page_of(trial)))

        assert values(page, "test-sale") == ["T-2", "T-1"]
        assert "real-1" not in page
        assert values(shown(admin.get(page_of(trial), headers=LIVE)), "test-sale") == ["T-2", "T-1"]

    def test_shows_the_sales_of_its_own_till_alone(self, admin: Client, stage: Tenant, trial: Minted) -> None:
        Till(mint(stage).token).post(croissants_and_coffee())

        assert values(shown(admin.get(page_of(trial))), "test-sale") == []

    def test_cuts_a_long_list(
        self, admin: Client, trial: Minted, trying: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rehearsing, "MOST_SALES", 2)
        for number in range(3):
            trying.post(croissants_and_coffee(external_ref=f"T-{number}"))

        assert values(shown(admin.get(page_of(trial))), "test-sale") == ["T-2", "T-1"]

    def test_shows_what_a_till_has_written_as_text(self, admin: Client, trial: Minted, trying: Till) -> None:
        trying.post(croissants_and_coffee(external_ref="<script>alert(1)</script>"))

        assert "<script>alert" not in shown(admin.get(page_of(trial)))

    def test_asks_little_of_the_database(self, admin: Client, trial: Minted, trying: Till) -> None:
        for number in range(30):
            trying.post(croissants_and_coffee(external_ref=f"T-{number}"))

        with CaptureQueriesContext(connection) as queries:
            shown(admin.get(page_of(trial)))

        assert len(queries) <= MOST_QUERIES, [each["sql"] for each in queries]

    def test_leads_to_its_calls_and_to_no_page_of_a_real_sale(
        self, admin: Client, trial: Minted, trying: Till, till: Till
    ) -> None:
        for each in (till, trying):
            each.post(croissants_and_coffee())

        page = shown(admin.get(page_of(trial)))
        call = InboundCall.objects.get(api_key=trial.key)

        assert f"{CARD}/protokoll/{call.pk}" in page
        assert "/kasse/transaktionen/" not in page
        assert "data-test" in shown(admin.get(f"{CARD}/protokoll/{call.pk}"))

    def test_is_the_neighbours_to_nobody_else(self, waldrand: Tenant, trial: Minted, trying: Till) -> None:
        trying.post(croissants_and_coffee())
        neighbour = at_work(waldrand)
        call = InboundCall.objects.get()

        for path in ("", "/antworten-verlieren", "/probe-leeren"):
            for method in (neighbour.get, neighbour.post):
                assert method(page_of(trial) + path).status_code in {404, 405}
        assert neighbour.get(f"{CARD}/protokoll/{call.pk}").status_code == 404
        assert neighbour.post(f"{KEYS}/{trial.key.pk}/widerrufen").status_code == 404

    def test_can_revoke_it(self, admin: Client, trial: Minted, trying: Till) -> None:
        answer = admin.post(f"{KEYS}/{trial.key.pk}/widerrufen")

        assert answer.headers["Location"] == CONNECT
        assert trying.get("/ping/").status_code == 401


class TestTheWalkThrough:
    def test_ticks_off_the_loss_and_the_retry(self, admin: Client, trial: Minted, trying: Till) -> None:
        def told() -> tuple[str, str]:
            found = steps(shown(admin.get(page_of(trial), headers=LIVE)))
            return found["lost"], found["survived"]

        trying.post(croissants_and_coffee(external_ref="before"))
        trying.post(croissants_and_coffee(external_ref="before"))
        assert told() == ("no", "no")

        admin.post(page_of(trial) + "/antworten-verlieren", {"mode": "once"})
        trying.post(croissants_and_coffee())
        assert told() == ("yes", "no")

        trying.post(croissants_and_coffee(external_ref="another"))
        assert told() == ("yes", "no")

        trying.post(croissants_and_coffee())
        assert told() == ("yes", "yes")

    def test_is_not_for_real_keys(self, admin: Client, key: Minted) -> None:
        assert "lost" not in steps(shown(admin.get(page_of(key))))

    def test_says_of_the_call_what_has_happened(self, admin: Client, trial: Minted, trying: Till) -> None:
        trying.post(croissants_and_coffee(), x_lose_answer="1")

        page = shown(admin.get(page_of(trial)))

        assert values(page, "code") == ["answer_lost"]
        assert values(page, "outcome") == ["created"]


class TestTheSwitch:
    def test_is_turned_by_admins(self, admin: Client, trial: Minted) -> None:
        for mode in ("once", "this", "never"):
            assert admin.post(page_of(trial) + "/antworten-verlieren", {"mode": mode}).status_code == 302
            assert values(shown(admin.get(page_of(trial))), "losing") == [mode]

    def test_reads_the_same_in_either_turn(self, admin: Client, stage: Tenant, trial: Minted) -> None:
        LosingAnswers.objects.create(tenant=stage, api_key=trial.key, mode=Losing.OTHER)

        assert values(shown(admin.get(page_of(trial))), "losing") == ["this"]

    @pytest.mark.parametrize("mode", ["", "other", "always", "\x00"])
    def test_takes_nothing_else(self, admin: Client, trial: Minted, mode: str) -> None:
        admin.post(page_of(trial) + "/antworten-verlieren", {"mode": mode})

        assert not LosingAnswers.objects.exists()

    def test_is_nothing_for_staff_nor_for_real_keys(
        self, seeblick: Tenant, admin: Client, trial: Minted, key: Minted
    ) -> None:
        staff = at_work(seeblick, Role.STAFF)

        assert 'id="lose"' not in shown(staff.get(page_of(trial)))
        assert staff.post(page_of(trial) + "/antworten-verlieren", {"mode": "once"}).status_code == 403
        assert admin.post(page_of(key) + "/antworten-verlieren", {"mode": "once"}).status_code == 404
        assert not LosingAnswers.objects.exists()


class TestEmptying:
    def test_asks_first_and_forgets_then(self, admin: Client, stage: Tenant, trial: Minted, trying: Till) -> None:
        trying.post(croissants_and_coffee())

        assert 'id="forget"' in shown(admin.get(page_of(trial) + "/probe-leeren"))
        assert Transaction.objects.of(stage).count() == 1
        assert admin.post(page_of(trial) + "/probe-leeren").headers["Location"] == page_of(trial)

        assert Transaction.objects.of(stage).count() == 0
        assert steps(shown(admin.get(page_of(trial))))["created"] == "no"

    def test_is_not_for_staff_nor_for_real_keys(
        self, seeblick: Tenant, admin: Client, trial: Minted, key: Minted, till: Till
    ) -> None:
        till.post(croissants_and_coffee())

        assert at_work(seeblick, Role.STAFF).post(page_of(trial) + "/probe-leeren").status_code == 403
        assert admin.post(page_of(key) + "/probe-leeren").status_code == 404
        assert Transaction.objects.of(seeblick).count() == 1

    def test_waits_while_a_till_is_sending(self, admin: Client, trial: Minted, monkeypatch: pytest.MonkeyPatch) -> None:
        def meets(*_args: object, **_named: object) -> int:
            raise IntegrityError

        monkeypatch.setattr(rehearsing, "forget_test_sales", meets)

        assert admin.post(page_of(trial) + "/probe-leeren").headers["Location"] == page_of(trial) + "/probe-leeren"
