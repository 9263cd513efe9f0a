"""Details of the doors: what they send, what they make of odd answers, and how a connection is tested."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal import soap
from journal.doors import Entry, tidy
from journal.models import State
from journal.opening_doors import keep_password, open_door
from journal.postings import Posting
from journal.references import LENGTH, TooMany, reference_of
from journal.settings_models import JournalSettings
from kasse.money import ZERO
from tenants.models import Tenant
from tests.journal.books import DAY, StandingClock, in_business_one, in_s4hana, open_revision, post_it
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.fake_s4hana import FakeS4Hana
from tests.journal.faults import Fault
from tests.kasse.selling import sell

AT = datetime(2026, 4, 30, 0, 0, 5, 123000, tzinfo=timezone.utc)
BOMB = b"""<!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><b>&b;</b>"""


def test_connection(settings: JournalSettings, clock: StandingClock) -> tuple[bool, str]:
    with open_door(settings, clock=clock) as door:
        tested = door.test()
    return tested.passed, tested.sentence


test_connection.__test__ = False  # type: ignore[attr-defined]


class TestTestConnection:
    def test_posts_nothing(
        self,
        seeblick: Tenant,
        waldrand: Tenant,
        business_one: FakeBusinessOne,
        s4hana: FakeS4Hana,
        clock: StandingClock,
    ) -> None:
        assert test_connection(in_business_one(seeblick, business_one), clock)[0]
        assert test_connection(in_s4hana(waldrand, s4hana), clock)[0]
        assert not any(sap.bookings() for sap in (business_one, s4hana))

    def test_tells_a_wrong_password(
        self,
        seeblick: Tenant,
        waldrand: Tenant,
        business_one: FakeBusinessOne,
        s4hana: FakeS4Hana,
        clock: StandingClock,
    ) -> None:
        for settings in (in_business_one(seeblick, business_one), in_s4hana(waldrand, s4hana)):
            keep_password(settings, "wrong")
            passed, sentence = test_connection(settings, clock)

            assert not passed
            assert "wrong" not in sentence

    def test_tells_that_documents_cannot_be_read(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        s4hana.may_read = False
        settings = in_s4hana(seeblick, s4hana)
        assert test_connection(settings, clock)[0] is False
        settings.may_look_up = False

        assert test_connection(settings, clock)[0] is True

    def test_tells_a_wrong_address(self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock) -> None:
        settings = in_s4hana(seeblick, s4hana, url=s4hana.address + "/sap/bc/elsewhere")

        assert test_connection(settings, clock)[0] is False

    def test_finds_the_posting_service_from_the_system_alone(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        assert test_connection(in_s4hana(seeblick, s4hana, url=s4hana.address), clock)[0] is True

    def test_tells_a_password_that_cannot_be_read_any_more(
        self, seeblick: Tenant, waldrand: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        """Not even by copying it from the neighbour."""
        settings = in_business_one(seeblick, business_one)
        settings.sealed_password = in_business_one(waldrand, business_one).sealed_password

        passed, sentence = test_connection(settings, clock)

        assert not passed
        assert sentence
        assert not business_one.calls


class TestForeignCurrency:
    def test_is_named_on_each_line_of_business_one(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        settings = in_business_one(seeblick, business_one, company_currency="EUR", cost_centre="SHOP")
        sell(seeblick, "12.50")
        business_one.booking_faults.append(Fault.DROP_AFTER)
        posted = post_it(post_it(open_revision(settings, clock), settings, clock), settings, clock)
        lines = business_one.live()[0]["JournalEntryLines"]

        assert posted.state == State.POSTED
        assert {line["FCCurrency"] for line in lines} == {"CHF"}
        assert [line["AccountCode"] for line in lines if "CostingCode" in line] == ["3200"]


class TestMessages:
    ENTRY = Entry(
        "CKONA-260429-0-1",
        DAY,
        "CHF",
        "Kasse 29.04.2026 Camping <Seeblick> & Söhne",
        (
            Posting("1000", Decimal("12.50"), ZERO, "Bar & <mehr>" * 9, "tender.front_desk.cash"),
            Posting("3200", ZERO, Decimal("12.50"), "Erlös", "revenue.shop.0"),
        ),
    )

    def test_keep_to_the_lengths_of_sap_and_escape_what_is_text(self) -> None:
        header = soap.Header("CKONA-260429-0-1", "1410", DAY, AT)
        message = ET.fromstring(soap.posting(header, self.ENTRY, cost_centre="SHOP"))
        texts = {each.tag.rpartition("}")[2]: each.text or "" for each in message.iter()}

        assert len(texts["DocumentReferenceID"]) == LENGTH
        assert len(texts["DocumentHeaderText"]) == 25
        assert all(len(each.text or "") <= 50 for each in message.iter("DocumentItemText"))
        assert texts["CreationDateTime"] == "2026-04-30T00:00:05.123Z"
        amounts = [(each.text, each.get("currencyCode")) for each in message.iter("AmountInTransactionCurrency")]
        assert amounts == [("12.50", "CHF"), ("-12.50", "CHF")]
        assert [each.text for each in message.iter("CostCenter")] == ["SHOP"]

    @pytest.mark.parametrize("body", [b"", b"<", b"<a/>", BOMB, b"\xff\xfe", b"<html>Sign in</html>"])
    def test_that_are_none_are_not_read(self, body: bytes) -> None:
        with pytest.raises(soap.Unreadable):
            soap.confirmation_of(body)
        assert soap.fault_of(body) == ""

    @given(st.binary(max_size=200))
    def test_of_any_bytes_never_break_the_reader(self, body: bytes) -> None:
        with pytest.raises(soap.Unreadable):
            soap.confirmation_of(body)

    @given(st.text(max_size=2000))
    def test_of_other_machines_are_one_bounded_line_in_our_log(self, text: str) -> None:
        assert len(tidy(text)) <= 400
        assert tidy(text).isprintable()


class TestReferences:
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["seeblick", "waldrand"]),
                st.dates(date(2020, 1, 1), date(2099, 12, 31)),
                st.integers(0, 46_655),
                st.integers(1, 1_295),
            ),
            min_size=2,
            max_size=6,
            unique=True,
        )
    )
    def test_are_sixteen_characters_and_never_the_same(self, journals: list[tuple[str, date, int, int]]) -> None:
        references = [
            reference_of(slug=slug, business_date=day, supplement=supplement, revision=revision)
            for slug, day, supplement, revision in journals
        ]

        assert len(set(references)) == len(journals)
        assert {len(reference) for reference in references} == {LENGTH}
        assert all(reference.isascii() and reference.replace("-", "").isalnum() for reference in references)

    def test_are_not_cut_where_there_is_no_place_left(self) -> None:
        with pytest.raises(TooMany):
            reference_of(slug="seeblick", business_date=DAY, supplement=46_656, revision=1)
