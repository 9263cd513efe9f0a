"""The count of rows after a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.audit import Counted, Tables, find_faults, read_counts

GOOD = Counted(sales=100, items=200, payments=100, logged=100, calls=130, budget=130)


class TestFindFaults:
    def test_finds_none_where_all_adds_up(self) -> None:
        assert find_faults(GOOD, accepted=100, in_flight=0) == []

    def test_forgives_sales_whose_answer_nobody_waited_for(self) -> None:
        assert find_faults(GOOD, accepted=84, in_flight=16) == []

    @pytest.mark.parametrize(("accepted", "in_flight"), [(101, 16), (83, 16)])
    def test_names_sales_that_were_lost_or_stored_twice(self, accepted: int, in_flight: int) -> None:
        assert find_faults(GOOD, accepted=accepted, in_flight=in_flight) == [
            f"{accepted} sales were accepted, 100 are stored"
        ]

    @pytest.mark.parametrize("part", ["items", "payments", "logged", "budget"])
    def test_names_what_is_missing(self, part: str) -> None:
        one_less = replace(GOOD, **{part: getattr(GOOD, part) - 1})

        assert len(find_faults(one_less, accepted=100, in_flight=0)) == 1

    def test_does_not_ask_after_a_budget_that_no_table_knows(self) -> None:
        assert find_faults(replace(GOOD, budget=None), accepted=100, in_flight=0) == []


class TestReadCounts:
    def test_takes_every_answer(self) -> None:
        answers = {"sales": 100, "items": 200, "payments": 100, "logged": 100, "calls": 130, "budget": 130}

        assert read_counts(answers) == GOOD

    @pytest.mark.parametrize("budget", [None, "SELECT sum(calls) FROM used"])
    def test_every_question_is_one_of_its_fields(self, budget: str | None) -> None:
        asked = Tables(budget=budget).questions()

        assert read_counts(dict.fromkeys(asked, 1)).budget == (None if budget is None else 1)
