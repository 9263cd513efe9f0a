"""The pages of an import: bring, lay out, try, import, read what became of it; for admins of the campground alone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from kasse.models import Transaction
from pos_bridge.importing.models import ImportedReceipt, ImportState, SalesImport
from tenants.models import Role, Tenant
from tests.factories import member, mint
from tests.kasse.selling import close, sell
from tests.pages import has, signed_in, text_of
from tests.pos_bridge.import_files import HEADER, SHOP, csv_file, shop
from tests.till import Till, croissants_and_coffee

PAGE = "/einstellungen/integrationen/import"
DAY = date(2026, 4, 29)


@pytest.fixture
def admin(seeblick: Tenant, waldrand: Tenant) -> Client:
    return signed_in(member(seeblick, Role.TENANT_ADMIN))


def bring(browser: Client, content: bytes, name: str = "april.csv") -> Any:
    return browser.post(PAGE, {"file": SimpleUploadedFile(name, content)}, follow=True)


def brought(browser: Client, content: bytes) -> str:
    """The address of the import of a file."""
    return str(bring(browser, content).redirect_chain[-1][0])


def as_shown(page: Any) -> dict[str, str]:
    """The form as it stands on the page."""
    found = {"beginning": "import", "key": ""}
    for name, options in re.findall(r'<select id="[^"]*" name="([^"]*)">(.*?)</select>', page.content.decode()):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def act(browser: Client, address: str, action: str, **changes: str) -> Any:
    """Press a button of the form, with other choices perhaps; then drive what runs to its end."""
    page = browser.post(address, {**as_shown(browser.get(address)), **changes, "action": action}, follow=True)
    while has(page, "progress"):
        browser.post(f"{address}/weiter", headers={"HX-Request": "true"})
        page = browser.get(address)
    return page


class TestBringing:
    def test_a_file_shows_what_is_in_it_and_imports_nothing(self, admin: Client) -> None:
        page = bring(admin, shop())

        assert text_of(page, "columns").count("29.04.2026") == 3
        assert as_shown(page)["column-4"] == "total"
        assert "1'243.50" in text_of(page, "preview")
        assert "import-2026-04-29-1041" in text_of(page, "shown")
        assert not Transaction.objects.exists()

    @pytest.mark.parametrize("content", [b"", b"Datum;Betrag\n", b"PK\x03\x04", b"\x00\x01", b"\xd0\xcf\x11\xe0"])
    def test_a_file_that_is_none_is_a_sentence_beside_the_field(self, admin: Client, content: bytes) -> None:
        page = bring(admin, content)

        assert page.status_code == 200
        assert "errorlist" in page.content.decode()
        assert not SalesImport.objects.exists()

    def test_no_file_is_asked_for(self, admin: Client) -> None:
        assert "errorlist" in admin.post(PAGE, {}).content.decode()

    def test_what_stands_in_a_file_stays_text(self, admin: Client) -> None:
        hostile = '<script>alert(1)</script>"'
        page = bring(admin, csv_file(["Datum", "Beleg", "Betrag", hostile], ["29.04.2026", hostile, "1", hostile]))

        assert hostile not in page.content.decode()
        assert "&lt;script&gt;" in page.content.decode()


class TestLayingOut:
    def test_a_column_is_put_right(self, admin: Client) -> None:
        address = brought(admin, csv_file(["Wann", "Nr", "CHF"], ["29.04.2026", "1", "3.50"], ["29.04.2026", "2", "4"]))
        assert has(admin.get(address), "lacking")
        choices = {"column-0": "day", "column-1": "receipt", "column-2": "total", "payment-": "CASH"}

        page = act(admin, address, "look", **choices)

        assert not has(page, "lacking")
        assert text_of(page, "unreadable") == "0"
        assert not ImportedReceipt.objects.exists()

    def test_a_column_that_holds_nothing_is_left_out(self, admin: Client) -> None:
        page = act(admin, brought(admin, shop()), "look", **{"column-5": ""})

        assert as_shown(page)["column-5"] == ""

    def test_titles_on_another_row_are_read_anew_and_nothing_is_imported(self, admin: Client) -> None:
        address = brought(admin, csv_file(["Datum", "Beleg", "Betrag"], ["Tag", "Nr", "Total"], *SHOP))

        page = act(admin, address, "import", header="2")

        assert [as_shown(page)[f"column-{place}"] for place in range(3)] == ["day", "", "total"]
        assert SalesImport.objects.get().layout["header"] == 1
        assert not Transaction.objects.exists()
        assert act(admin, address, "look", header="99").status_code == 200

    def test_a_word_that_no_database_keeps_is_left_out(self, admin: Client) -> None:
        page = act(admin, brought(admin, shop()), "look", **{"payment-\0": "CASH"})

        assert page.status_code == 200
        assert SalesImport.objects.get().layout["payments"] == {"bar": "CASH", "karte": "CARD"}

    @pytest.mark.parametrize(
        "changes", [{"column-0": "total"}, {"column-0": ""}, {"beginning": "a b"}, {"key": "99999"}, {"key": "x"}]
    )
    def test_what_cannot_be_is_said_and_starts_nothing(self, admin: Client, changes: dict[str, str]) -> None:
        page = act(admin, brought(admin, shop()), "import", **changes)

        assert page.status_code == 200
        assert not Transaction.objects.exists()

    def test_a_neighbours_till_is_no_choice(self, admin: Client, waldrand: Tenant) -> None:
        key = mint(waldrand).key

        page = act(admin, brought(admin, shop()), "import", key=str(key.pk))

        assert has(page, "layout")
        assert not Transaction.objects.exists()


class TestSayingBeforehand:
    def test_that_days_are_closed(self, admin: Client, seeblick: Tenant) -> None:
        sell(seeblick)
        close(seeblick, DAY, counted="12.50")

        assert has(bring(admin, shop()), "behind-us")

    def test_that_tills_have_sold_on_these_days_by_themselves(self, admin: Client, till: Till) -> None:
        till.post(croissants_and_coffee())

        page = bring(admin, shop())

        assert has(page, "sold-already")
        assert "29.04.2026" in page.content.decode().split('id="sold-already"')[1].split("</ul>")[0]

    def test_that_another_import_has_brought_them_under_other_references(self, admin: Client) -> None:
        act(admin, brought(admin, shop()), "import")

        page = act(admin, brought(admin, shop()), "look", beginning="shop")

        assert "29.04.2026" in page.content.decode().split('id="sold-already"')[1].split("</ul>")[0]

    def test_nothing_where_there_is_nothing_to_say(self, admin: Client, neighbours_till: Till) -> None:
        neighbours_till.post(croissants_and_coffee())
        act(admin, brought(admin, shop()), "import")

        page = bring(admin, shop())

        assert not has(page, "behind-us")
        assert not has(page, "sold-already")


class TestTryingAndImporting:
    def test_a_try_stores_nothing_and_an_import_all_of_it(self, admin: Client, seeblick: Tenant) -> None:
        key = mint(seeblick, name="Bistro").key
        address = brought(admin, shop(*SHOP, ["29.04.2026", "19:00", "7", "Bar", "3.50", "7.7%"]))

        tried = act(admin, address, "try", key=str(key.pk))
        assert not Transaction.objects.exists()
        assert re.findall(r'<tr data-fate="(\w+)">', tried.content.decode()) == ["invalid"]

        done = act(admin, address, "import", key=str(key.pk))
        assert Transaction.objects.of(seeblick).filter(api_key=key).count() == 3
        assert not has(done, "layout")

    def test_what_is_imported_cannot_be_imported_again_or_changed(self, admin: Client) -> None:
        address = brought(admin, shop())
        form = as_shown(admin.get(address))
        act(admin, address, "import")

        admin.post(address, {**form, "column-4": "", "action": "import"})

        assert SalesImport.objects.get().layout["columns"]["total"] == 4
        assert Transaction.objects.count() == 3

    def test_without_a_script_each_press_goes_on(self, admin: Client) -> None:
        address = brought(admin, shop())
        admin.post(address, {**as_shown(admin.get(address)), "action": "import"})

        page = admin.post(f"{address}/weiter", follow=True)

        assert has(page, "fates")

    def test_the_report_lists_one_kind(self, admin: Client) -> None:
        address = brought(admin, shop())
        act(admin, address, "import")

        page = admin.get(f"{address}?fate=created&page=99")

        assert page.content.decode().count('<tr data-fate="created">') == 3
        assert admin.get(f"{address}?fate=nonsense&page=x").status_code == 200

    def test_the_report_is_a_file_without_formulas(self, admin: Client) -> None:
        address = brought(admin, shop(["29.04.2026", "18:05", "=1+1", "Bar", "viel", ""]))
        act(admin, address, "import")

        lines = admin.get(f"{address}/bericht").content.decode("utf-8-sig").splitlines()

        assert len(lines) == 2
        assert lines[1].startswith("2;import-2026-04-29-=1+1;;")
        assert not re.search(r"(^|;)[=+@-]", lines[1])

    def test_a_file_whose_rows_are_forgotten_says_so(self, admin: Client, seeblick: Tenant) -> None:
        from pos_bridge.retention import forget_old_rows

        address = brought(admin, shop())
        forget_old_rows(now=datetime(2036, 1, 1, tzinfo=UTC), log_days=90)

        assert has(admin.get(address), "forgotten")
        assert act(admin, address, "import").status_code == 200
        assert SalesImport.objects.of(seeblick).get().state == ImportState.MAPPING


class TestWhoMay:
    @pytest.mark.parametrize("path", ["", "/1", "/1/bericht"])
    def test_strangers_sign_in_and_staff_are_refused(self, seeblick: Tenant, path: str) -> None:
        assert Client().get(f"{PAGE}{path}").status_code == 302
        assert signed_in(member(seeblick)).get(f"{PAGE}{path}").status_code == 403

    def test_a_neighbours_import_is_not_there(self, admin: Client, waldrand: Tenant) -> None:
        address = brought(signed_in(member(waldrand, Role.TENANT_ADMIN)), shop())

        assert [admin.get(address).status_code, admin.get(f"{address}/bericht").status_code] == [404, 404]
        assert [admin.post(address).status_code, admin.post(f"{address}/weiter").status_code] == [404, 404]
        assert "april.csv" not in admin.get(PAGE).content.decode()

    def test_a_large_file_asks_no_more_of_the_database_than_a_small_one(self, admin: Client) -> None:
        many = [["29.04.2026", "", str(number), "Bar", "3.50", "99"] for number in range(300)]
        asked = []
        for rows in (many[:1], many):
            address = brought(admin, csv_file(HEADER, *rows))
            act(admin, address, "try")
            with CaptureQueriesContext(connection) as queries:
                admin.get(address)
            asked.append(len(queries))

        assert asked[0] == asked[1] <= 10
