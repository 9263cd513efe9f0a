"""Connect a till: the token once, programs that run, and a list that ticks itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from apikeys.minting import Minted, mint_key
from apikeys.models import ApiKey
from kasse.models import Transaction
from pos_bridge.models import InboundCall, Outcome
from pos_bridge.pages.progress import TITLES, steps_of
from pos_bridge.pages.snippets import PLACEHOLDER, first_sale
from pos_bridge.pill import pill_of
from tenants.models import Role, Tenant
from tests.factories import BOTH, mint
from tests.pos_bridge.browsing import CONNECT, LIVE, MOST_QUERIES, TOKEN, at_work, form_id, generate, shown, values
from tests.till import Till, croissants_and_coffee


@pytest.fixture
def chief(seeblick: Tenant, waldrand: Tenant) -> Client:
    return at_work(seeblick)


@pytest.fixture
def fresh(seeblick: Tenant, waldrand: Tenant) -> Minted:
    """A key of this very moment."""
    return mint_key(tenant=seeblick, name="Kiosk am See", scopes=BOTH, at=timezone.now())


def token_of(page: str) -> str:
    """The token on a page, however often it stands there."""
    (token,) = set(TOKEN.findall(page))
    return str(token)


def snippet(page: str, name: str) -> str:
    """A program on a page, as it would be copied."""
    (text,) = re.findall(rf'<code id="snippet-{name}">(.*?)</code>', page, re.DOTALL)
    return unescape(str(text))


def done(browser: Client, key: ApiKey) -> set[str]:
    """What is ticked off."""
    part = shown(browser.get(f"{CONNECT}/{key.pk}", headers=LIVE))
    return {step for step, is_done in zip(values(part, "step"), values(part, "done"), strict=True) if is_done == "yes"}


class TestConnecting:
    def test_gives_token_address_codes_and_programs(self, chief: Client) -> None:
        page = shown(generate(chief, CONNECT))

        token = token_of(page)
        assert f'value="{token}"' in page
        assert 'value="https://api.campone.example/api/v1/public/pos/transactions/"' in page
        assert page.count("<svg viewBox") == 2
        assert all(token in snippet(page, name) for name in ("curl", "python", "javascript"))
        assert "style=" not in page

    def test_leads_whoever_reloads_to_the_keys_own_page(self, chief: Client) -> None:
        page = shown(generate(chief, CONNECT))

        key = ApiKey.objects.get()
        assert values(page, "forget") == [f"{CONNECT}/{key.pk}"]
        again = shown(chief.get(f"{CONNECT}/{key.pk}"))
        assert TOKEN.findall(again) == []
        assert PLACEHOLDER in snippet(again, "curl")

    def test_sent_twice_mints_one_key(self, chief: Client) -> None:
        number = form_id(chief, CONNECT)
        token_of(shown(generate(chief, CONNECT, form_id=number)))

        again = generate(chief, CONNECT, form_id=number)

        assert again["Location"] == f"{CONNECT}/{ApiKey.objects.get().pk}"

    def test_may_not_be_kept_by_a_cache(self, chief: Client) -> None:
        assert "no-store" in generate(chief, CONNECT).headers["Cache-Control"]

    def test_says_beside_the_field_what_is_wrong(self, chief: Client) -> None:
        response = generate(chief, CONNECT, name="")

        assert set(response.context["form"].errors) == {"name"}
        assert not ApiKey.objects.exists()

    def test_lets_staff_look_on(self, seeblick: Tenant, fresh: Minted) -> None:
        browser = at_work(seeblick, Role.STAFF)

        page = shown(browser.get(CONNECT))

        assert f"{CONNECT}/{fresh.key.pk}" in page
        assert 'id="generate"' not in page
        assert browser.post(CONNECT, {"name": "Zettle"}).status_code == 403
        assert shown(browser.get(f"{CONNECT}/{fresh.key.pk}"))

    def test_leaves_the_pill_green_after_the_first_sale_of_nothing(
        self, chief: Client, fresh: Minted, seeblick: Tenant
    ) -> None:
        assert Till(fresh.token).post(first_sale(fresh.key)).status_code == 201

        assert pill_of(seeblick, at=timezone.now()).colour == "green"

    def test_offers_only_what_the_key_may_do(self, chief: Client) -> None:
        page = shown(generate(chief, CONNECT, scopes=["pos:read"]))

        assert "--data" not in snippet(page, "curl")
        assert "/products/" in snippet(page, "curl")
        assert values(page, "step") == ["read_back", "catalogue"]

    @pytest.mark.parametrize("live", [{}, LIVE])
    def test_asks_the_database_as_often_whatever_there_is(
        self, live: dict[str, str], chief: Client, fresh: Minted, django_assert_max_num_queries: Any
    ) -> None:
        till = Till(fresh.token)
        for number in range(30):
            till.post(croissants_and_coffee(external_ref=f"kiosk-{number}"))

        with django_assert_max_num_queries(MOST_QUERIES):
            chief.get(f"{CONNECT}/{fresh.key.pk}", headers=live)
        with django_assert_max_num_queries(MOST_QUERIES):
            chief.get(CONNECT)


class TestTheSteps:
    def test_are_ticked_off_by_what_the_till_does(self, chief: Client, fresh: Minted) -> None:
        till = Till(fresh.token)
        assert done(chief, fresh.key) == set()

        till.post(croissants_and_coffee())
        assert done(chief, fresh.key) == {"created"}
        till.post(croissants_and_coffee())
        assert done(chief, fresh.key) == {"created", "replayed"}
        back = [{"description": "Kaffee", "quantity": -1, "unit_price": "5.50", "line_total": "-5.50"}]
        till.post(croissants_and_coffee(external_ref="R-1", total_amount="-5.50", items=back))
        assert done(chief, fresh.key) == {"created", "replayed", "refunded"}
        till.read_back("R-1")
        assert done(chief, fresh.key) == {"created", "replayed", "refunded", "read_back"}
        till.get("/products/")

        assert done(chief, fresh.key) == {code for code, *_ in TITLES}
        assert 'id="all-done"' in shown(chief.get(f"{CONNECT}/{fresh.key.pk}"))

    def test_are_not_ticked_off_by_what_was_refused(self, chief: Client, fresh: Minted) -> None:
        till = Till(fresh.token)
        till.post(croissants_and_coffee(total_amount="1.00"))
        till.read_back("nothing-here")
        till.get("/products/?colour=red")
        till.get("/transactions/")
        till.get("/ping/")

        assert done(chief, fresh.key) == set()

    def test_are_not_ticked_off_by_a_sale_that_is_only_tried_out(self, chief: Client, fresh: Minted) -> None:
        body = json.dumps(croissants_and_coffee()).encode()

        assert Till(fresh.token).call("POST", "/transactions/?dry_run=1", body=body).status_code == 200

        assert done(chief, fresh.key) == set()

    def test_are_not_ticked_off_by_another_till(self, chief: Client, fresh: Minted, till: Till) -> None:
        back = [{"description": "Kaffee", "quantity": -1, "unit_price": "5.50", "line_total": "-5.50"}]
        till.post(croissants_and_coffee(total_amount="-5.50", items=back))
        till.read_back("seeblick-2026-04-29-T-1")
        till.get("/products/")

        assert done(chief, fresh.key) == set()

    def test_take_a_catalogue_that_has_not_changed(self, chief: Client, fresh: Minted) -> None:
        till = Till(fresh.token)
        etag = till.get("/products/").headers["ETag"]
        InboundCall.objects.all().delete()

        assert till.get("/products/", if_none_match=etag).status_code == 304
        assert done(chief, fresh.key) == {"catalogue"}

    def test_of_an_old_key_look_a_month_back(self, seeblick: Tenant, key: Minted) -> None:
        Till(key.token).post(croissants_and_coffee())
        now = timezone.now()

        codes = {
            days: {s.code for s in steps_of(key.key, at=now + timedelta(days=days)) if s.done} for days in (29, 31)
        }

        assert codes == {29: {"created"}, 31: set()}


class TestTheCallsOfAKey:
    def test_are_explained_as_they_come(self, chief: Client, fresh: Minted, till: Till) -> None:
        till.get("/ping/")
        Till(fresh.token).post(croissants_and_coffee(external_ref=" x "))

        response = chief.get(f"{CONNECT}/{fresh.key.pk}", headers=LIVE)

        (row,) = response.context["rows"]
        assert (row.explanation.field, row.call.outcome) == ("external_ref", Outcome.REFUSED)
        assert str(row.explanation.happened) in unescape(shown(response))

    def test_are_shown_for_a_key_that_is_revoked_meanwhile(self, chief: Client, fresh: Minted) -> None:
        fresh.key.revoke(at=timezone.now())
        Till(fresh.token).get("/ping/")

        assert values(shown(chief.get(f"{CONNECT}/{fresh.key.pk}")), "code") == ["key_inactive"]

    def test_of_a_neighbour_are_not_found(self, chief: Client, waldrand: Tenant) -> None:
        theirs = mint(waldrand).key

        assert chief.get(f"{CONNECT}/{theirs.pk}").status_code == 404
        assert chief.get(f"{CONNECT}/{theirs.pk}", headers=LIVE).status_code == 404
        assert f"{CONNECT}/{theirs.pk}" not in shown(chief.get(CONNECT))


@pytest.mark.django_db(transaction=True)
class TestTheProgramsOnThePage:
    """Copied from the page and run as they are, before a server."""

    @pytest.fixture
    def page(self, live_server: LiveServer, settings: Any, seeblick: Tenant, waldrand: Tenant) -> str:
        settings.PUBLIC_URL = live_server.url
        return shown(generate(at_work(seeblick), CONNECT))

    def run(self, *command: str, program: str) -> str:
        finished = subprocess.run(command, input=program, capture_output=True, text=True, timeout=60, check=True)
        return finished.stdout

    def check(self, key: ApiKey, chief: Client) -> None:
        sale = Transaction.objects.get()
        assert (sale.api_key, sale.total_amount) == (key, Decimal(0))
        assert set(InboundCall.objects.filter(api_key=key).values_list("status", flat=True)) == {200, 201}
        assert done(chief, key) == {"created", "replayed", "read_back", "catalogue"}

    # What a machine has no interpreter for is no test there; CI has both, and a browser runs the JavaScript too.
    if shutil.which("curl"):

        def test_run_in_a_shell(self, page: str, seeblick: Tenant) -> None:
            for _ in range(2):
                answer = self.run("sh", "-e", program=snippet(page, "curl"))

            assert answer.count('"external_ref"') == 2
            self.check(ApiKey.objects.get(), at_work(seeblick))

    def test_run_in_python(self, page: str, seeblick: Tenant) -> None:
        answers = [self.run(sys.executable, "-I", "-", program=snippet(page, "python")) for _ in range(2)]

        assert [answer.split()[0] for answer in answers] == ["201", "200"]
        self.check(ApiKey.objects.get(), at_work(seeblick))

    def test_tell_what_was_refused(self, page: str) -> None:
        answer = self.run(sys.executable, "-I", "-", program=snippet(page, "python").replace('"0.00"', '"0.01"', 1))

        assert answer.startswith("400 ")
        assert "total_mismatch" in answer

    if shutil.which("node"):

        def test_run_in_node(self, page: str, seeblick: Tenant) -> None:
            for _ in range(2):
                self.run("node", "-", program=snippet(page, "javascript"))

            self.check(ApiKey.objects.get(), at_work(seeblick))
