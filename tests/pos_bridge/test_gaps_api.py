"""``GET gaps/``: what a till hears of its missing receipts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys.models import ApiKey, Scope
from pos_bridge.missing import explain_gaps, gaps_of
from tenants.models import Tenant
from tests.factories import member, mint
from tests.pos_bridge.numbering import sell
from tests.till import Body, Till, body_of, croissants_and_coffee

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def sell_lately(key: ApiKey, *numbers: int, device: str = "", ago: timedelta = 2 * DAY) -> None:
    at = timezone.now().replace(microsecond=0) - ago
    sell(key, numbers, device=device, since=at, received_at=at)


def listed(till: Till, query: str = "") -> Body:
    answer = till.get(f"/gaps/{query}")
    assert answer.status_code == 200, answer.content
    return body_of(answer)


def ranges(till: Till, query: str = "") -> list[tuple[int, int]]:
    return [(row["first"], row["last"]) for row in listed(till, query)["results"]]


class TestTheListOfGaps:
    def test_holds_each_hole_with_its_neighbours(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        at = timezone.now().replace(microsecond=0) - 2 * DAY
        sell(kiosk.key, [1040, 1044], device="Kiosk 2", since=at, received_at=at + HOUR)

        body = listed(Till(kiosk.token))

        assert (body["count"], body["next"], body["previous"], body["leaps"]) == (1, None, None, 0)
        assert body["results"] == [
            {
                "mine": True,
                "till_id": "Kiosk 2",
                "first": 1041,
                "last": 1043,
                "count": 3,
                "sold_after": f"{at:%Y-%m-%dT%H:%M:%SZ}",
                "sold_before": f"{at + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}",
                "noticed_at": f"{at + HOUR:%Y-%m-%dT%H:%M:%SZ}",
            }
        ]

    def test_is_empty_where_no_sale_is_numbered(self, till: Till) -> None:
        till.post(croissants_and_coffee())

        assert (listed(till)["count"], listed(till)["results"]) == (0, [])

    def test_is_of_the_calling_key_unless_asked_for_all(self, seeblick: Tenant, waldrand: Tenant) -> None:
        kiosk, bar, theirs = mint(seeblick), mint(seeblick), mint(waldrand)
        sell_lately(kiosk.key, 1, 3)
        sell_lately(bar.key, 1, 4)
        sell_lately(theirs.key, 1, 5)

        assert ranges(Till(kiosk.token)) == ranges(Till(kiosk.token), "?mine=true") == [(2, 2)]
        assert sorted(ranges(Till(kiosk.token), "?mine=false")) == [(2, 2), (2, 3)]
        assert {row["mine"] for row in listed(Till(kiosk.token), "?mine=false")["results"]} == {True, False}

    def test_is_of_one_device_if_asked(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        sell_lately(kiosk.key, 1, 3, device="1")
        sell_lately(kiosk.key, 1, 4, device="2")

        assert ranges(Till(kiosk.token), "?till_id=2") == [(2, 3)]
        assert ranges(Till(kiosk.token), "?till_id=3") == []

    def test_holds_what_was_noticed_since_if_asked(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        sell_lately(kiosk.key, 1, 3, device="1", ago=9 * DAY)
        sell_lately(kiosk.key, 1, 4, device="2", ago=2 * DAY)

        since = f"{timezone.now() - 3 * DAY:%Y-%m-%dT%H:%M:%SZ}"

        assert ranges(Till(kiosk.token), f"?since={since}") == [(2, 3)]

    def test_keeps_quiet_about_the_last_day(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        sell_lately(kiosk.key, 1, 3, ago=DAY - HOUR)

        assert ranges(Till(kiosk.token)) == []

    def test_does_not_hold_what_is_explained(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        sell_lately(kiosk.key, 1, 3)
        now = timezone.now()
        names = [gap.name for gap in gaps_of(seeblick, at=now).missing]

        explain_gaps(seeblick, names, reason="Training", by=member(seeblick), at=now)

        assert ranges(Till(kiosk.token)) == []

    def test_counts_leaps_and_does_not_list_them(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        sell_lately(kiosk.key, 57, 260_430_001)

        assert (listed(Till(kiosk.token))["results"], listed(Till(kiosk.token))["leaps"]) == ([], 1)

    def test_comes_in_pages(self, seeblick: Tenant) -> None:
        kiosk = mint(seeblick)
        sell_lately(kiosk.key, *range(1, 12, 2))

        first = listed(Till(kiosk.token), "?page_size=2")

        assert (first["count"], len(first["results"])) == (5, 2)
        assert first["next"].endswith("/gaps/?page=2&page_size=2")
        assert Till(kiosk.token).get("/gaps/?page=9").status_code == 404

    def test_is_for_keys_that_may_read(self, seeblick: Tenant) -> None:
        writing = Till(mint(seeblick, scopes=[Scope.POS_WRITE]).token)

        assert writing.get("/gaps/").status_code == 403
        assert Till(None).get("/gaps/").status_code == 401

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ("?till=2", None, "unknown_parameter"),
            ("?mine=yes", "mine", "invalid"),
            ("?since=2026-04-29", "since", "invalid"),
            ("?till_id=", "till_id", "blank"),
            ("?till_id=%20a", "till_id", "surrounding_blanks"),
            ("?mine=true&mine=true", "mine", "repeated"),
            ("?page_size=0", "page_size", "invalid"),
        ],
    )
    def test_refuses_what_it_may_not_be_asked(self, till: Till, query: str, field: str | None, code: str) -> None:
        answer = till.get(f"/gaps/{query}")

        assert answer.status_code == 400
        assert [(fault["field"], fault["code"]) for fault in body_of(answer)["errors"]] == [(field, code)]
