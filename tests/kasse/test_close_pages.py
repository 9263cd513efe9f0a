"""The pages of the daily close: who may look, who may close, and what is shown to the Rappen."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kasse.closing_models import CashDeskSettings, DailyClose
from kasse.models import PaymentMethod, Source
from tenants.models import Role, Tenant, User
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, evening, sell, tomorrow
from tests.pages import has, signed_in, text_of

YESTERDAY = DAY - timedelta(days=1)
ADDRESS = f"/kasse/abschluss/{DAY}"


@pytest.fixture(autouse=True)
def half_past_nine() -> Any:
    """It is the evening of the day; sessions and tokens of forms live by the true clock."""
    with patch("kasse.close_pages.timezone.now", return_value=evening()):
        yield


@pytest.fixture
def anna(seeblick: Tenant, waldrand: Tenant) -> User:
    return member(seeblick, Role.TENANT_ADMIN, username="anna", first_name="Anna", last_name="Keller")


@pytest.fixture
def admin(anna: User) -> Client:
    return signed_in(anna)


@pytest.fixture
def staff(seeblick: Tenant, waldrand: Tenant) -> Client:
    return signed_in(member(seeblick))


def count(**changes: str) -> dict[str, str]:
    """A form as it is sent; nothing was taken and nothing counted."""
    return {"taken_seen": "0.00", "first_float": "0", "final": "on", **changes}


class TestWhoMayLook:
    @pytest.mark.parametrize(
        "address",
        [
            "/kasse/abschluss",
            "/kasse/abschluss/",
            ADDRESS,
            f"{ADDRESS}/",
            f"/kasse/abschluss/{YESTERDAY}",
            f"/kasse/abschluss/{YESTERDAY}.pdf",
            "/kasse/abschluss/woche",
            "/kasse/abschluss/woche/2026-W18",
        ],
    )
    def test_are_those_who_work_here(self, seeblick: Tenant, staff: Client, address: str) -> None:
        close(seeblick, YESTERDAY)

        assert staff.get(address).status_code == 200
        assert Client().get(address).headers["Location"].startswith("/anmelden")

    @pytest.mark.parametrize("address", [ADDRESS, f"{ADDRESS}.pdf"])
    def test_are_not_the_neighbours(self, waldrand: Tenant, staff: Client, address: str) -> None:
        sell(waldrand, "99.00")
        close(waldrand, counted="99.00")

        shown = staff.get(address)

        assert b"99.00" not in shown.content
        assert shown.status_code == (404 if address.endswith("pdf") else 200)

    @pytest.mark.parametrize(
        "address",
        [
            "2026-02-30",
            "1999-12-31",
            "2100-01-01",
            "0000-00-00",
            "9999-12-31",
            "2026-02-30.pdf",
            "heute",
            "woche/2026-W54",
            "woche/2026-W00",
            "woche/0001-W01",
            "woche/9999-W52",
            "?page=0",
            "?page=2",
            "?page=zwei",
            f"{DAY}.pdf",
        ],
    )
    def test_are_told_what_does_not_exist(self, admin: Client, address: str) -> None:
        separator = "" if address.startswith("?") else "/"

        assert admin.get(f"/kasse/abschluss{separator}{address}").status_code == 404

    @pytest.mark.parametrize("address", ["/kasse/abschluss", f"{ADDRESS}.pdf", "/kasse/abschluss/woche"])
    def test_only_look_where_there_is_nothing_to_close(self, admin: Client, address: str) -> None:
        assert admin.post(address).status_code == 405
        assert admin.delete(ADDRESS).status_code == 405


class TestWhoMayClose:
    def test_are_admins_alone(self, staff: Client) -> None:
        assert staff.post(ADDRESS, count()).status_code == 403
        assert not DailyClose.objects.exists()
        assert not has(staff.get(ADDRESS), "close-form")
        assert staff.get("/kasse/abschluss/einstellungen").status_code == 403

    def test_are_not_the_neighbours_admins(self, seeblick: Tenant, waldrand: Tenant) -> None:
        neighbour = signed_in(member(waldrand, Role.TENANT_ADMIN))
        sell(seeblick)

        neighbour.post(ADDRESS, count())

        assert [close.tenant for close in DailyClose.objects.all()] == [waldrand]

    def test_send_the_forms_token(self, anna: User) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(anna)

        assert strict.post(ADDRESS, count()).status_code == 403
        assert not DailyClose.objects.exists()


class TestClosing:
    def test_keeps_what_was_counted(self, seeblick: Tenant, admin: Client, anna: User) -> None:
        sell(seeblick, "131.35")

        answer = admin.post(
            ADDRESS,
            count(
                taken_seen="131.35",
                first_float="1'200,00",
                pieces_100000="1",
                pieces_10000="3",
                pieces_5="6",
                other=" 31.05 ",
                float_left="200.-",
            ),
        )

        kept = DailyClose.objects.of(seeblick).get()
        assert (answer.status_code, answer.headers["Location"]) == (302, ADDRESS)
        assert kept.counted == {"pieces": [["1000.00", 1], ["100.00", 3], ["0.05", 6]], "other": "31.05"}
        assert (kept.expected_amount, kept.variance, kept.float_left) == tuple(map(Decimal, ("1331.35", "0", "200")))
        assert (kept.closed_by, kept.closed_at) == (anna, evening())

    def test_is_checked_first_without_being_done(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick, "131.35")

        shown = admin.post(ADDRESS, {"taken_seen": "131.35", "first_float": "200", "pieces_10000": "3", "check": "1"})

        assert shown.status_code == 200
        assert [text_of(shown, each) for each in ("expected", "counted", "variance")] == ["331.35", "300.00", "-31.35"]
        assert 'value="3"' in shown.content.decode()
        assert not DailyClose.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"pieces_100": "-1"}, "pieces_100"),
            ({"pieces_100": "1.5"}, "pieces_100"),
            ({"pieces_100": "zwei"}, "pieces_100"),
            ({"pieces_100": "100000"}, "pieces_100"),
            ({"other": "-0.05"}, "other"),
            ({"other": "0.001"}, "other"),
            ({"other": "NaN"}, "other"),
            ({"other": "1e999999"}, "other"),
            ({"other": "999999999999"}, "other"),
            ({"other": "\x00"}, "other"),
            ({"other": "1e2"}, "other"),
            ({"other": "1_0"}, "other"),
            ({"other": "１２"}, "other"),
            ({"other": "1'0.50"}, "other"),
            ({"other": "1,234.50"}, "other"),
            ({"pieces_100": "１２"}, "pieces_100"),
            ({"pieces_100": "1_2"}, "pieces_100"),
            ({"pieces_100": "1.0"}, "pieces_100"),
            ({"first_float": "2e2"}, "first_float"),
            ({"first_float": ""}, "first_float"),
            ({"float_left": "-1"}, "float_left"),
            ({"float_left": "0.05"}, "float_left"),
            ({"final": ""}, "final"),
            ({"other": "0.05"}, "variance_reason"),
            ({"other": "0.05", "variance_reason": "  "}, "variance_reason"),
            ({"other": "0.05", "variance_reason": "x" * 1001}, "variance_reason"),
            ({"variance_reason": "\x00"}, "variance_reason"),
        ],
    )
    def test_is_refused_beside_the_field(self, admin: Client, changes: dict[str, str], field: str) -> None:
        shown = admin.post(ADDRESS, count(**changes))

        assert shown.status_code == 200
        assert list(shown.context["form"].errors) == [field]
        assert f'id="id_{field}_error"' in shown.content.decode()
        assert not DailyClose.objects.exists()

    @pytest.mark.parametrize(
        "amount", ["1'234.50", "1’234,50", "1 234.5", "1\u202f234.50", "1\u00a0234,5", " 1234.50 ", "01234.50"]
    )
    def test_takes_an_amount_as_hands_write_it(self, admin: Client, amount: str) -> None:
        assert admin.post(ADDRESS, count(other=amount, variance_reason="gefunden")).status_code == 302
        assert DailyClose.objects.get().counted_amount == Decimal("1234.50")

    def test_of_a_thousand_fields_and_more_is_refused(self, admin: Client) -> None:
        many = {f"pieces_{number}": "1" for number in range(2000)}

        assert admin.post(ADDRESS, count(**many)).status_code == 400
        assert not DailyClose.objects.exists()

    @pytest.mark.parametrize("seen", ["NaN", "1e999", "zwei", "0.001", "\x00", "9" * 400])
    def test_is_refused_if_what_was_seen_makes_no_sense(self, admin: Client, seen: str) -> None:
        assert admin.post(ADDRESS, count(taken_seen=seen)).status_code == 200
        assert not DailyClose.objects.exists()

    def test_is_asked_for_again_when_cash_came_in_meanwhile(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick, "12.50")
        sell(seeblick, "5.50")

        shown = admin.post(ADDRESS, count(taken_seen="12.50", other="12.50", variance_reason="fehlt"))

        assert not DailyClose.objects.exists()
        assert 'name="taken_seen" value="18.00"' in shown.content.decode()
        admin.post(ADDRESS, count(taken_seen="18.00", other="18.00"))
        assert DailyClose.objects.get().variance == 0

    def test_is_asked_for_again_when_the_float_is_another_meanwhile(self, seeblick: Tenant, admin: Client) -> None:
        """Somebody has closed an empty day in between, and taken money out."""
        close(seeblick, YESTERDAY - timedelta(days=1), counted="200.00", first_float=Decimal(200))
        assert 'name="opening_seen" value="200.00"' in admin.get(ADDRESS).content.decode()
        close(seeblick, YESTERDAY, counted="200.00", float_left=Decimal(150))

        seen = {"taken_seen": "0.00", "opening_seen": "200.00"}
        shown = admin.post(ADDRESS, count(**seen, other="150.00", variance_reason="50.00 fehlen"))

        assert shown.status_code == 200
        assert not DailyClose.objects.filter(business_date=DAY).exists()
        assert 'name="opening_seen" value="150.00"' in shown.content.decode()

    def test_a_second_time_shows_the_first(self, seeblick: Tenant, admin: Client) -> None:
        close(seeblick)

        answer = admin.post(ADDRESS, count())

        assert (answer.status_code, answer.headers["Location"]) == (302, ADDRESS)
        assert DailyClose.objects.count() == 1

    def test_asks_for_the_float_at_the_first_close_alone(self, seeblick: Tenant, admin: Client) -> None:
        assert has(admin.get(ADDRESS), "id_first_float")
        close(seeblick, YESTERDAY, counted="200.00", first_float=Decimal("200.00"))

        shown = admin.get(ADDRESS)

        assert not has(shown, "id_first_float")
        assert text_of(shown, "expected") == "200.00"

    def test_in_another_currency_asks_for_its_notes(self, seeblick: Tenant, admin: Client) -> None:
        for currency, value in (("EUR", "pieces_50000"), ("CHF", "pieces_100000")):
            Tenant.objects.filter(pk=seeblick.pk).update(currency=currency)
            assert has(admin.get(ADDRESS), f"id_{value}")
        Tenant.objects.filter(pk=seeblick.pk).update(currency="SEK")

        shown = admin.get(ADDRESS)
        admin.post(ADDRESS, count(other="500", first_float="500"))

        assert "pieces_" not in shown.content.decode()
        assert DailyClose.objects.get().currency == "SEK"

    def test_writes_texts_as_texts(self, seeblick: Tenant, admin: Client) -> None:
        script = "<script>alert(1)</script>"
        sell(seeblick, category=script)
        shown = admin.get(ADDRESS)
        close(seeblick, variance_reason=script)

        for page in (shown, admin.get(ADDRESS)):
            assert script not in page.content.decode()
            assert "&lt;script&gt;" in page.content.decode()


class TestADayThatHasToWait:
    def test_for_its_time_says_so(self, admin: Client) -> None:
        for answer in (
            admin.get(f"/kasse/abschluss/{tomorrow()}"),
            admin.post(f"/kasse/abschluss/{tomorrow()}", count()),
        ):
            assert has(answer, "obstacle")
            assert not has(answer, "close-form")
        assert not DailyClose.objects.exists()

    def test_for_an_earlier_one_leads_there(self, seeblick: Tenant, admin: Client) -> None:
        close(seeblick, YESTERDAY - timedelta(days=1))
        sell(seeblick, "7.00", day=YESTERDAY)

        shown = admin.get(ADDRESS)

        assert text_of(shown, "first") == "28.04.2026"
        assert f"/kasse/abschluss/{YESTERDAY}" in shown.content.decode()

    def test_for_ever_shows_what_came_for_it(self, seeblick: Tenant, admin: Client) -> None:
        close(seeblick, YESTERDAY)
        close(seeblick, tomorrow(), at=evening(tomorrow()))
        sell(seeblick, "7.00")

        shown = admin.get(ADDRESS)

        assert "30.04.2026" in text_of(shown, "obstacle")
        assert "7.00" in text_of(shown, "late-total")

    def test_because_of_two_currencies_says_so(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick)
        Tenant.objects.filter(pk=seeblick.pk).update(currency="EUR")
        seeblick.refresh_from_db()
        sell(seeblick)

        for answer in (admin.get(ADDRESS), admin.post(ADDRESS, count()), admin.get("/kasse/abschluss")):
            assert answer.status_code == 200
        assert "CHF, EUR" in text_of(admin.get(ADDRESS), "obstacle")

    def test_because_of_two_currencies_holds_no_later_day_up(self, seeblick: Tenant, admin: Client) -> None:
        close(seeblick, YESTERDAY - timedelta(days=1))
        sell(seeblick, day=YESTERDAY)
        Tenant.objects.filter(pk=seeblick.pk).update(currency="EUR")
        seeblick.refresh_from_db()
        sell(seeblick, day=YESTERDAY)

        assert close(seeblick).z_number == 2
        assert "CHF, EUR" in text_of(admin.get(f"/kasse/abschluss/{YESTERDAY}"), "obstacle")

    def test_shows_its_z_report_although_late_sales_are_in_two_currencies(
        self, seeblick: Tenant, admin: Client
    ) -> None:
        sell(seeblick, "12.50")
        close(seeblick, counted="12.50")
        sell(seeblick, "7.00")
        Tenant.objects.filter(pk=seeblick.pk).update(currency="EUR")
        seeblick.refresh_from_db()
        sell(seeblick, "5.00")

        shown = admin.get(ADDRESS)

        assert "CHF, EUR" in text_of(shown, "obstacle")
        assert "12.50" in text_of(shown, "z-report")


class TestTheList:
    def test_shows_what_is_closed_what_waits_and_what_came_late(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick, "1234.50", day=YESTERDAY)
        close(seeblick, YESTERDAY, counted="1234.00")
        sell(seeblick, "40.00", day=YESTERDAY)
        sell(seeblick, "7.00")

        shown = admin.get("/kasse/abschluss")

        row = text_of(shown, "closes")
        assert all(text in row for text in ("28.04.2026", "1'234.50", "-0.50", "1 · 40.00"))
        assert "29.04.2026" in text_of(shown, "waiting")
        assert "7.00" in text_of(shown, "waiting")

    def test_shows_a_day_that_was_passed_over_once_something_came_for_it(self, seeblick: Tenant, admin: Client) -> None:
        for day in (YESTERDAY - timedelta(days=2), DAY):
            close(seeblick, day)
        assert text_of(admin.get("/kasse/abschluss"), "closes").count("04.2026") == 2

        sell(seeblick, "7.00", day=YESTERDAY)

        assert "28.04.2026 – – – –" in text_of(admin.get("/kasse/abschluss"), "closes")

    def test_offers_today_until_it_is_closed(self, seeblick: Tenant, admin: Client) -> None:
        assert "29.04.2026" in text_of(admin.get("/kasse/abschluss"), "waiting")
        close(seeblick)
        assert not has(admin.get("/kasse/abschluss"), "waiting")

    def test_asks_few_questions_however_long_it_is(self, seeblick: Tenant, admin: Client) -> None:
        for days in range(60, 0, -1):
            close(seeblick, DAY - timedelta(days=days))
        for address in ("/kasse/abschluss", "/kasse/abschluss?page=2"):
            with CaptureQueriesContext(connection) as asked:
                shown = admin.get(address)
            assert len(asked) <= 8
        assert len(re.findall("data-day", shown.content.decode())) == 10

    def test_puts_a_day_between_two_pages_on_one_of_them(self, seeblick: Tenant, admin: Client) -> None:
        for days in range(120, 1, -2):
            close(seeblick, DAY - timedelta(days=days))
        between = [DAY - timedelta(days=days) for days in range(119, 2, -2)]
        for day in between:
            sell(seeblick, "1.00", day=day)

        shown = [
            day
            for page in (1, 2)
            for day in re.findall(r'data-day="([^"]+)"', admin.get(f"/kasse/abschluss?page={page}").content.decode())
        ]

        assert len(shown) == len(set(shown)) == 60 + len(between)


class TestTheZReportsPage:
    def test_asks_few_questions(self, seeblick: Tenant, admin: Client) -> None:
        for _ in range(20):
            sell(seeblick)
        pages = [ADDRESS, "/kasse/abschluss/woche/2026-W18"]
        for closed in (False, True):
            if closed:
                close(seeblick)
                sell(seeblick)
            for address in pages:
                with CaptureQueriesContext(connection) as asked:
                    assert admin.get(address).status_code == 200
                assert len(asked) <= 10

    def test_shows_late_sales_apart(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick, "12.50")
        close(seeblick, counted="12.50")
        before = text_of(admin.get(ADDRESS), "total")

        sell(seeblick, "40.00", method=PaymentMethod.CARD)

        shown = admin.get(ADDRESS)
        assert text_of(shown, "total") == before
        assert "40.00" in text_of(shown, "late-total")
        assert "40.00" not in text_of(shown, "total")


class TestTheWeek:
    def test_rolls_up_its_closes(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick, "108.10", day=YESTERDAY)
        close(seeblick, YESTERDAY, counted="108.00")
        sell(seeblick, "40.00", day=YESTERDAY)
        sell(seeblick, "7.00")

        shown = admin.get("/kasse/abschluss/woche/2026-W18")

        assert [text_of(shown, each) for each in ("closed", "late", "open", "variance")] == [
            "108.10",
            "40.00",
            "7.00",
            "-0.10",
        ]
        assert text_of(shown, "by-rate").endswith("8.1% 108.10 8.10 100.00")
        assert text_of(admin.get("/kasse/abschluss/woche"), "closed") == "108.10"

    def test_leads_to_the_ones_beside_it(self, admin: Client) -> None:
        shown = admin.get("/kasse/abschluss/woche/2026-W02").content.decode()

        assert "/woche/2026-W01" in shown
        assert "/woche/2026-W03" in shown

    def test_of_two_currencies_says_so(self, seeblick: Tenant, admin: Client) -> None:
        close(seeblick, YESTERDAY)
        Tenant.objects.filter(pk=seeblick.pk).update(currency="EUR")
        close(seeblick)

        assert has(admin.get("/kasse/abschluss/woche/2026-W18"), "obstacle")


class TestTheSwitch:
    def test_puts_the_cash_of_outside_tills_into_the_drawer(self, seeblick: Tenant, admin: Client) -> None:
        sell(seeblick, "30.00", source=Source.EXTERNAL_POS)
        assert text_of(admin.get(ADDRESS), "expected") == "0.00"

        answer = admin.post("/kasse/abschluss/einstellungen", {"external_cash_in_drawer": "on"})

        assert (answer.status_code, answer.headers["Location"]) == (302, "/kasse/abschluss")
        assert text_of(admin.get(ADDRESS), "expected") == "30.00"
        assert "checked" in admin.get("/kasse/abschluss/einstellungen").content.decode()

    def test_can_be_thrown_back(self, seeblick: Tenant, admin: Client, waldrand: Tenant) -> None:
        for tenant in (seeblick, waldrand):
            CashDeskSettings.objects.create(tenant=tenant, external_cash_in_drawer=True)

        admin.post("/kasse/abschluss/einstellungen", {})

        assert not CashDeskSettings.objects.get(tenant=seeblick).external_cash_in_drawer
        assert CashDeskSettings.objects.get(tenant=waldrand).external_cash_in_drawer


class TestTodayIs:
    def test_the_campgrounds_own(self, seeblick: Tenant, admin: Client) -> None:
        Tenant.objects.filter(pk=seeblick.pk).update(cutoff_hour=4)
        with patch("kasse.close_pages.timezone.now", return_value=datetime(2026, 4, 30, 0, 30, tzinfo=UTC)):
            assert "29.04.2026" in text_of(admin.get("/kasse/abschluss"), "waiting")
