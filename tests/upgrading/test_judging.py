"""The conditions of an upgrade, held against findings that are made up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.upgrading.course import FULL_SPEED, TAKES_OVER, Course, Part
from tests.upgrading.judging import Digest, check_course

DIGEST: Digest = [(3, 7), (6, 8), (3, 9)]
GOOD = Part("tables change", sales=100, p50=0.01, p99=0.2, longest=0.4, silence=0.3, waited_for_lock=0.2)
REFUSED = "CommandError: The database is not migrated: `manage.py migrate`, then the same again."


def broken(*parts: Part, after: Digest = DIGEST, refused: str = REFUSED) -> list[int]:
    """The numbers of the conditions that do not hold."""
    course = Course(parts=[GOOD, *parts], refused=refused)
    conditions = check_course(course, before=DIGEST, after=after, changes=True)
    return [each.number for each in conditions if not each.holds]


class TestAnUpgrade:
    def test_that_nobody_feels_is_good(self) -> None:
        assert broken() == []

    @pytest.mark.parametrize(
        ("harm", "number"), [({"failures": 1}, 11), ({"waited_for_lock": 2.0}, 12), ({"p99": 2.0}, 13)]
    )
    def test_that_tills_feel_is_not(self, harm: dict[str, Any], number: int) -> None:
        assert broken(replace(GOOD, **harm)) == [number]

    def test_may_be_silent_for_as_long_as_a_server_takes_to_start(self) -> None:
        handover = replace(GOOD, name=TAKES_OVER, p99=4.0, silence=4.0)

        assert broken(handover) == []
        assert broken(replace(handover, silence=5.0)) == [13]

    def test_is_not_measured_where_tills_sell_as_fast_as_they_can(self) -> None:
        assert broken(replace(GOOD, name=FULL_SPEED, p99=3.0)) == []

    def test_that_changes_what_lay_there_is_not_good(self) -> None:
        assert broken(after=[(3, 7), (6, 8), (2, 5)]) == [14]

    def test_where_new_code_serves_on_old_tables_is_not_good(self) -> None:
        assert broken(refused="") == [15]
