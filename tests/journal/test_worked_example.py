"""The journal of the day in "Money" is what comes out of its tickets, line by line."""

from __future__ import annotations

from journal.accounts import Chart
from journal.drafting import draft
from journal.opening import open_journal
from kasse.zreport import ZReport
from tenants.models import Tenant
from tests.journal.books import DAY, NIGHT, books_of
from tests.kasse.test_worked_example import report, table

__all__ = ["report"]


class TestTheDayOnThePage:
    def test_is_what_the_journal_posts(self, report: ZReport, seeblick: Tenant) -> None:
        journal = open_journal(books_of(seeblick), DAY, at=NIGHT, even_empty=True)
        assert journal is not None
        lines = draft(journal, Chart({}))

        posted = [[line.account, f"`{line.key}`", side(line.debit), side(line.credit)] for line in lines]
        debit, credit = sum(line.debit for line in lines), sum(line.credit for line in lines)
        assert [*posted, ["", "total", f"{debit:.2f}", f"{credit:.2f}"]] == table("account")


def side(amount: object) -> str:
    """A cell; empty for nothing."""
    return f"{amount:.2f}" if amount else ""
