"""Answers that no SAP should give. Whatever comes, it is a sentence for people, and nothing is booked twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from journal import soap
from journal.models import State
from journal.opening_doors import open_door
from tenants.models import Tenant
from tests.journal.books import StandingClock, in_business_one, in_s4hana, open_revision, post_it
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.fake_s4hana import CONFIRMATION, FakeS4Hana
from tests.journal.faults import Call, Reply
from tests.kasse.selling import sell

pytestmark = pytest.mark.django_db

ODD_JSON = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"\xff\xfe{",
    b'{"value": null}',
    b'{"value": 3}',
    b'{"value": ["JdtNum"]}',
    b'{"value": [{"JdtNum": null}]}',
    b'{"value": [{"JdtNum": 1e99999999}]}',
    b'{"value": [{"JdtNum": 815.5}]}',
    b'{"error": "no"}',
    b'{"d": {"results": ["row"]}}',
    b'{"d": {"results": [{"AccountingDocument": 1}]}}',
    (
        b'{"d": {"results": [{"FiscalYear": "2026", "AccountingDocument": "1", "GLAccount": "1000", '
        b'"DebitCreditCode": "S", "AmountInTransactionCurrency": "NaN"}]}}'
    ),
]
ODD_ENTRIES = [
    b"null",
    b"{}",
    b'{"JournalEntryLines": null}',
    b'{"JournalEntryLines": ["line"]}',
    b'{"JournalEntryLines": [{"AccountCode": "1000", "Debit": 1e99999999}]}',
    (
        b'{"JournalEntryLines": [{"AccountCode": "1000", "Debit": 12.5}, {"AccountCode": "2200", "Credit": 0.94}, '
        b'{"AccountCode": "3200", "Credit": 11.56}]}'
    ),
    (
        b'{"Number": null, "JdtNum": "x", "JournalEntryLines": [{"AccountCode": "1000", "Debit": 12.5}, '
        b'{"AccountCode": "2200", "Credit": 0.94}, {"AccountCode": "3200", "Credit": 11.56}]}'
    ),
]
ODD_XML = [
    b"",
    b'<?xml version="1.0" encoding="foo"?><a/>',
    b'<?xml version="1.0" encoding="base64"?><a/>',
    b'<?xml version="1.0" encoding="utf-16"?><a/>',
    b"<a>" * 100_000,
    b"<a>\xe9</a>",
    b"[" * 100_000,
]


def odd(sap: FakeBusinessOne | FakeS4Hana, body: bytes, status: int, *, unless: Callable[[Call], bool]) -> None:
    """Let a SAP say this, and do nothing."""
    usual = sap.reply
    sap.reply = lambda call: usual(call) if unless(call) else Reply(status, body)  # type: ignore[method-assign]


class TestBusinessOne:
    @pytest.mark.parametrize("status", [200, 400, 500])
    @pytest.mark.parametrize("body", ODD_JSON, ids=lambda body: body[:30].decode(errors="replace"))
    def test_that_answers_nonsense_has_nothing_booked(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock, body: bytes, status: int
    ) -> None:
        settings = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        odd(business_one, body, status, unless=lambda call: "Login" in call.path)

        after = post_it(open_revision(settings, clock), settings, clock)

        assert after.state in {State.FAILED, State.UNKNOWN}
        assert after.sentence
        assert not business_one.bookings()

    @pytest.mark.parametrize("body", ODD_ENTRIES, ids=lambda body: body[:40].decode())
    def test_that_shows_a_document_in_pieces_is_told_nothing(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock, body: bytes
    ) -> None:
        settings = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")

        odd(business_one, b'{"value": [{"JdtNum": 815}]}', 200, unless=lambda call: "$filter" not in call.path)
        odd(business_one, body, 200, unless=lambda call: "JournalEntries(815)" not in call.path)

        after = post_it(open_revision(settings, clock), settings, clock)

        assert after.state in {State.FAILED, State.UNKNOWN}
        assert after.sentence
        assert not business_one.bookings()


class TestS4Hana:
    @pytest.mark.parametrize("body", ODD_JSON, ids=lambda body: body[:30].decode(errors="replace"))
    def test_that_reads_out_nonsense_is_told_nothing(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock, body: bytes
    ) -> None:
        settings = in_s4hana(seeblick, s4hana)
        sell(seeblick, "12.50")
        odd(s4hana, body, 200, unless=lambda call: call.method == "POST")

        after = post_it(open_revision(settings, clock), settings, clock)

        assert after.state in {State.FAILED, State.UNKNOWN}
        assert after.sentence
        assert not s4hana.documents

    @pytest.mark.parametrize("status", [200, 201, 202, 204, 207, 500])
    @pytest.mark.parametrize("body", ODD_XML, ids=lambda body: body[:30].decode(errors="replace"))
    def test_that_confirms_in_nonsense_may_have_booked(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock, body: bytes, status: int
    ) -> None:
        settings = in_s4hana(seeblick, s4hana, may_look_up=False)
        sell(seeblick, "12.50")
        odd(s4hana, b"" if status == 204 else body, status, unless=lambda call: call.method == "GET")

        after = post_it(open_revision(settings, clock), settings, clock)

        assert after.state == State.UNKNOWN

    def test_that_names_a_document_and_an_error_may_have_booked(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        settings = in_s4hana(seeblick, s4hana, may_look_up=False)
        sell(seeblick, "12.50")
        revision = open_revision(settings, clock)
        said = CONFIRMATION.format(
            reference=revision.reference, document="0100000008", company="1410", year="2026", severity="3", items=""
        )
        odd(s4hana, said.encode(), 200, unless=lambda call: call.method == "GET")

        assert post_it(revision, settings, clock).state == State.UNKNOWN

    @pytest.mark.parametrize("body", ODD_XML, ids=lambda body: body[:30].decode(errors="replace"))
    def test_whose_fault_cannot_be_read_has_none(self, body: bytes) -> None:
        assert soap.fault_of(body) == ""


def test_an_odd_answer_to_a_test_of_the_connection_is_a_sentence(
    seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
) -> None:
    settings = in_business_one(seeblick, business_one)
    odd(business_one, b"[" * 100_000, 400, unless=lambda call: False)

    with open_door(settings, clock=clock) as door:
        tested = door.test()

    assert not tested.passed
    assert tested.sentence
