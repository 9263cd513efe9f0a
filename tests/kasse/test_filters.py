from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from kasse.business_day import business_date
from kasse.filters import AHEAD, BEHIND, _midnight
from kasse.models import PaymentMethod, Source, Status
from kasse.searching import amounts_in
from tenants.models import Tenant
from tests.factories import mint
from tests.kasse.listed import ALWAYS, LIST, OF_DAY, at_work, ids, listed, mixed, record, refund, shown
from tests.kasse.rewriting import rewrite
from tests.kasse.sales import DAY, MORNING, coffee, paid
from tests.kasse.selling import close

A_DAY = timedelta(days=1)


@pytest.fixture
def desk(seeblick: Tenant, waldrand: Tenant) -> Client:
    """Staff of Seeblick; the neighbour sold something on every day."""
    for days in (-1, 0, 1):
        record(waldrand, occurred_at=MORNING + days * A_DAY)
    return at_work(seeblick)


def found(desk: Client, query: str) -> set[str]:
    return set(listed(shown(desk.get(f"{LIST}?{query}"))))


class TestDays:
    def test_are_today_on_the_campgrounds_clock_unless_named(
        self, desk: Client, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At half past two in the night the bar's evening goes on."""
        Tenant.objects.filter(pk=seeblick.pk).update(cutoff_hour=4)
        seeblick.refresh_from_db()
        beer = record(seeblick, occurred_at=datetime(2026, 4, 29, 23, 0, tzinfo=UTC))
        monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 4, 30, 0, 30, tzinfo=UTC))

        assert found(desk, "") == ids(beer)
        assert found(desk, "source=EXTERNAL_POS") == ids(beer)
        assert found(desk, "date_from=2026-04-30&date_to=2026-04-30") == set()

    def test_may_be_left_open_at_either_end(self, desk: Client, seeblick: Tenant) -> None:
        before, on, after = (record(seeblick, occurred_at=MORNING + days * A_DAY) for days in (-1, 0, 1))

        assert found(desk, f"date_from={DAY}&date_to=") == ids(on, after)
        assert found(desk, f"date_to={DAY}") == ids(before, on)
        assert found(desk, OF_DAY) == ids(on)
        assert found(desk, ALWAYS) == ids(before, on, after)

    @given(
        st.datetimes(datetime(2001, 1, 1), datetime(2090, 1, 1)),  # noqa: DTZ001 (hypothesis adds the zone)
        st.sampled_from(["Europe/Zurich", "Pacific/Kiritimati", "Pacific/Apia", "Etc/GMT+12", "America/St_Johns"]),
        st.integers(0, 12),
    )
    def test_hold_no_instant_outside_the_bounds_that_lead_along_the_index(
        self, at: datetime, zone: str, cutoff_hour: int
    ) -> None:
        instant = at.replace(tzinfo=UTC)

        day = business_date(instant, zone=ZoneInfo(zone), cutoff_hour=cutoff_hour)

        assert _midnight(day) - AHEAD <= instant < _midnight(day) + BEHIND


class TestSourceAndTill:
    def test_part_front_desk_from_outside_tills(self, desk: Client, seeblick: Tenant) -> None:
        counter = record(seeblick, source=Source.FRONT_DESK)
        shop = record(seeblick)

        assert found(desk, f"{OF_DAY}&source=FRONT_DESK") == ids(counter)
        assert found(desk, f"{OF_DAY}&source=EXTERNAL_POS") == ids(shop)

    def test_part_one_till_from_another(self, desk: Client, seeblick: Tenant) -> None:
        shop, kiosk = mint(seeblick, name="Laden").key, mint(seeblick, name="Kiosk").key
        of_shop, of_kiosk = record(seeblick, key=shop), record(seeblick, key=kiosk)

        assert found(desk, f"{OF_DAY}&till={shop.pk}") == ids(of_shop)
        assert found(desk, f"{OF_DAY}&till={kiosk.pk}") == ids(of_kiosk)

    def test_know_no_key_of_a_neighbour(self, desk: Client, seeblick: Tenant, waldrand: Tenant) -> None:
        record(seeblick)
        theirs = mint(waldrand, name="Kiosk Waldrand").key

        page = shown(desk.get(f"{LIST}?{OF_DAY}&till={theirs.pk}"))

        assert listed(page) == []
        assert 'id="faults"' in page
        assert "Kiosk Waldrand" not in page


class TestPaymentMethod:
    def test_finds_a_mixed_sale_by_each_of_its_methods(self, desk: Client, seeblick: Tenant) -> None:
        cash, both = record(seeblick), mixed(seeblick)
        twint = record(seeblick, payment_method=PaymentMethod.TWINT, payments=(paid(method=PaymentMethod.TWINT),))

        assert found(desk, f"{OF_DAY}&method=CASH") == ids(cash, both)
        assert found(desk, f"{OF_DAY}&method=CARD") == ids(both)
        assert found(desk, f"{OF_DAY}&method=MIXED") == ids(both)
        assert found(desk, f"{OF_DAY}&method=TWINT") == ids(twint)
        assert found(desk, f"{OF_DAY}&method=BANK") == set()


class TestStatusAndMarks:
    def test_part_what_is_complete_from_what_is_not(self, desk: Client, seeblick: Tenant) -> None:
        done, hung = record(seeblick), record(seeblick)
        rewrite(hung.pk, status=Status.PENDING)

        assert found(desk, f"{OF_DAY}&status=COMPLETED") == ids(done)
        assert found(desk, f"{OF_DAY}&status=PENDING") == ids(hung)

    def test_find_refunds_and_what_was_remarked_on(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        back, remarked = refund(seeblick), record(seeblick, remarks="rounding_booked")

        assert found(desk, f"{OF_DAY}&mark=refund") == ids(back)
        assert found(desk, f"{OF_DAY}&mark=warned") == ids(remarked)

    def test_find_what_came_after_its_day_was_closed(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        assert found(desk, f"{ALWAYS}&mark=late") == set()
        close(seeblick, counted="12.50")

        late = record(seeblick)
        record(seeblick, occurred_at=MORNING + A_DAY)
        record(seeblick, occurred_at=MORNING - A_DAY)

        assert found(desk, f"{ALWAYS}&mark=late") == ids(late)


class TestSearch:
    @pytest.mark.parametrize("words", ["Beleg/77", "leg/7", "beLEG/77", "Gasflasche 5", "gasfla", "28.90", "28,90"])
    def test_finds_by_reference_text_and_amount(self, desk: Client, seeblick: Tenant, words: str) -> None:
        record(seeblick)
        line = coffee(description="Gasflasche 5 kg", unit_price=Decimal("28.90"), line_total=Decimal("28.90"))
        gas = record(
            seeblick,
            external_ref="Beleg/77",
            total_amount=Decimal("28.90"),
            items=(line,),
            payments=(paid("28.90"),),
        )

        assert found(desk, f"{OF_DAY}&q={words}") == ids(gas)

    def test_finds_by_the_id_that_the_list_shows(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick)
        wanted = record(seeblick)

        assert found(desk, f"{OF_DAY}&q={wanted.pk.hex[-8:]}") == ids(wanted)
        assert found(desk, f"{ALWAYS}&q={wanted.pk}") == ids(wanted)
        assert found(desk, f"{ALWAYS}&q={wanted.pk.hex.upper()}") == ids(wanted)

    def test_finds_a_refund_by_its_amount_with_or_without_the_sign(self, desk: Client, seeblick: Tenant) -> None:
        sale, back = record(seeblick), refund(seeblick)

        assert found(desk, f"{OF_DAY}&q=12.50") == ids(sale, back)
        assert found(desk, f"{OF_DAY}&q=-12.50") == ids(back)

    def test_finds_receipt_numbers(self, desk: Client, seeblick: Tenant) -> None:
        wanted = record(seeblick, receipt_seq=1041)
        record(seeblick, receipt_seq=1042)

        assert found(desk, f"{OF_DAY}&q=1041") == found(desk, f"{OF_DAY}&q=001041") == ids(wanted)
        assert found(desk, f"{OF_DAY}&q=9999999999999999") == set()

    def test_takes_wildcards_as_they_are_written(self, desk: Client, seeblick: Tenant) -> None:
        record(seeblick, external_ref="T-100")
        percent = record(seeblick, external_ref="100% Rabatt_1")

        assert found(desk, f"{OF_DAY}&q=%25") == ids(percent)
        assert found(desk, f"{OF_DAY}&q=_") == ids(percent)

    def test_over_many_days_finds_whole_references_alone_and_says_so(self, desk: Client, seeblick: Tenant) -> None:
        wanted = record(seeblick, external_ref="Beleg 1")
        record(seeblick, external_ref="Beleg 11")
        for query in (ALWAYS, f"date_from={DAY - 40 * A_DAY}&date_to={DAY}"):
            page = shown(desk.get(f"{LIST}?{query}&q=Beleg 1"))
            assert set(listed(page)) == ids(wanted)
            assert 'id="references-only"' in page
            assert found(desk, f"{query}&q=Kaffee") == set()

        page = shown(desk.get(f"{LIST}?date_from={DAY - 30 * A_DAY}&date_to={DAY}&q=Beleg 1"))
        assert len(listed(page)) == 2
        assert 'id="references-only"' not in page

    @pytest.mark.parametrize(
        ("words", "amounts"),
        [
            ("12", ["12.00", "-12.00"]),
            ("1'234.5", ["1234.50", "-1234.50"]),
            ("-0,05", ["-0.05"]),
            ("1.234", []),
            ("1e3", []),
            ("٣", []),
            ("9999999999", []),
            ("", []),
        ],
    )
    def test_reads_an_amount_as_people_write_it(self, words: str, amounts: list[str]) -> None:
        assert amounts_in(words) == [Decimal(each) for each in amounts]


class TestAllFilters:
    def test_hold_at_once(self, desk: Client, seeblick: Tenant) -> None:
        shop = mint(seeblick, name="Laden").key
        wanted = refund(seeblick, key=shop, external_ref="R-1")
        refund(seeblick, external_ref="R-2")
        record(seeblick, key=shop, external_ref="R-3")
        refund(seeblick, key=shop, external_ref="R-4", occurred_at=MORNING - A_DAY)

        every = f"{OF_DAY}&source=EXTERNAL_POS&till={shop.pk}&method=CASH&status=COMPLETED&mark=refund&q=R-"

        assert found(desk, every) == ids(wanted)

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("date_from=29.04.2026", "date_from"),
            ("date_from=2026-13-01&date_to=2026-04-29", "date_from"),
            ("date_to=0001-01-01", "date_to"),
            ("date_to=9999-12-31", "date_to"),
            (f"date_from={DAY}&date_to={DAY - A_DAY}", "date_to"),
            (f"{OF_DAY}&source=MOON", "source"),
            (f"{OF_DAY}&till=999999", "till"),
            (f"{OF_DAY}&till=99999999999999999999999", "till"),
            (f"{OF_DAY}&till=x", "till"),
            (f"{OF_DAY}&method=cash", "method"),
            (f"{OF_DAY}&status=0", "status"),
            (f"{OF_DAY}&mark=blue", "mark"),
            (f"{OF_DAY}&q=%00", "q"),
            (f"{OF_DAY}&q={'x' * 256}", "q"),
        ],
    )
    def test_say_beside_the_field_what_makes_no_sense(
        self, desk: Client, seeblick: Tenant, query: str, field: str
    ) -> None:
        record(seeblick)

        page = shown(desk.get(f"{LIST}?{query}"))

        assert listed(page) == []
        assert f'href="#id_{field}"' in page
        beside = page.split(f'id="id_{field}-faults">')[1].split("</div>")[0]
        assert 'class="errorlist"' in beside
        assert 'id="sums"' not in page

    @pytest.mark.parametrize("query", ["q=%ED%A0%80", "q=%FF", "date_from[]=1", "source=&source=FRONT_DESK", "x=1"])
    def test_survive_whatever_stands_in_the_address(self, desk: Client, query: str) -> None:
        shown(desk.get(f"{LIST}?{query}"))

    def test_stay_in_the_form(self, desk: Client, seeblick: Tenant) -> None:
        page = shown(desk.get(f"{LIST}?{OF_DAY}&method=CASH&q=%22%3E%3Cb%3E"))

        assert f'value="{DAY}"' in page
        assert '<option value="CASH" selected>' in page
        assert "&quot;&gt;&lt;b&gt;" in page
        assert "<b>" not in page


def test_a_list_is_asked_once_for_each_word(desk: Client, seeblick: Tenant, django_assert_max_num_queries: Any) -> None:
    """A session, a person, their campgrounds, the tills, the page, its lines, the sums."""
    for _ in range(60):
        mixed(seeblick)
    with django_assert_max_num_queries(7):
        shown(desk.get(f"{LIST}?{OF_DAY}&method=CASH&q=Kaffee"))
