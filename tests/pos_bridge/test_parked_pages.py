"""The pages on which staff look at parked sales, and admins decide; and the page of the tills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalogue.models import VatRate
from kasse.cash import CountedCash
from kasse.closing import close_day
from kasse.models import Transaction
from pos_bridge.deciding import decide, references_for
from pos_bridge.models import Decision, ParkedDecision, ParkedSale
from pos_bridge.retention import forget_old_rows
from tenants.models import Role, Tenant, User
from tests.factories import NOON, member, mint
from tests.kasse.sales import DAY
from tests.pos_bridge.test_pill import open_for_weeks
from tests.till import Body, Till, croissants_and_coffee

INBOX = "/einstellungen/integrationen/geparkt"
TILLS = "/einstellungen/integrationen/kassen"
REFERENCE = "seeblick-2026-04-29-T-1"
BY_CARD = croissants_and_coffee(payment_method="CARD")
ONE_COFFEE = croissants_and_coffee(
    total_amount="5.50",
    items=[{"description": "<b>Kaffee</b>", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"}],
)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)


@pytest.fixture
def admin(seeblick: Tenant) -> User:
    return member(seeblick, Role.TENANT_ADMIN, username="rosa")


@pytest.fixture
def office(admin: User) -> Client:
    """The browser of an admin of Seeblick."""
    return signed_in(admin)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def park(till: Till, *bodies: Body) -> ParkedSale:
    """The last of the bodies, parked; the reference is taken by croissants and coffee in cash."""
    till.post(croissants_and_coffee())
    for body in bodies:
        assert till.post(body).status_code == 409
    return ParkedSale.objects.latest("pk")


def address(parked: ParkedSale) -> str:
    return f"{INBOX}/{parked.pk}"


class TestWhoMayOpenThem:
    def test_who_has_not_signed_in_is_asked_to(self, client: Client, till: Till) -> None:
        for page in (INBOX, address(park(till, BY_CARD)), TILLS):
            answer = client.get(page)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/anmelden")

    def test_staff_look_but_do_not_decide(self, seeblick: Tenant, till: Till) -> None:
        desk, parked = signed_in(member(seeblick)), park(till, BY_CARD)

        assert [desk.get(page).status_code for page in (INBOX, address(parked), TILLS)] == [200] * 3
        assert b'<form method="post" action="/einst' not in desk.get(address(parked)).content
        for decision in Decision:
            answer = desk.post(address(parked), {"decision": decision, "reason": "Why not"})
            assert answer.status_code == 403
        assert not ParkedDecision.objects.exists()

    def test_the_neighbour_finds_nothing(self, waldrand: Tenant, till: Till) -> None:
        next_door, parked = signed_in(member(waldrand, Role.TENANT_ADMIN)), park(till, BY_CARD)

        assert next_door.get(address(parked)).status_code == 404
        for decision in ("book", "nonsense"):
            answer = next_door.post(address(parked), {"decision": decision})
            assert answer.status_code in {302, 404}
        assert REFERENCE.encode() not in next_door.get(INBOX).content
        assert b"Shop till" not in next_door.get(TILLS).content
        assert not ParkedDecision.objects.exists()


class TestTheInbox:
    def test_shows_what_waits_with_both_amounts(self, office: Client, till: Till) -> None:
        parked = park(till, ONE_COFFEE, ONE_COFFEE)

        page = office.get(INBOX).content.decode()

        assert f'data-parked="{parked.pk}"' in page
        assert "12.50</td>" in page
        assert "<mark>5.50</mark>" in page
        assert 'class="sum">2</td>' in page

    def test_shows_what_was_decided_below_and_by_decision(self, office: Client, till: Till, admin: User) -> None:
        park(till, *(BY_CARD | {"payment_method": method} for method in ("CARD", "TWINT", "BANK")))
        rows = list(ParkedSale.objects.order_by("pk"))
        for parked, decision in zip(rows, Decision, strict=True):
            decide(tenant=parked.tenant, parked=parked.pk, decision=decision, by=admin, at=NOON, reason="So it is")

        def shown(query: str) -> list[int]:
            page = office.get(INBOX + query).content.decode()
            assert 'id="nothing-waits"' in page
            return [each.pk for each in rows if f'data-parked="{each.pk}"' in page]

        assert shown("") == [each.pk for each in rows]
        assert [shown(f"?decision={decision}") for decision in Decision] == [[each.pk] for each in rows]

    @pytest.mark.parametrize("query", ["?decision=%00", "?decision=x&page=-1", "?page=999999999999", "?page=a"])
    def test_takes_a_bad_address_for_none(self, office: Client, till: Till, query: str) -> None:
        park(till, BY_CARD)

        assert office.get(INBOX + query).status_code == 200

    def test_takes_eight_queries_at_most_however_much_there_is(self, office: Client, till: Till, admin: User) -> None:
        amounts = [f"{each}.00" for each in range(1, 31)]
        park(till, *(croissants_and_coffee(total_amount=each, items=[line(each)]) for each in amounts))
        for parked in ParkedSale.objects.order_by("pk")[:20]:
            decide(tenant=parked.tenant, parked=parked.pk, decision=Decision.BOOK, by=admin, at=NOON)

        assert count_queries(office, INBOX) <= 8


def line(amount: str, **fields: Any) -> Body:
    """A gas bottle."""
    return {"description": "Gasflasche", "quantity": 1, "unit_price": amount, "line_total": amount, **fields}


def count_queries(browser: Client, page: str) -> int:
    """At the first look of a day."""
    cache.clear()
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(page).status_code == 200
    return len(asked)


class TestOneParkedSale:
    def test_stands_beside_the_stored_one_with_differences_marked(self, office: Client, till: Till) -> None:
        page = office.get(address(park(till, ONE_COFFEE))).content.decode()

        assert marked(page) == {"total_amount", "items"}
        assert "CHF 12.50</td>" in page
        assert "<mark>CHF 5.50</mark>" in page
        assert "&lt;b&gt;Kaffee&lt;/b&gt;" in page
        assert "<b>" not in page

    def test_of_another_day_and_method_says_so(self, office: Client, till: Till) -> None:
        page = office.get(address(park(till, BY_CARD | {"occurred_at": "2026-04-28T08:00:00Z"}))).content.decode()

        assert marked(page) == {"payment_method", "occurred_at", "business_date"}
        assert "<mark>28.04.2026</mark>" in page

    def test_tells_under_which_reference_it_would_be_booked(self, office: Client, till: Till) -> None:
        parked = park(till, BY_CARD)
        assert f'<code id="new-reference">{REFERENCE}~2</code>' in office.get(address(parked)).content.decode()

        till.post(croissants_and_coffee(external_ref=f"{REFERENCE}~2"))
        assert f'<code id="new-reference">{REFERENCE}~2.2</code>' in office.get(address(parked)).content.decode()

    def test_says_that_its_day_is_closed(self, office: Client, till: Till, seeblick: Tenant) -> None:
        parked = park(till, BY_CARD)
        assert 'id="is-closed"' not in office.get(address(parked)).content.decode()

        close_day(
            tenant=seeblick, day=DAY, by=None, counted=CountedCash(), at=NOON, variance_reason="Counted elsewhere"
        )

        assert 'id="is-closed"' in office.get(address(parked)).content.decode()

    def test_that_was_decided_tells_by_whom_and_offers_nothing(self, office: Client, till: Till, admin: User) -> None:
        parked = park(till, BY_CARD)
        decide(tenant=parked.tenant, parked=parked.pk, decision=Decision.KEEP, by=admin, at=NOON, reason="<i>Same</i>")

        page = office.get(address(parked)).content.decode()

        assert 'data-decision="keep"' in page
        assert "&lt;i&gt;Same&lt;/i&gt;" in page
        assert 'id="choices"' not in page

    def test_whose_body_is_forgotten_still_shows_the_differences(self, office: Client, till: Till, admin: User) -> None:
        parked = park(till, BY_CARD)
        decide(tenant=parked.tenant, parked=parked.pk, decision=Decision.BOOK, by=admin, at=NOON)
        forget_old_rows(now=NOON + timedelta(days=31), log_days=0)

        page = office.get(address(parked)).content.decode()

        assert 'id="forgotten"' in page
        assert "<code>payment_method</code></th><td>CASH</td><td><mark>CARD</mark>" in page

    def test_that_breaks_the_contract_by_now_says_why(self, office: Client, till: Till, seeblick: Tenant) -> None:
        parked = park(till, croissants_and_coffee(items=[line("12.50", vat_rate="8.1")]))
        VatRate.objects.of(seeblick).filter(rate=Decimal("8.1")).delete()

        page = office.get(address(parked)).content.decode()

        assert 'data-fault="unknown_vat_rate"' in page
        assert 'id="compared"' in page
        assert 'id="book"' not in page
        answer = office.post(address(parked), {"decision": "book"})
        assert answer.status_code == 200
        assert b'data-fault="unknown_vat_rate"' in answer.content
        assert not ParkedDecision.objects.exists()

    def test_whose_references_are_all_taken_cannot_be_booked(self, office: Client, till: Till) -> None:
        parked = park(till, BY_CARD)
        for reference in references_for(REFERENCE, 1):
            till.post(croissants_and_coffee(external_ref=reference))

        assert b'id="no-reference"' in office.get(address(parked)).content
        assert office.post(address(parked), {"decision": "book"}).status_code == 200
        assert not ParkedDecision.objects.exists()

    def test_takes_eight_queries_at_most(self, office: Client, till: Till) -> None:
        parked = park(till, *(BY_CARD | {"payment_method": method} for method in ("CARD", "TWINT", "BANK")))

        assert count_queries(office, address(parked)) <= 8

    @pytest.mark.parametrize("number", ["0", "999999999999999999"])
    def test_that_there_is_not_is_not_found(self, office: Client, number: str) -> None:
        assert office.get(f"{INBOX}/{number}").status_code == 404
        assert office.post(f"{INBOX}/{number}", {"decision": "keep"}).status_code == 404


def marked(page: str) -> set[str]:
    """The rows that differ."""
    return {part.split('"')[0] for part in page.split('data-row="')[1:] if part.split(">")[0].endswith("data-differs")}


class TestDeciding:
    def test_books_and_leads_to_the_sale_in_the_ledger(self, office: Client, till: Till) -> None:
        parked = park(till, BY_CARD)

        answer = office.post(address(parked), {"decision": "book", "reason": ""}, follow=True)

        booked = Transaction.objects.get(external_ref=f"{REFERENCE}~2")
        assert answer.redirect_chain == [(INBOX, 302)]
        assert f'<a id="booked" href="/kasse/transaktionen/{booked.pk}">' in answer.content.decode()
        assert ParkedDecision.objects.get().booked == booked

    def test_keeps(self, office: Client, till: Till, admin: User) -> None:
        parked = park(till, BY_CARD)

        office.post(address(parked), {"decision": "keep", "reason": "Sent by hand"})

        made = ParkedDecision.objects.get()
        assert (made.decision, made.reason, made.decided_by) == ("keep", "Sent by hand", admin)
        assert made.decided_at == NOON

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_discards_for_a_reason_alone(self, office: Client, till: Till, reason: str) -> None:
        parked = park(till, BY_CARD)

        answer = office.post(address(parked), {"decision": "discard", "reason": reason})

        assert answer.status_code == 200
        assert 'id="discard-reason_error"' in answer.content.decode()
        assert not ParkedDecision.objects.exists()
        assert office.post(address(parked), {"decision": "discard", "reason": "Training"}).status_code == 302
        assert ParkedDecision.objects.get().reason == "Training"

    @pytest.mark.parametrize("second", Decision)
    def test_twice_changes_nothing_and_says_who_was_first(self, office: Client, till: Till, second: str) -> None:
        parked = park(till, BY_CARD)
        office.post(address(parked), {"decision": "book"})

        answer = office.post(address(parked), {"decision": second, "reason": "Again"}, follow=True)

        assert answer.redirect_chain == [(address(parked), 302)]
        assert 'class="message warning"' in answer.content.decode()
        assert "rosa" in answer.content.decode()
        assert (ParkedDecision.objects.count(), Transaction.objects.count()) == (1, 2)

    @pytest.mark.parametrize("data", [{}, {"decision": "maybe"}, {"decision": "\x00"}, {"reason": "Why"}])
    def test_asks_again_when_it_is_not_said_what(self, office: Client, till: Till, data: dict[str, str]) -> None:
        parked = park(till, BY_CARD)

        assert office.post(address(parked), data)["Location"] == address(parked)
        assert not ParkedDecision.objects.exists()

    def test_takes_no_text_that_a_database_cannot_keep(self, office: Client, till: Till) -> None:
        parked = park(till, BY_CARD)

        assert office.post(address(parked), {"decision": "keep", "reason": "a\x00b"}).status_code == 200
        assert not ParkedDecision.objects.exists()


class TestTheTills:
    def test_are_the_keys_that_may_send_sales(self, office: Client, seeblick: Tenant, till: Till) -> None:
        till.post(croissants_and_coffee(sent_at=(NOON + timedelta(minutes=4)).isoformat()))
        mint(seeblick, name="Reader", scopes=["pos:read"])
        mint(seeblick, name="Old till").key.revoke(at=NOON)
        mint(seeblick, name="New till")

        page = office.get(TILLS).content.decode()

        assert list(shown_tills(page)) == [("New till", "none"), ("Shop till", "clock")]
        assert "29.04.2026 14:00:00" in page

    def test_tell_when_they_usually_sell(self, office: Client, seeblick: Tenant) -> None:
        open_for_weeks(seeblick, mint(seeblick).key)

        page = office.get(TILLS).content.decode()

        assert list(shown_tills(page)) == [("Shop till", "silent")]
        assert "8–20" in page

    def test_take_eight_queries_at_most(self, office: Client, seeblick: Tenant) -> None:
        for number in range(15):
            mint(seeblick, name=f"Till {number}")

        assert count_queries(office, TILLS) <= 8

    def test_are_told_to_be_missing(self, office: Client, seeblick: Tenant) -> None:
        assert b'class="empty"' in office.get(TILLS).content


def shown_tills(page: str) -> Iterator[tuple[str, str]]:
    """Name and state of each."""
    for part in page.split('data-till="')[1:]:
        yield part.split('"')[0], part.split('data-state="')[1].split('"')[0]
