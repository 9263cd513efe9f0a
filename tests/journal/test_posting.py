"""Posting and reversing, against both SAPs, with everything that may go wrong on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from journal.hands import SETTLING
from journal.models import Attempt, Deed, Outcome, Revision, State
from journal.settings_models import AccountMapping, JournalSettings
from journal.settling import NotNow, begin_again, settle_posting, settle_reversal
from kasse.models import PaymentMethod
from tenants.models import Tenant
from tests.factories import member
from tests.journal.books import (
    StandingClock,
    books_in,
    books_of,
    in_business_one,
    in_s4hana,
    open_revision,
    post_it,
    reverse_it,
)
from tests.journal.fake_business_one import NUMBER_AHEAD, FakeBusinessOne
from tests.journal.fake_s4hana import FakeS4Hana
from tests.journal.faults import IS_DONE, Fault
from tests.kasse.selling import sell

LOST = [
    Fault.HANG_BEFORE,
    Fault.HANG_AFTER,
    Fault.DROP_BEFORE,
    Fault.DROP_AFTER,
    Fault.LATE,
    Fault.GATEWAY_BEFORE,
    Fault.GATEWAY_AFTER,
    Fault.GARBLED_AFTER,
]


@pytest.fixture
def books(sap: Any, seeblick: Tenant, waldrand: Tenant) -> JournalSettings:
    """Seeblick's books in that SAP; Waldrand has sold, and keeps its books elsewhere."""
    sell(waldrand, "99.00")
    books_of(waldrand)
    return books_in(sap, seeblick)


@pytest.fixture
def revision(books: JournalSettings, clock: StandingClock) -> Revision:
    """A day's journal, not posted yet."""
    sell(books.tenant, "12.50")
    return open_revision(books, clock)


def outcomes(revision: Revision) -> list[tuple[str, str]]:
    return list(Attempt.objects.of(revision.tenant).order_by("pk").values_list("deed", "outcome"))


class TestPost:
    def test_books_once_and_keeps_the_number(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)
        again = post_it(posted, books, clock)

        assert posted.state == again.state == State.POSTED
        assert len(sap.live()) == 1
        number = sap.live()[0].get("Number") or sap.live()[0]["number"]
        assert posted.sap_number == again.sap_number == str(number)
        assert (posted.claim, posted.posted_at) == ("", clock())
        assert outcomes(posted) == [(Deed.POST, Outcome.DONE)]

    def test_tells_what_a_bookkeeper_wants_to_read(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)

        assert amounts_in(sap) == {"1000": Decimal("12.50"), "3200": Decimal("-11.56"), "2200": Decimal("-0.94")}
        assert {line.key: line.amount for line in posted.postings} == {
            "tender.front_desk.cash": Decimal("12.50"),
            "revenue.shop.8.1": Decimal("-11.56"),
            "vat.8.1": Decimal("-0.94"),
        }

    @pytest.mark.parametrize("fault", LOST)
    def test_looks_up_an_answer_that_was_lost(
        self, fault: Fault, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        sap.booking_faults.append(fault)
        lost = post_it(revision, books, clock)
        clock.go_on(minutes=1)
        soon = post_it(lost, books, clock)
        sap.finish_late()
        clock.go_on(minutes=15)
        late = post_it(soon, books, clock)

        assert lost.state == State.UNKNOWN
        assert soon.state == (State.POSTED if fault in IS_DONE else State.UNKNOWN)
        assert late.state == State.POSTED
        assert len(sap.live()) == 1

    def test_does_not_repeat_before_a_slow_sap_has_had_its_time(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        sap.booking_faults.append(Fault.LATE)
        lost = post_it(revision, books, clock)
        clock.now += SETTLING
        clock.go_on(seconds=-1)
        waiting = post_it(lost, books, clock)

        assert waiting.state == State.UNKNOWN
        assert len(sap.bookings()) == 1
        assert waiting.sent_at is not None
        assert waiting.next_try_at == waiting.sent_at + SETTLING

    def test_keeps_what_sap_refuses_and_tries_again_later(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        sap.booking_faults.append(Fault.REFUSED)
        refused = post_it(revision, books, clock)
        posted = post_it(refused, books, clock)

        assert refused.state == State.FAILED
        assert "eriod" in refused.sentence
        assert refused.next_try_at is not None
        assert refused.next_try_at > clock()
        assert posted.state == State.POSTED
        assert len(sap.live()) == 1

    def test_that_reaches_nobody_sends_nothing(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        books.url = "http://127.0.0.1:1/b1s/v1"
        failed = post_it(revision, books, clock)

        assert (failed.state, failed.sent_at) == (State.FAILED, None)
        assert outcomes(failed) == [(Deed.LOOK_UP, Outcome.UNREACHED)]
        assert sap.calls == []

    def test_finds_what_a_restored_database_has_forgotten(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        """The backup was made before the posting: to us it is a draft, in SAP it stands."""
        with pytest.MonkeyPatch.context() as lost_memory:
            lost_memory.setattr("journal.posting._record", lambda *_: None)
            post_it(revision, books, clock)
        forgetful = Revision.objects.get(pk=revision.pk)
        assert forgetful.state == State.SENDING

        clock.go_on(days=1)
        posted = post_it(forgetful, books, clock)

        assert posted.state == State.POSTED
        assert len(sap.bookings()) == 1

    def test_by_another_worker_meanwhile_is_left_to_it(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        Revision.objects.update(claim="somebody", claimed_until=clock.now + SETTLING)

        assert post_it(revision, books, clock).state == State.DRAFT
        assert sap.calls == []

    def test_by_a_worker_that_died_is_taken_over(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        Revision.objects.update(claim="somebody", claimed_until=clock.now)
        clock.go_on(seconds=1)

        assert post_it(revision, books, clock).state == State.POSTED

    @pytest.mark.django_db(transaction=True)
    def test_within_a_transaction_is_refused_before_sap_hears_of_it(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        """Rolled back, it would forget that SAP was told."""
        with pytest.raises(RuntimeError), transaction.atomic():
            post_it(revision, books, clock)

        assert sap.bookings() == []

    def test_of_nothing_sends_nothing(self, books: JournalSettings, sap: Any, clock: StandingClock) -> None:
        nothing = post_it(open_revision(books, clock), books, clock)

        assert nothing.state == State.NOTHING
        assert sap.calls == []

    def test_of_an_unmapped_amount_says_so(self, books: JournalSettings, sap: Any, clock: StandingClock) -> None:
        sell(books.tenant, "10.00", method=PaymentMethod.OTHER)
        posted = post_it(open_revision(books, clock), books, clock)

        assert posted.state == State.POSTED
        assert posted.is_unmapped
        assert amounts_in(sap)["1099"] == Decimal("10.00")

    def test_of_an_unmapped_amount_waits_where_the_campground_wants_it(
        self, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        books.block_unmapped = True
        sell(books.tenant, "10.00", method=PaymentMethod.OTHER)
        blocked = post_it(open_revision(books, clock), books, clock)
        AccountMapping.objects.create(tenant=books.tenant, key="tender.other", account="1095")
        posted = post_it(blocked, books, clock)

        assert blocked.state == State.BLOCKED
        assert posted.state == State.POSTED
        assert amounts_in(sap)["1095"] == Decimal("10.00")

    def test_uses_the_accounts_of_the_campground(
        self, books: JournalSettings, waldrand: Tenant, sap: Any, clock: StandingClock
    ) -> None:
        AccountMapping.objects.create(tenant=waldrand, key="revenue.shop.*", account="3999")
        AccountMapping.objects.create(tenant=books.tenant, key="revenue.shop.*", account="3250")
        sell(books.tenant, "12.50")
        post_it(open_revision(books, clock), books, clock)

        assert set(amounts_in(sap)) == {"1000", "3250", "2200"}


class TestReverse:
    def test_keeps_the_number_of_the_reversal(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        reversed_ = reverse_it(post_it(revision, books, clock), books, clock)

        assert reversed_.state == State.REVERSED
        assert reversed_.reversal_number == reversal_in(sap)
        assert sap.live() == []

    @pytest.mark.parametrize("fault", LOST)
    def test_looks_up_an_answer_that_was_lost(
        self, fault: Fault, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)
        sap.booking_faults.append(fault)
        lost = reverse_it(posted, books, clock)
        clock.go_on(minutes=5)
        sap.finish_late()
        clock.go_on(minutes=15)
        later = reverse_it(lost, books, clock)

        is_done = fault in IS_DONE or fault is Fault.LATE
        # Business One's Cancel answers nothing, so nothing can be garbled.
        assert lost.state in {State.REVERSAL_UNKNOWN, State.REVERSED}
        assert later.state == (State.REVERSED if is_done else State.POSTED)
        if is_done:
            assert later.reversal_number == reversal_in(sap)
        assert len(sap.live()) == (0 if is_done else 1)

    def test_that_did_not_arrive_can_be_repeated(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)
        sap.booking_faults.append(Fault.DROP_BEFORE)
        reverse_it(posted, books, clock)
        clock.go_on(minutes=15)
        back = reverse_it(posted, books, clock)
        again = reverse_it(back, books, clock)

        assert [back.state, again.state] == [State.POSTED, State.REVERSED]

    def test_that_sap_refuses_leaves_it_posted(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)
        sap.booking_faults.append(Fault.REFUSED)

        refused = reverse_it(posted, books, clock)

        assert refused.state == State.POSTED
        assert "eriod" in refused.sentence

    def test_that_somebody_has_done_in_sap_is_found(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)
        reverse_it(posted, books, clock)
        by_hand = reversal_in(sap)
        sap.calls.clear()
        # As if it had not been us.
        with pytest.MonkeyPatch.context() as forgotten:
            forgotten.setattr("journal.reversing.TO_REVERSE", (*State,))
            again = reverse_it(posted, books, clock)

        assert again.reversal_number == by_hand
        assert sap.bookings() == []

    def test_makes_room_for_another_revision_of_the_same_sales(
        self, revision: Revision, books: JournalSettings, sap: Any, clock: StandingClock
    ) -> None:
        posted = post_it(revision, books, clock)
        with pytest.raises(NotNow):
            begin_again(posted.journal, books, at=clock())
        reverse_it(posted, books, clock)
        AccountMapping.objects.create(tenant=books.tenant, key="revenue.shop.*", account="3250")

        second = post_it(begin_again(posted.journal, books, at=clock()), books, clock)

        assert (second.revision, second.state) == (2, State.POSTED)
        assert second.reference != posted.reference
        assert len(sap.live()) == 1
        assert set(amounts_in(sap)) == {"1000", "3250", "2200"}
        assert {line.account for line in Revision.objects.get(pk=posted.pk).postings} == {"1000", "3200", "2200"}


class TestBusinessOneAlone:
    @pytest.mark.parametrize("copies_reference", [True, False])
    @pytest.mark.parametrize("negative_amounts", [True, False])
    def test_finds_the_storno_however_it_is_written(
        self,
        copies_reference: bool,
        negative_amounts: bool,
        seeblick: Tenant,
        business_one: FakeBusinessOne,
        clock: StandingClock,
    ) -> None:
        business_one.storno.copies_reference = copies_reference
        business_one.storno.negative_amounts = negative_amounts
        business_one.storno.language = "Storno"
        books = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        posted = post_it(open_revision(books, clock), books, clock)

        reversed_ = reverse_it(posted, books, clock)

        assert reversed_.reversal_number == str(max(business_one.entries) + NUMBER_AHEAD)

    def test_signs_in_again_when_the_session_has_ended(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        books = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        business_one.booking_faults.append(Fault.SESSION_ENDED)

        posted = post_it(open_revision(books, clock), books, clock)

        assert posted.state == State.POSTED
        assert len(business_one.live()) == 1
        assert sum("/Login" in call.path for call in business_one.calls) == 2

    def test_signs_out_afterwards(self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock) -> None:
        books = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        post_it(open_revision(books, clock), books, clock)

        assert business_one.calls[-1].path.endswith("/Logout")
        assert business_one.sessions == set()

    def test_says_which_account_is_missing_there(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        books = in_business_one(seeblick, business_one)
        business_one.known_accounts = {"1000", "2200"}
        sell(seeblick, "12.50")

        failed = post_it(open_revision(books, clock), books, clock)

        assert failed.state == State.FAILED
        assert "3200" in failed.sentence

    def test_whose_storno_cannot_be_asked_for_is_asked_later(
        self, seeblick: Tenant, business_one: FakeBusinessOne, clock: StandingClock
    ) -> None:
        books = in_business_one(seeblick, business_one)
        sell(seeblick, "12.50")
        posted = post_it(open_revision(books, clock), books, clock)
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr("journal.business_one.BusinessOne._storno_of", flaky(business_one))
            reversed_ = reverse_it(posted, books, clock)

        assert (reversed_.state, reversed_.reversal_number) == (State.REVERSED, "")
        assert reversed_.next_try_at is not None


def flaky(sap: FakeBusinessOne) -> Any:
    """A look-up that finds nothing before the reversal, and fails after it."""
    from journal.doors import Unreached

    def storno_of(*_: Any) -> None:
        if sap.reversed_by:
            raise Unreached("Away.")

    return storno_of


class TestS4HanaAlone:
    @pytest.mark.parametrize("blank", [" ", "", "0000000000"])
    def test_knows_that_200_may_be_a_failure(
        self, blank: str, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        s4hana.blank_number = blank
        s4hana.booking_faults.append(Fault.REFUSED)
        books = in_s4hana(seeblick, s4hana)
        sell(seeblick, "12.50")

        failed = post_it(open_revision(books, clock), books, clock)

        assert failed.state == State.FAILED
        assert "Period 004/2026" in failed.sentence
        assert s4hana.live() == []

    def test_takes_a_complaint_of_a_duplicate_for_what_it_is(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        """Looked up in vain, booked by a twin meanwhile, refused: it is there, under our reference."""
        s4hana.refuses_duplicates = True
        books = in_s4hana(seeblick, s4hana)
        sell(seeblick, "12.50")
        revision = open_revision(books, clock)
        s4hana.booking_faults.append(Fault.DROP_AFTER)
        lost = post_it(revision, books, clock)
        with pytest.MonkeyPatch.context() as blind:
            looks = iter([None])
            honest = type(s4hana).reply
            blind.setattr(
                "journal.posting._may_send", lambda held, hands: next(looks, None) is None and held.revision.sent_at
            )
            posted = post_it(lost, books, clock)
        assert honest is type(s4hana).reply

        assert posted.state == State.POSTED
        assert len(s4hana.live()) == 1
        assert (Deed.POST, Outcome.REFUSED) in outcomes(posted)

    def test_without_the_right_to_read_asks_a_person(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        s4hana.may_read = False
        books = in_s4hana(seeblick, s4hana, may_look_up=False)
        sell(seeblick, "12.50")
        s4hana.booking_faults.append(Fault.DROP_AFTER)
        lost = post_it(open_revision(books, clock), books, clock)
        clock.go_on(days=2)
        waiting = post_it(lost, books, clock)
        (document,) = s4hana.live()
        admin = member(seeblick)

        settle_posting(waiting, number=document["number"], company=books.company, clock=clock, by=admin)
        posted = post_it(waiting, books, clock)
        reversed_ = reverse_it(posted, books, clock)

        assert waiting.state == State.UNKNOWN
        assert len(s4hana.documents) == 2
        assert reversed_.state == State.REVERSED

    def test_what_a_person_did_not_find_is_sent_again(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        books = in_s4hana(seeblick, s4hana, may_look_up=False)
        sell(seeblick, "12.50")
        s4hana.booking_faults.append(Fault.DROP_BEFORE)
        lost = post_it(open_revision(books, clock), books, clock)
        admin = member(seeblick)
        settle_posting(lost, number="", company=books.company, clock=clock, by=admin)
        with pytest.raises(NotNow):
            settle_reversal(lost, number="", clock=clock, by=admin)

        posted = post_it(lost, books, clock)

        assert posted.state == State.POSTED
        assert len(s4hana.live()) == 1

    def test_gives_tax_codes_where_the_mapping_has_them(
        self, seeblick: Tenant, s4hana: FakeS4Hana, clock: StandingClock
    ) -> None:
        AccountMapping.objects.create(tenant=seeblick, key="vat.8.1", account="2200", tax_code="A1")
        AccountMapping.objects.create(tenant=seeblick, key="revenue.*.8.1", account="3200", tax_code="A1")
        books = in_s4hana(seeblick, s4hana)
        sell(seeblick, "108.10")
        s4hana.booking_faults.append(Fault.DROP_AFTER)

        posted = post_it(post_it(open_revision(books, clock), books, clock), books, clock)

        (tax,) = [row for row in s4hana.live()[0]["rows"] if "base" in row]
        assert (tax["text"], tax["amount"], tax["base"]) == ("A1", Decimal("-8.10"), Decimal("-100.00"))
        assert posted.state == State.POSTED


def amounts_in(sap: Any) -> dict[str, Decimal]:
    """The one live document: account and amount, debit positive."""
    (document,) = sap.live()
    if isinstance(sap, FakeS4Hana):
        return {row["account"].lstrip("0"): row["amount"] for row in document["rows"]}
    lines = document["JournalEntryLines"]
    return {
        line["AccountCode"]: Decimal(str(line.get("Debit", 0))) - Decimal(str(line.get("Credit", 0))) for line in lines
    }


def reversal_in(sap: Any) -> str:
    """The number of the one reversal."""
    if isinstance(sap, FakeS4Hana):
        return next(str(each["number"]) for each in sap.documents.values() if each["reverses"])
    (storno,) = sap.reversed_by.values()
    return str(sap.entries[storno]["Number"])
