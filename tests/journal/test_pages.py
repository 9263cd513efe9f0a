"""The pages of the books: who may look, who may act, and what a bookkeeper reads there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from journal.due import run_due
from journal.models import Attempt, Revision, State
from journal.settings_models import AccountMapping, Flavor, JournalSettings
from kasse.models import PaymentMethod
from tenants.models import Role, Tenant, User
from tests.factories import ProductFactory, member
from tests.journal import fake_business_one
from tests.journal.books import DAY, NIGHT, StandingClock, books_of, in_business_one, open_revision, post_it
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.faults import Fault
from tests.kasse.selling import sell
from tests.pages import has, signed_in, text_of

LIST, ONE = "/buchhaltung/journal", f"/buchhaltung/journal/{DAY}/0"
SETTINGS, ACCOUNTS = "/einstellungen/sap", "/einstellungen/sap/konten"


@pytest.fixture(autouse=True)
def it_is_night(clock: StandingClock) -> Iterator[None]:
    """Sessions and tokens of forms live by the true clock."""
    with patch("journal.pages.timezone.now", clock), patch("journal.settings_pages.timezone.now", clock):
        yield


@pytest.fixture
def anna(seeblick: Tenant, waldrand: Tenant) -> User:
    return member(seeblick, Role.TENANT_ADMIN, username="anna")


@pytest.fixture
def admin(anna: User) -> Client:
    return signed_in(anna)


@pytest.fixture
def staff(seeblick: Tenant, waldrand: Tenant) -> Client:
    return signed_in(member(seeblick))


@pytest.fixture
def stranger(waldrand: Tenant) -> Client:
    return signed_in(member(waldrand, Role.TENANT_ADMIN))


def filled_in(**changes: str) -> dict[str, str]:
    """The settings' form as it is sent."""
    return {
        "enabled": "on",
        "first_date": DAY.isoformat(),
        "posting_hour": "2",
        "flavor": "files",
        "environment": "test",
        "company_currency": "CHF",
        **changes,
    }


def sap_filled_in(sap: FakeBusinessOne, **changes: str) -> dict[str, str]:
    fields = {
        "flavor": "business_one",
        "url": sap.url,
        "may_look_up": "on",
        "company": fake_business_one.COMPANY,
        "username": fake_business_one.USER,
        "password": fake_business_one.PASSWORD,
    }
    return filled_in(**{**fields, **changes})


class TestTheList:
    def test_shows_each_journal_with_its_state(
        self, staff: Client, seeblick: Tenant, waldrand: Tenant, clock: StandingClock
    ) -> None:
        books_of(seeblick)
        books_of(waldrand)
        sell(seeblick, "12.50")
        sell(waldrand, "99.00")
        list(run_due(clock=clock))

        page = staff.get(LIST)

        rows = re.findall(r'data-journal="([^"]+)" data-state="([^"]+)"', page.content.decode())
        assert rows == [(f"{DAY}/0", State.POSTED)]
        assert "12.50" in text_of(page, "journals")
        assert "99.00" not in page.content.decode()

    def test_says_which_days_wait(self, staff: Client, seeblick: Tenant) -> None:
        books_of(seeblick)
        sell(seeblick, "12.50")

        assert "29.04.2026" in text_of(staff.get(LIST), "waiting")

    def test_leads_to_the_settings_where_there_are_none(self, staff: Client) -> None:
        page = staff.get(LIST)

        assert has(page, "switched-off")
        assert has(page, "nothing")

    def test_asks_few_questions_however_many_journals(self, staff: Client, seeblick: Tenant) -> None:
        books_of(seeblick)
        list(run_due(clock=StandingClock(NIGHT + timedelta(days=80))))
        with CaptureQueriesContext(connection) as asked:
            page = staff.get(LIST)

        assert page.content.decode().count("data-journal=") == 50
        assert len(asked) <= 8
        assert staff.get(LIST, {"seite": "2"}).content.decode().count("data-journal=") == 31
        assert staff.get(LIST, {"seite": "x"}).status_code == 200


class TestAJournal:
    def test_is_previewed_before_it_is_gathered(self, staff: Client, seeblick: Tenant) -> None:
        sell(seeblick, "12.50")
        page = staff.get(ONE)

        assert has(page, "preview")
        assert text_of(page, "debit") == text_of(page, "credit") == "12.50"
        assert not has(page, "post")

    def test_is_posted_reversed_and_posted_again(
        self, admin: Client, anna: User, seeblick: Tenant, business_one: FakeBusinessOne
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")

        assert admin.post(f"{ONE}/buchen").status_code == 302
        posted = admin.get(ONE)
        assert admin.post(f"{ONE}/stornieren", {"sure": "on"}).status_code == 302
        reversed_ = admin.get(ONE)
        assert admin.post(f"{ONE}/erneut").status_code == 302
        assert admin.post(f"{ONE}/buchen").status_code == 302

        assert text_of(posted, "number") == "5815"
        assert text_of(reversed_, "reversal") == "5816"
        assert [row.state for row in Revision.objects.order_by("revision")] == [State.REVERSED, State.POSTED]
        assert {attempt.by for attempt in Attempt.objects.all()} == {anna}
        assert len(business_one.live()) == 1

    def test_asks_few_questions_however_long_its_log(
        self, staff: Client, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        settings = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        revision = open_revision(settings, clock)
        for _turn in range(5):
            business_one.booking_faults.append(Fault.REFUSED)
            post_it(revision, settings, clock)
        with CaptureQueriesContext(connection) as asked:
            page = staff.get(ONE)

        assert page.content.decode().count("data-outcome=") == 5
        assert len(asked) <= 8, [each["sql"] for each in asked]

    def test_is_not_reversed_by_mistake(self, admin: Client, seeblick: Tenant, business_one: FakeBusinessOne) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        admin.post(f"{ONE}/buchen")

        assert admin.post(f"{ONE}/stornieren").status_code == 422
        assert Revision.objects.get().state == State.POSTED

    def test_whose_answer_was_lost_asks_a_person(
        self, admin: Client, seeblick: Tenant, business_one: FakeBusinessOne
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        business_one.booking_faults.append(Fault.DROP_AFTER)
        admin.post(f"{ONE}/buchen")
        page = admin.get(ONE)
        empty = admin.post(f"{ONE}/klaeren", {"found": "there"})
        wrong = admin.post(f"{ONE}/klaeren", {"found": "there", "number": "zwölf"})

        assert has(page, "settle")
        assert [empty.status_code, wrong.status_code] == [422, 422]
        assert admin.post(f"{ONE}/klaeren", {"found": "there", "number": "815"}).status_code == 302
        assert Revision.objects.get().sap_number == "815"

    def test_shows_the_log_of_what_was_tried(
        self, admin: Client, seeblick: Tenant, business_one: FakeBusinessOne
    ) -> None:
        in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        business_one.booking_faults.append(Fault.REFUSED)
        admin.post(f"{ONE}/buchen")

        page = admin.get(ONE)

        assert 'data-outcome="refused"' in page.content.decode()
        assert "posting period is locked" in text_of(page, "sentence")

    def test_says_which_amounts_have_no_account(self, staff: Client, seeblick: Tenant, clock: StandingClock) -> None:
        books_of(seeblick)
        sell(seeblick, "12.50", method=PaymentMethod.OTHER)
        list(run_due(clock=clock))

        assert 'class="pill yellow"' in staff.get(ONE).content.decode()
        assert "tender.front_desk.other" in text_of(staff.get(ONE), "lines")

    def test_is_downloaded_as_it_was_posted(self, staff: Client, seeblick: Tenant, clock: StandingClock) -> None:
        books_of(seeblick)
        sell(seeblick, "12.50")
        list(run_due(clock=clock))

        table, book = staff.get(f"{ONE}/1.csv"), staff.get(f"{ONE}/1.xlsx")

        assert table.content.decode("utf-8-sig").splitlines()[1].startswith("29.04.2026;C")
        assert book.content.startswith(b"PK")
        assert "attachment" in table["Content-Disposition"]
        assert staff.get(f"{ONE}/1-storno.csv").status_code == 404

    @pytest.mark.parametrize(
        "path",
        [
            f"{LIST}/2026-02-30/0",
            f"{LIST}/{DAY}/1",
            f"{LIST}/{DAY}/999999",
            f"{ONE}/1.csv",
            f"{ONE}/7.csv",
            f"{ONE}/1-x.csv",
            f"{LIST}/0000-01-01/0",
        ],
    )
    def test_that_is_not_there_is_404(self, staff: Client, seeblick: Tenant, path: str) -> None:
        books_of(seeblick)

        assert staff.get(path).status_code == 404

    def test_of_a_day_that_has_not_ended_is_not_posted(
        self, admin: Client, seeblick: Tenant, clock: StandingClock
    ) -> None:
        books_of(seeblick)
        tomorrow = f"{LIST}/{DAY + timedelta(days=1)}/0"

        assert not has(admin.get(tomorrow), "post")
        assert admin.post(f"{tomorrow}/buchen").status_code == 302
        assert Revision.objects.count() == 0


class TestWhoMay:
    DEEDS = [f"{ONE}/buchen", f"{ONE}/stornieren", f"{ONE}/erneut", f"{ONE}/klaeren", f"{SETTINGS}/testen"]

    @pytest.mark.parametrize("path", [*DEEDS, SETTINGS, ACCOUNTS])
    def test_change_is_an_admin(self, staff: Client, seeblick: Tenant, path: str) -> None:
        books_of(seeblick)

        assert staff.post(path).status_code == 403

    @pytest.mark.parametrize("path", [LIST, ONE, SETTINGS, ACCOUNTS])
    def test_look_is_whoever_works_there(self, staff: Client, seeblick: Tenant, path: str) -> None:
        books_of(seeblick)

        assert staff.get(path).status_code == 200
        assert Client().get(path).status_code == 302

    def test_touch_another_campgrounds_journal_is_nobody(
        self, stranger: Client, seeblick: Tenant, waldrand: Tenant, clock: StandingClock
    ) -> None:
        books_of(seeblick)
        books_of(waldrand, enabled=False, first_date=DAY + timedelta(days=9))
        sell(seeblick, "12.50")
        list(run_due(clock=clock))

        assert has(stranger.get(ONE), "no-lines")
        assert stranger.get(f"{ONE}/1.csv").status_code == 404
        assert stranger.post(f"{ONE}/stornieren", {"sure": "on"}).status_code == 404
        assert Revision.objects.get().state == State.POSTED

    @pytest.mark.parametrize("path", DEEDS)
    def test_do_things_by_a_link_is_nobody(self, admin: Client, path: str) -> None:
        assert admin.get(path).status_code in {404, 405}


class TestSettings:
    def test_are_kept_and_lead_to_sap(self, admin: Client, seeblick: Tenant, business_one: FakeBusinessOne) -> None:
        saved = admin.post(SETTINGS, sap_filled_in(business_one))
        tested = admin.post(f"{SETTINGS}/testen")

        assert [saved.status_code, tested.status_code] == [302, 302]
        stored = JournalSettings.objects.get()
        assert (stored.tenant, stored.flavor, stored.test_passed) == (seeblick, Flavor.BUSINESS_ONE, True)
        assert business_one.entries == {}
        assert 'class="pill green"' in admin.get(SETTINGS).content.decode()

    def test_never_show_the_password_again(self, admin: Client, business_one: FakeBusinessOne) -> None:
        admin.post(SETTINGS, sap_filled_in(business_one))
        stored = JournalSettings.objects.get()
        wrong = admin.post(SETTINGS, sap_filled_in(business_one, posting_hour="99"))

        for shown in (admin.get(SETTINGS).content.decode(), wrong.content.decode(), repr(stored), str(stored.__dict__)):
            assert fake_business_one.PASSWORD not in shown
        assert wrong.status_code == 422
        assert stored.sealed_password not in admin.get(SETTINGS).content.decode()

    def test_keep_the_password_when_it_is_left_empty(self, admin: Client, business_one: FakeBusinessOne) -> None:
        admin.post(SETTINGS, sap_filled_in(business_one))
        sealed = JournalSettings.objects.get().sealed_password

        assert admin.post(SETTINGS, sap_filled_in(business_one, password="", posting_hour="4")).status_code == 302
        assert JournalSettings.objects.get().sealed_password == sealed

    @pytest.mark.parametrize(
        "change", [{"url": "https://elsewhere.example/b1s/v1"}, {"username": "eva"}, {"flavor": "s4hana"}]
    )
    def test_want_the_password_again_when_it_would_go_elsewhere(
        self, admin: Client, business_one: FakeBusinessOne, change: dict[str, str]
    ) -> None:
        admin.post(SETTINGS, sap_filled_in(business_one))

        assert admin.post(SETTINGS, sap_filled_in(business_one, password="", **change)).status_code == 422
        assert JournalSettings.objects.get().url == business_one.url

    @pytest.mark.parametrize(
        "change",
        [
            {"url": "ftp://sap.example"},
            {"url": "https://eva:geheim@sap.example"},
            {"url": "https://[::1"},
            {"url": ""},
            {"posting_hour": "24"},
            {"first_date": "gestern"},
            {"first_date": "1926-04-29"},
            {"company_currency": "Franken"},
            {"flavor": "oracle"},
            {"company": ""},
            {"password": ""},
        ],
    )
    def test_that_are_wrong_are_said_beside_the_field(
        self, admin: Client, business_one: FakeBusinessOne, change: dict[str, str]
    ) -> None:
        refused = admin.post(SETTINGS, sap_filled_in(business_one, **change))

        assert refused.status_code == 422
        assert "errorlist" in refused.content.decode()
        assert JournalSettings.objects.count() == 0

    def test_of_a_connection_that_does_not_work_turn_red(
        self, admin: Client, seeblick: Tenant, business_one: FakeBusinessOne
    ) -> None:
        admin.post(SETTINGS, sap_filled_in(business_one, password="wrong"))
        admin.post(f"{SETTINGS}/testen")

        page = admin.get(SETTINGS)

        assert 'class="pill red"' in page.content.decode()
        assert "100000027" in text_of(page, "tested")


class TestAccounts:
    def field_of(self, page: Any, key: str) -> str:
        found = re.search(
            rf'<tr data-key="{re.escape(key)}">.*?name="(account-[^"]+)"', page.content.decode(), re.DOTALL
        )
        assert found, key
        return found[1]

    def test_show_defaults_and_what_the_campground_sells(self, staff: Client, seeblick: Tenant) -> None:
        ProductFactory.create(tenant=seeblick, category="Gas & Strom")
        shown = text_of(staff.get(ACCOUNTS), "accounts")

        assert "tender.cash 1000" in shown
        assert "revenue.gas-strom.*" in shown

    def test_of_the_campground_are_kept_and_taken_away(self, admin: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        AccountMapping.objects.create(tenant=waldrand, key="tender.cash", account="1009")
        name = self.field_of(admin.get(ACCOUNTS), "tender.cash")

        assert admin.post(ACCOUNTS, {name: "1001"}).status_code == 302
        assert AccountMapping.objects.of(seeblick).get().account == "1001"
        assert admin.post(ACCOUNTS, {name: ""}).status_code == 302
        assert AccountMapping.objects.of(seeblick).count() == 0
        assert AccountMapping.objects.of(waldrand).get().account == "1009"

    @pytest.mark.parametrize("account", ["10 00", "1" * 16, "<b>", "=1+1"])
    def test_that_are_none_are_refused(self, admin: Client, account: str) -> None:
        name = self.field_of(admin.get(ACCOUNTS), "tender.cash")

        assert admin.post(ACCOUNTS, {name: account}).status_code == 422
        assert AccountMapping.objects.count() == 0

    def test_that_were_missing_make_journals_due_at_once(
        self, admin: Client, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        in_business_one(seeblick, business_one, block_unmapped=True)
        sell(seeblick, "12.50", method=PaymentMethod.OTHER)
        list(run_due(clock=clock))
        blocked = Revision.objects.get().state
        admin.post(ACCOUNTS, {self.field_of(admin.get(ACCOUNTS), "tender.other"): "1095"})
        list(run_due(clock=clock))

        assert [blocked, Revision.objects.get().state] == [State.BLOCKED, State.POSTED]
        assert clock.now == NIGHT
