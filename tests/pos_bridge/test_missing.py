"""Missing receipts out of the ledger, and what staff say about them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apikeys.models import ApiKey
from pos_bridge import missing
from pos_bridge.gap_models import ExplainedGap
from pos_bridge.missing import LOOKED_AT, QUIET, Gap, explain_gaps, gaps_of, gaps_remembered, gaps_to_remember
from tenants.models import Tenant
from tenants.trail_models import Trace
from tenants.written_once import WrittenOnce
from tests.factories import member, mint
from tests.kasse.listed import record
from tests.pos_bridge.numbering import MINUTE, MORNING, NOW, sell

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def kiosk(seeblick: Tenant) -> ApiKey:
    return mint(seeblick, name="Kiosk").key


def ranges(tenant: Tenant, *, at: datetime = NOW) -> list[tuple[str, int, int]]:
    """What is missing, by device, in the order of the numbers."""
    return sorted((gap.device, gap.hole.first, gap.hole.last) for gap in gaps_of(tenant, at=at).missing)


def explain(tenant: Tenant, *gaps: Gap, reason: str = "Training", at: datetime = NOW) -> list[ExplainedGap]:
    return explain_gaps(tenant, [gap.name for gap in gaps], reason=reason, by=member(tenant), at=at)


class TestAHole:
    def test_is_found_for_each_device_by_itself(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 2, 5], device="1")
        sell(kiosk, [2, 3, 6, 7, 9], device="2")

        assert ranges(seeblick) == [("1", 3, 4), ("2", 4, 5), ("2", 8, 8)]

    def test_is_not_made_by_sales_without_a_number(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1])
        sell(kiosk, [2], since=MORNING + 2 * MINUTE)

        assert ranges(seeblick) == []

    def test_of_the_neighbour_is_theirs(self, seeblick: Tenant, waldrand: Tenant, kiosk: ApiKey) -> None:
        sell(mint(waldrand).key, [1, 3])
        sell(kiosk, [1, 2])

        assert (ranges(seeblick), ranges(waldrand)) == ([], [("", 2, 2)])

    def test_is_quiet_for_a_day(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])

        assert ranges(seeblick, at=MORNING + QUIET - SECOND) == []
        assert ranges(seeblick, at=MORNING + QUIET) == [("", 2, 2)]

    def test_goes_when_the_sale_comes(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1])
        sell(kiosk, [3], since=MORNING + 2 * MINUTE)
        assert ranges(seeblick) == [("", 2, 2)]

        sell(kiosk, [2], since=MORNING + MINUTE, received_at=NOW)

        assert ranges(seeblick) == []

    def test_may_lie_between_two_keys_of_one_till(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        successor = mint(seeblick, name="Kiosk").key
        ApiKey.objects.of(seeblick).filter(pk=successor.pk).update(replaces=kiosk, line=kiosk)
        sell(kiosk, [1, 2, 4])
        sell(successor, [3], since=MORNING + MINUTE + SECOND)
        sell(successor, [6], since=MORNING + 5 * MINUTE)

        assert ranges(seeblick) == [("", 5, 5)]
        assert [gap.till for gap in gaps_of(seeblick, at=NOW).missing] == [kiosk.pk]

    def test_is_not_made_by_sales_that_no_till_has_brought(self, seeblick: Tenant) -> None:
        """Out of a file: nobody knows whose counter it was."""
        for number in (1, 3):
            record(seeblick, receipt_seq=number, occurred_at=MORNING + number * MINUTE, received_at=MORNING)

        assert gaps_of(seeblick, at=NOW).missing == ()

    def test_too_large_to_be_one_is_a_leap(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [57, 260_430_001])

        found = gaps_of(seeblick, at=NOW)

        assert (found.missing, [gap.hole.last for gap in found.leaps]) == ((), [260_430_000])

    def test_is_counted_by_its_numbers(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 4, 9])

        assert gaps_of(seeblick, at=NOW).count == 6

    def test_is_listed_before_those_that_were_noticed_earlier(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        sell(kiosk, [1, 5], device="2", received_at=MORNING + MINUTE)

        assert [gap.hole.last for gap in gaps_of(seeblick, at=NOW).missing] == [4, 2]


class TestTheLook:
    def test_goes_back_35_days_by_the_tills_clock(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3], since=MORNING)
        late = MORNING + LOOKED_AT

        assert ranges(seeblick, at=late) == [("", 2, 2)]
        assert ranges(seeblick, at=late + SECOND) == []
        assert gaps_of(seeblick, at=late).looked_from == MORNING

    @pytest.mark.parametrize("bound", ["MOST_SALES", "MOST_BREAKS"])
    def test_ends_sooner_where_there_is_much_to_see(
        self, seeblick: Tenant, kiosk: ApiKey, monkeypatch: pytest.MonkeyPatch, bound: str
    ) -> None:
        monkeypatch.setattr(missing, bound, 5)
        since = NOW - timedelta(days=6)
        sell(kiosk, [1, 3, 5, 7, 9, 11], since=since)

        assert ranges(seeblick) == [("", 4, 4), ("", 6, 6), ("", 8, 8), ("", 10, 10)]
        assert gaps_of(seeblick, at=NOW).looked_from == since + MINUTE

    def test_that_ends_within_a_stretch_knows_its_end(
        self, seeblick: Tenant, kiosk: ApiKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(missing, "MOST_BREAKS", 3)
        sell(kiosk, [1, 2, 3, 4, 6, 7])

        assert ranges(seeblick) == [("", 5, 5)]

    def test_tells_two_devices_apart_that_sell_by_turns(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 2, 3, 5, 6, 7], device="1")
        sell(kiosk, [10, 11, 13, 14, 15, 17], device="2", since=MORNING + 30 * SECOND)

        assert ranges(seeblick) == [("1", 4, 4), ("2", 12, 12), ("2", 16, 16)]

    def test_takes_one_receipt_that_came_twice_for_one(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        """At the same time, under the same number: the order of the two is nobody's."""
        for _ in range(20):
            sell(kiosk, [2], since=MORNING + MINUTE)
        sell(kiosk, [1, 2, 3, 5])

        assert ranges(seeblick) == [("", 4, 4)]

    def test_may_be_a_quarter_of_an_hour_old(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        assert gaps_remembered(seeblick, at=NOW).count == 1
        sell(kiosk, [5], since=MORNING + 5 * MINUTE)

        assert gaps_remembered(seeblick, at=NOW + MINUTE).count == 1
        assert gaps_remembered(seeblick, at=NOW + 15 * MINUTE).count == 2

    def test_of_now_is_seen_by_others(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        assert gaps_remembered(seeblick, at=NOW).count == 1
        sell(kiosk, [5], since=MORNING + 5 * MINUTE)

        assert gaps_to_remember(seeblick, at=NOW).count == gaps_remembered(seeblick, at=NOW).count == 2

    def test_that_is_old_knows_what_was_explained_since(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        explain(seeblick, *gaps_remembered(seeblick, at=NOW).missing)

        assert gaps_remembered(seeblick, at=NOW).count == 0

    def test_asks_two_questions(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, range(1, 30, 2))

        with CaptureQueriesContext(connection) as asked:
            gaps_of(seeblick, at=NOW)

        assert len(asked) == 2

    def test_asks_one_where_no_sale_is_numbered(self, seeblick: Tenant) -> None:
        with CaptureQueriesContext(connection) as asked:
            gaps_of(seeblick, at=NOW)

        assert len(asked) == 1


class TestAnExplanation:
    def test_makes_the_hole_quiet_and_is_kept(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 4, 6], device="2")
        [later, earlier] = gaps_of(seeblick, at=NOW).missing
        anna = member(seeblick, first_name="Anna", last_name="Frei")

        [kept] = explain_gaps(seeblick, [earlier.name], reason="Training", by=anna, at=NOW)

        found = gaps_of(seeblick, at=NOW)
        assert [gap.hole for gap in found.missing] == [later.hole]
        assert [(gap.hole, gap.explained) for gap in found.explained] == [(earlier.hole, kept)]
        assert (kept.first, kept.last, kept.till_id, kept.reason) == (2, 3, "2", "Training")
        assert (kept.explained_at, kept.explained_by, kept.explained_by_name) == (NOW, anna, "Anna Frei")

    def test_holds_for_what_is_left_of_the_hole(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [10])
        sell(kiosk, [15], since=MORNING + 5 * MINUTE)
        explain(seeblick, *gaps_of(seeblick, at=NOW).missing)

        sell(kiosk, [12], since=MORNING + 2 * MINUTE)

        found = gaps_of(seeblick, at=NOW)
        assert (found.missing, len(found.explained)) == ((), 2)

    def test_does_not_hold_for_the_same_numbers_of_another_day(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        explain(seeblick, *gaps_of(seeblick, at=NOW).missing)

        sell(kiosk, [1, 3], since=MORNING + timedelta(days=1))

        assert ranges(seeblick) == [("", 2, 2)]

    def test_of_a_hole_that_was_filled_meanwhile_is_none(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1])
        sell(kiosk, [3], since=MORNING + 2 * MINUTE)
        gaps = gaps_of(seeblick, at=NOW).missing
        sell(kiosk, [2], since=MORNING + MINUTE)

        assert explain(seeblick, *gaps) == []

    def test_of_the_neighbours_hole_is_none(self, seeblick: Tenant, waldrand: Tenant) -> None:
        sell(mint(waldrand).key, [1, 3])

        assert explain(seeblick, *gaps_of(waldrand, at=NOW).missing) == []
        assert ranges(waldrand) == [("", 2, 2)]

    def test_is_given_once(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        gaps = gaps_of(seeblick, at=NOW).missing
        explain(seeblick, *gaps)

        assert explain(seeblick, *gaps, reason="Another") == []
        assert ExplainedGap.objects.of(seeblick).get().reason == "Training"

    def test_of_two_people_at_once_is_that_of_the_first(
        self, seeblick: Tenant, kiosk: ApiKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sell(kiosk, [1, 3])
        before = gaps_of(seeblick, at=NOW)
        explain(seeblick, *before.missing)
        monkeypatch.setattr(missing, "gaps_of", lambda *_args, **_options: before)

        assert explain(seeblick, *before.missing, reason="Another") == []
        assert ExplainedGap.objects.of(seeblick).get().reason == "Training"
        assert [each.facts["reason"] for each in Trace.objects.of(seeblick).filter(deed="gap.explained")] == [
            "Training"
        ]

    def test_is_written_once(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        [kept] = explain(seeblick, *gaps_of(seeblick, at=NOW).missing)
        table = ExplainedGap._meta.db_table

        with pytest.raises(WrittenOnce):
            ExplainedGap.objects.of(seeblick).update(reason="Another")
        for statement in (f"UPDATE {table} SET reason = 'Another'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        kept.refresh_from_db()
        assert kept.reason == "Training"

    def test_without_a_reason_is_refused_by_the_database(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])

        with pytest.raises(DatabaseError), transaction.atomic():
            explain(seeblick, *gaps_of(seeblick, at=NOW).missing, reason="")
