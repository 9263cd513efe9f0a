"""What the database itself refuses, whoever asks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from journal.models import Attempt, Journal, JournalSale, Revision, State
from journal.opening import add_revision
from tenants.models import Tenant
from tenants.written_once import WrittenOnce
from tests.journal.books import DAY, StandingClock, books_of, open_revision, post_it
from tests.kasse.selling import sell

TABLES = ("journal_journal", "journal_journalsale", "journal_revision", "journal_attempt")


@pytest.fixture
def posted(seeblick: Tenant, waldrand: Tenant, clock: StandingClock) -> Revision:
    """A journal of one sale that is posted; the neighbour has one too."""
    for tenant in (waldrand, seeblick):
        sell(tenant, "12.50")
        books = books_of(tenant)
        revision = post_it(open_revision(books, clock), books, clock)
    return revision


def refused(statement: str) -> None:
    """Expect a statement to be refused by the database."""
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


class TestAJournal:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE journal_journal SET sale_count = 7",
            "UPDATE journal_journal SET totals = '{}'",
            "DELETE FROM journal_journal",
            "UPDATE journal_journalsale SET journal_id = journal_id + 1",
            "DELETE FROM journal_journalsale",
            "UPDATE journal_attempt SET outcome = 'done'",
            "DELETE FROM journal_attempt",
            "DELETE FROM journal_revision",
        ],
    )
    def test_is_written_once(self, posted: Revision, statement: str) -> None:
        refused(statement)

    @pytest.mark.sqlite
    @pytest.mark.parametrize("table", TABLES)
    def test_is_not_replaced(self, posted: Revision, table: str) -> None:
        """SQLite would delete the row in the way, and fire no trigger that refuses to delete."""
        refused(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")

    @pytest.mark.postgresql
    @pytest.mark.parametrize("table", TABLES)
    def test_is_not_emptied_away(self, posted: Revision, table: str) -> None:
        connection.check_constraints()
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            connection.cursor().execute(f"TRUNCATE {table} CASCADE")

    @pytest.mark.parametrize("model", [Journal, JournalSale, Attempt])
    def test_is_not_changed_by_the_application(self, posted: Revision, model: type[Journal]) -> None:
        with pytest.raises(WrittenOnce):
            model.objects.of(posted.tenant).delete()
        with pytest.raises(WrittenOnce):
            model.objects.of(posted.tenant).update(tenant=posted.tenant)

    def test_takes_a_sale_once(self, posted: Revision, clock: StandingClock) -> None:
        taken = JournalSale.objects.of(posted.tenant).get()
        other = Journal.objects.create(
            tenant=posted.tenant,
            business_date=DAY + timedelta(days=1),
            supplement=0,
            currency="CHF",
            sale_count=1,
            totals={},
            earlier={},
            opened_at=clock(),
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            JournalSale.objects.create(tenant=posted.tenant, transaction=taken.transaction, journal=other)

    def test_is_one_for_each_day_and_supplement(self, posted: Revision) -> None:
        twin = Journal.objects.of(posted.tenant).get()
        twin.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            twin.save(force_insert=True)

    def test_has_one_live_revision(self, posted: Revision, clock: StandingClock) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            add_revision(posted.journal, flavor="files", at=clock())


class TestAPostedRevision:
    @pytest.mark.parametrize(
        "change",
        [
            "lines = '[]'",
            "sap_number = '1'",
            "sap_key = '1'",
            "reference = 'C0000-000000-0-0'",
            "state = 'draft'",
            "state = 'failed'",
            "state = 'nothing_to_post'",
            "flavor = 's4hana'",
            "revision = 2",
            "posted_at = '2020-01-01 00:00:00+00:00'",
        ],
    )
    def test_never_changes(self, posted: Revision, change: str) -> None:
        refused(f"UPDATE journal_revision SET {change}")

    def test_can_be_reversed_once_and_for_ever(self, posted: Revision, clock: StandingClock) -> None:
        rows = Revision.objects.of(posted.tenant)
        rows.update(state=State.REVERSED, reversed_at=clock(), reversal_number="9")

        for change in ("state = 'posted'", "reversal_number = '10'", "reversed_at = '2020-01-01 00:00:00+00:00'"):
            refused(f"UPDATE journal_revision SET {change} WHERE state = 'reversed'")


@pytest.mark.django_db
class TestARevisionThatIsNotSent:
    def test_may_get_other_lines(self, seeblick: Tenant, clock: StandingClock) -> None:
        revision = open_revision(books_of(seeblick), clock)
        Revision.objects.filter(pk=revision.pk).update(lines=[{"a": 1}])

        Revision.objects.filter(pk=revision.pk).update(lines=[], state=State.SENDING)

        refused("UPDATE journal_revision SET lines = '[1]'")


@pytest.mark.django_db(transaction=True)
class TestFlushing:
    @pytest.mark.parametrize("turn", [1, 2])
    def test_between_tests_is_not_hindered(
        self, turn: int, seeblick: Tenant, clock: StandingClock, sold: Callable[[], None]
    ) -> None:
        assert Journal.objects.count() == 0
        sold()
        assert Journal.objects.count() == 1
        refused("DELETE FROM journal_journal")


@pytest.fixture
def sold(seeblick: Tenant, clock: StandingClock) -> Callable[[], None]:
    """A deed that leaves a posted journal behind."""

    def deed() -> None:
        books = books_of(seeblick)
        sell(seeblick, "12.50")
        post_it(open_revision(books, clock), books, clock)

    return deed
