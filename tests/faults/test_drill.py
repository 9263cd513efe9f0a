"""What judges a backup: one that misses something, or has too much, must not pass."""

from __future__ import annotations

import asyncio
from uuid import uuid5

import pytest

from tests.faults.books import Condition, read_ledger
from tests.faults.model import Model
from tests.faults.restored_books import Moment, check_digests, check_sent_again, check_snapshot
from tests.faults.test_model import SEED, SOLD, SPACE, Books, answer, books, broken, model, record_of
from tests.faults.tills import Demand

__all__ = ["books", "model"]

BEFORE, BY_ITS_END = 60, 80
DIGESTS = "5f0c  60  seeblick\ne3b0  0  waldrand"


@pytest.fixture
def moment() -> Moment:
    """Sixty were acknowledged before the backup began, eighty sold when it had ended."""
    return Moment(bytes([1] * BEFORE), BY_ITS_END)


def keep(books: Books, count: int) -> None:
    """A backup of the first so many."""
    books.execute("DELETE FROM kasse_transaction")
    books.execute("DELETE FROM kasse_transactionitem")
    books.execute("DELETE FROM kasse_payment")
    for number in range(count):
        books.store(Model(SEED).sale(number))


def broken_in(books: Books, model: Model, moment: Moment) -> set[int]:
    return broken(check_snapshot(read_ledger(books.database, model), model, moment))


class TestABackup:
    @pytest.mark.parametrize("kept", [BEFORE, BEFORE + 7, BY_ITS_END])
    def test_of_any_moment_between_its_beginning_and_its_end_is_one(
        self, books: Books, model: Model, moment: Moment, kept: int
    ) -> None:
        keep(books, kept)

        assert broken_in(books, model, moment) == set()

    def test_of_before_breaks_thirteen(self, books: Books, model: Model, moment: Moment) -> None:
        keep(books, BEFORE - 1)

        assert broken_in(books, model, moment) == {13}

    def test_of_later_breaks_fourteen(self, books: Books, model: Model, moment: Moment) -> None:
        keep(books, BY_ITS_END + 1)

        assert broken_in(books, model, moment) == {14}

    def test_with_a_sale_that_nobody_made_breaks_fourteen_and_fifteen(
        self, books: Books, model: Model, moment: Moment
    ) -> None:
        keep(books, BEFORE)
        books.store(model.sale(SOLD + 5))

        assert broken_in(books, model, moment) == {14, 15}

    def test_with_a_sale_doubled_breaks_thirteen_fifteen_and_sixteen(
        self, books: Books, model: Model, moment: Moment
    ) -> None:
        keep(books, BEFORE)
        books.store(model.sale(4), record=uuid5(SPACE, "another"))

        assert broken_in(books, model, moment) == {13, 15, 16}

    @pytest.mark.parametrize("table", ["kasse_transactionitem", "kasse_payment"])
    def test_from_which_a_table_is_missing_breaks_sixteen(
        self, books: Books, model: Model, moment: Moment, table: str
    ) -> None:
        keep(books, BEFORE)
        books.execute(f"DELETE FROM {table}")

        assert broken_in(books, model, moment) == {16}

    def test_with_another_amount_breaks_fifteen(self, books: Books, model: Model, moment: Moment) -> None:
        keep(books, BEFORE)
        books.execute("UPDATE kasse_transaction SET total_amount = total_amount + 1 WHERE external_ref = 'T-2'")

        assert broken_in(books, model, moment) == {15}


class TestItsDigests:
    def test_may_come_in_any_order(self) -> None:
        assert check_digests(DIGESTS, "\n".join(reversed(DIGESTS.splitlines()))).holds

    @pytest.mark.parametrize("told", ["", DIGESTS.replace("5f0c", "5f0d"), DIGESTS.splitlines()[0]])
    def test_that_differ_or_are_missing_break_seventeen(self, told: str) -> None:
        assert not check_digests(told, DIGESTS).holds


class TestSentAgain:
    def sent(self, model: Model, *, kept: int, statuses: dict[int, int] | None = None, other_id: int = -1) -> Condition:
        """Each is answered as it must be, but for those in ``statuses`` and ``other_id``."""
        again = Model(SEED)
        for number in again.sell(SOLD):
            sale, status = again.sale(number), (statuses or {}).get(number, 200 if number < kept else 201)
            record = uuid5(SPACE, "another") if number == other_id else record_of(sale)
            again.hear_of_sale(again.call(), sale, answer(sale, status=status, id=str(record)))
        return check_sent_again(bytearray([1] * kept + [0] * (SOLD - kept)), model, again)

    def test_older_ones_are_known_and_newer_ones_are_new(self, model: Model) -> None:
        assert self.sent(model, kept=BEFORE).holds

    def test_newer_ones_may_have_another_id(self, model: Model) -> None:
        assert self.sent(model, kept=BEFORE, other_id=BEFORE + 1).holds

    @pytest.mark.parametrize(("number", "status"), [(3, 201), (BEFORE + 3, 200)])
    def test_the_other_way_round_breaks_eighteen(self, model: Model, number: int, status: int) -> None:
        assert not self.sent(model, kept=BEFORE, statuses={number: status}).holds

    def test_an_older_one_under_another_id_breaks_eighteen(self, model: Model) -> None:
        assert not self.sent(model, kept=BEFORE, other_id=3).holds

    @pytest.mark.parametrize("kept", [0, SOLD])
    def test_a_round_in_which_none_are_older_or_none_newer_proves_nothing(self, model: Model, kept: int) -> None:
        assert not self.sent(model, kept=kept).holds


class TestADemand:
    def test_gives_one_sale_after_the_other_until_it_is_over(self) -> None:
        model = Model(SEED)
        demand = Demand(model, pause=0)

        assert [asyncio.run(demand.take()) for _ in range(3)] == [0, 1, 2]
        demand.over = True
        assert asyncio.run(demand.take()) is None
        assert model.sold == 3
