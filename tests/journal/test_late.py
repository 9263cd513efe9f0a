"""A sale that comes after its day was journalled carries the mark, whether the day has been closed or not."""

from __future__ import annotations

from decimal import Decimal

from journal.models import JournalSale
from journal.opening import open_journal
from kasse.late import came_late, late_sales, with_late
from kasse.models import Transaction
from tenants.models import Tenant
from tests.journal.books import DAY, NIGHT, books_of
from tests.kasse.selling import sell


def marked(tenant: Tenant) -> set[Decimal]:
    """The amounts of the sales that staff see the mark on, found in both ways."""
    rows = Transaction.objects.of(tenant)
    shown = {sale.total_amount for sale in with_late(rows) if sale.late}  # type: ignore[attr-defined]  # annotated
    assert shown == set(rows.filter(came_late()).values_list("total_amount", flat=True))
    return shown


class TestASaleOfAJournalledDay:
    def test_is_marked_and_stays_marked_in_its_supplement(self, seeblick: Tenant, waldrand: Tenant) -> None:
        books = books_of(seeblick)
        sell(seeblick, "12.50")
        sell(waldrand, "9.00")
        assert marked(seeblick) == set()

        open_journal(books, DAY, at=NIGHT, even_empty=False)
        assert marked(seeblick) == set()

        sell(seeblick, "3.50")
        sell(waldrand, "4.00")
        assert marked(seeblick) == {Decimal("3.50")}

        open_journal(books, DAY, at=NIGHT, even_empty=False)
        assert marked(seeblick) == {Decimal("3.50")}
        assert JournalSale.objects.of(seeblick).count() == 2
        assert marked(waldrand) == set()

    def test_is_not_late_for_the_close_of_a_day_that_is_open(self, seeblick: Tenant, waldrand: Tenant) -> None:
        books = books_of(seeblick)
        sell(seeblick, "12.50")
        open_journal(books, DAY, at=NIGHT, even_empty=False)
        sell(seeblick, "3.50")

        assert list(late_sales(seeblick, DAY)) == []
