from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apikeys.minting import Minted
from kasse.listing import Place, page_of
from kasse.models import Status, Transaction
from kasse.patience import TookTooLong, at_most
from tenants.models import Role, Tenant
from tests.factories import mint
from tests.kasse.listed import (
    ALWAYS,
    LIST,
    MOST_QUERIES,
    OF_DAY,
    at_work,
    ids,
    link,
    listed,
    mixed,
    record,
    refund,
    shown,
)
from tests.kasse.rewriting import rewrite
from tests.kasse.sales import MORNING, coffee, croissant
from tests.kasse.selling import close

SECOND = timedelta(seconds=1)
MARKUP = '<script>alert("Camping")</script>'


@pytest.fixture
def desk(seeblick: Tenant, waldrand: Tenant) -> Client:
    """Staff of Seeblick; the neighbour has sold something too."""
    record(waldrand, external_ref="W-1")
    return at_work(seeblick)


class TestWhoSeesTheList:
    @pytest.mark.parametrize("path", [LIST, f"{LIST}/", f"{LIST}/summen", f"{LIST}.csv", f"{LIST}.xlsx"])
    def test_strangers_are_asked_to_sign_in(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 302
        assert client.get(path)["Location"].startswith("/anmelden?next=/kasse/")

    @pytest.mark.parametrize("role", Role)
    def test_everybody_who_works_there_sees_it(self, seeblick: Tenant, role: Role) -> None:
        sale = record(seeblick)

        page = at_work(seeblick, role).get(f"{LIST}?{OF_DAY}")

        assert set(listed(shown(page))) == ids(sale)
        assert "no-store" in page["Cache-Control"]

    def test_a_neighbour_sees_nothing_of_it(self, seeblick: Tenant, waldrand: Tenant) -> None:
        record(seeblick, external_ref="S-1")
        next_door = at_work(waldrand)

        assert listed(shown(next_door.get(f"{LIST}?{ALWAYS}"))) == []
        assert listed(shown(next_door.get(f"{LIST}?{ALWAYS}&q=S-1"))) == []

    @pytest.mark.parametrize("path", [LIST, f"{LIST}/summen", f"{LIST}.csv"])
    def test_nobody_changes_anything(self, desk: Client, path: str) -> None:
        for method in ("post", "put", "patch", "delete"):
            assert getattr(desk, method)(path).status_code == 405


class TestARow:
    def test_says_what_was_sold_by_whom_and_for_how_much(self, desk: Client, seeblick: Tenant) -> None:
        lines = tuple(coffee(description=text) for text in ("Glace", "Kaffee", "Tee", "Brot", "Gas"))
        total = sum(line.line_total for line in lines)
        sale = record(
            seeblick, key=mint(seeblick, name="Laden").key, external_ref="L/7 %", items=lines, total_amount=total
        )

        page = shown(desk.get(f"{LIST}?{OF_DAY}"))

        row = page.split(f'data-sale="{sale.pk}"')[1].split("</tr>")[0]
        for text in (sale.pk.hex[-8:], "29.04.2026 10:14:32", "L/7 %", "Laden", "Glace, Kaffee, Tee", "27.50"):
            assert text in row
        assert "Brot" not in row
        assert f'href="/kasse/transaktionen/{sale.pk}"' in row
        assert 'data-source="EXTERNAL_POS"' in row

    def test_is_marked_where_it_is_worth_a_second_look(self, desk: Client, seeblick: Tenant) -> None:
        plain = record(seeblick)
        close(seeblick, counted="12.50")
        late = refund(seeblick, remarks="unknown_field rounding_booked")
        hung = record(seeblick, occurred_at=MORNING + timedelta(days=1))
        rewrite(hung.pk, status=Status.FAILED)

        page = shown(desk.get(f"{LIST}?{ALWAYS}"))

        rows = {pk: page.split(f'data-sale="{pk}"')[1].split("</tr>")[0] for pk in listed(page)}
        assert "data-mark" not in rows[str(plain.pk)]
        assert all(f'data-mark="{mark}"' in rows[str(late.pk)] for mark in ("refund", "late", "warned"))
        assert 'data-mark="status"' in rows[str(hung.pk)]
        assert ' minus" data-amount' in rows[str(late.pk)]

    def test_names_device_and_receipt_if_the_till_did(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick, till_id="Kiosk 2", receipt_seq=12_345)
        record(seeblick)

        page = shown(desk.get(f"{LIST}?{OF_DAY}"))

        assert re.findall(r"data-receipt>([^<]*)<", page) == ["Kiosk 2 № 12345"]

    def test_shows_stored_markup_as_text(self, desk: Client, seeblick: Tenant) -> None:
        key = mint(seeblick, name=MARKUP).key
        record(seeblick, key=key, external_ref=MARKUP, items=(croissant(description=MARKUP), coffee()))

        page = shown(desk.get(f"{LIST}?{OF_DAY}"))

        assert MARKUP not in page
        assert page.count("&lt;script&gt;alert(") >= 3


def pages_from(desk: Client, address: str | None, name: str) -> list[list[str]]:
    """The pages that a link leads through, one after the other."""
    pages = []
    while address:
        page = shown(desk.get(address))
        pages.append(listed(page))
        address = link(page, name)
    return pages


class TestPages:
    @pytest.fixture(autouse=True)
    def small_pages(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kasse.listing.page_of.__kwdefaults__", {**(page_of.__kwdefaults__ or {}), "size": 5})

    def sell(self, tenant: Tenant, number: int) -> list[str]:
        """Every three of them at the same instant; newest first, as the list must show them."""
        sales = [record(tenant, occurred_at=MORNING + SECOND * (each // 3)) for each in range(number)]
        return [str(sale.pk) for sale in sorted(sales, key=lambda sale: (sale.occurred_at, sale.pk), reverse=True)]

    @pytest.mark.parametrize("number", [1, 5, 6, 10, 23])
    def test_hold_every_sale_once_in_order_both_ways(self, desk: Client, seeblick: Tenant, number: int) -> None:
        wanted = self.sell(seeblick, number)

        down = pages_from(desk, f"{LIST}?{OF_DAY}", "older")

        assert [pk for page in down for pk in page] == wanted
        assert all(len(page) == 5 for page in down[:-1])
        last = f"{LIST}?{OF_DAY}"
        while further := link(shown(desk.get(last)), "older"):
            last = further
        assert pages_from(desk, last, "newer") == down[::-1]

    def test_stay_as_they_are_while_tills_go_on_selling(self, desk: Client, seeblick: Tenant) -> None:
        wanted = self.sell(seeblick, 12)
        first = shown(desk.get(f"{LIST}?{OF_DAY}"))
        new = [record(seeblick, occurred_at=MORNING + timedelta(hours=1, seconds=each)) for each in range(7)]

        rest = pages_from(desk, link(first, "older"), "older")

        assert [*listed(first), *(pk for page in rest for pk in page)] == wanted
        back = shown(desk.get(str(link(first, "older"))))
        assert set(listed(shown(desk.get(str(link(back, "newer")))))) == set(listed(first))
        assert set(listed(shown(desk.get(str(link(back, "newest")))))) <= ids(*new)

    def test_keep_the_filters(self, desk: Client, seeblick: Tenant) -> None:
        for each in range(6):
            mixed(seeblick, occurred_at=MORNING + SECOND * each)
            record(seeblick, occurred_at=MORNING + SECOND * each)

        pages = pages_from(desk, f"{LIST}?{OF_DAY}&method=CARD", "older")

        assert [len(page) for page in pages] == [5, 1]

    def test_whose_last_sale_is_gone_from_the_list_lead_back(self, desk: Client, seeblick: Tenant) -> None:
        self.sell(seeblick, 3)
        oldest = Place.of(Transaction.objects.of(seeblick).earliest("occurred_at", "id"))

        page = shown(desk.get(f"{LIST}?{OF_DAY}&after={oldest}"))

        assert listed(page) == []
        assert len(listed(shown(desk.get(str(link(page, "newer")))))) == 3

    @pytest.mark.parametrize("name", ["after", "before"])
    @pytest.mark.parametrize(
        "place", ["1", "x-y", "1-" + "g" * 32, "9" * 18 + "-" + "0" * 32, "-1-" + "0" * 32, "1-" + "0" * 32 + "%0A"]
    )
    def test_that_no_link_has_named_do_not_exist(self, desk: Client, name: str, place: str) -> None:
        assert desk.get(f"{LIST}?{OF_DAY}&{name}={place}").status_code == 404

    def test_named_by_a_place_at_the_end_of_time_are_empty(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)

        assert listed(shown(desk.get(f"{LIST}?{OF_DAY}&after=0-{'0' * 32}"))) == []
        assert len(listed(shown(desk.get(f"{LIST}?{OF_DAY}&before={'9' * 17}-{'f' * 32}")))) == 1

    def test_cost_as_many_queries_as_one_sale_does(
        self, desk: Client, seeblick: Tenant, key: Minted, django_assert_max_num_queries: Any
    ) -> None:
        self.sell(seeblick, 23)
        for _ in range(3):
            mixed(seeblick, key=key.key)
        second = str(link(shown(desk.get(f"{LIST}?{OF_DAY}")), "older"))
        for path in (f"{LIST}?{OF_DAY}", second, str(link(shown(desk.get(second)), "newer")), f"{LIST}?{ALWAYS}"):
            with django_assert_max_num_queries(MOST_QUERIES + 2 * (ALWAYS in path)):
                shown(desk.get(path))


class TestAPlace:
    def test_reads_what_it_writes(self, seeblick: Tenant) -> None:
        place = Place.of(record(seeblick, occurred_at=MORNING + timedelta(microseconds=1)))

        assert Place.read(str(place)) == place


@pytest.mark.postgresql
class TestPatience:
    @pytest.mark.django_db(transaction=True)
    def test_ends_before_the_database_does(self) -> None:
        with pytest.raises(TookTooLong), at_most(0.05), connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


class TestWhatTakesTooLong:
    def test_is_said_in_place_of_the_list(
        self, desk: Client, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def give_up(*args: Any, **kwargs: Any) -> None:
            raise TookTooLong

        monkeypatch.setattr("kasse.views.page_of", give_up)
        assert 'id="took-too-long"' in shown(desk.get(f"{LIST}?{ALWAYS}"))
        monkeypatch.setattr("kasse.views.sums_of", give_up)
        assert 'id="sums-took-too-long"' in shown(desk.get(f"{LIST}/summen?{ALWAYS}", headers={"HX-Request": "true"}))
