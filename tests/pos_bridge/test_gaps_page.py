"""The page of missing receipts: staff look, admins say why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from apikeys.models import ApiKey
from pos_bridge import missing
from pos_bridge.gap_models import ExplainedGap
from pos_bridge.missing import gaps_of
from pos_bridge.pages import gaps
from pos_bridge.pill import pill_of
from tenants.models import Role, Tenant
from tests.factories import member, mint
from tests.pages import has, signed_in, text_of
from tests.pos_bridge.browsing import CARD, MOST_QUERIES
from tests.pos_bridge.numbering import MINUTE, MORNING, NOW, sell

pytestmark = pytest.mark.django_db
PAGE = "/einstellungen/integrationen/luecken"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def kiosk(seeblick: Tenant, waldrand: Tenant) -> ApiKey:
    return mint(seeblick, name="Kiosk").key


@pytest.fixture
def office(seeblick: Tenant) -> Client:
    return signed_in(member(seeblick, Role.TENANT_ADMIN, first_name="Rosa", last_name="Frei"))


def names(tenant: Tenant) -> list[str]:
    return [gap.name for gap in gaps_of(tenant, at=NOW).missing]


def missing_on(office: Client) -> list[str]:
    """The ranges on the page."""
    page = office.get(PAGE).content.decode()
    return [part.partition('"')[0] for part in page.split('data-gap="')[1:]]


class TestThePage:
    def test_shows_the_holes_of_each_device(self, office: Client, kiosk: ApiKey) -> None:
        sell(kiosk, [1040, 1044, 1046], device="2")

        page = office.get(PAGE)

        assert missing_on(office) == ["1045", "1041–1043"]
        assert 'data-till="Kiosk" data-device="2"' in page.content.decode()
        assert text_of(page, "missing-count") == "4"

    def test_says_when_nothing_is_missing(self, office: Client, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 2])

        assert has(office.get(PAGE), "nothing-missing")

    def test_names_a_till_after_its_youngest_key(self, office: Client, kiosk: ApiKey) -> None:
        successor = mint(kiosk.tenant, name="Kiosk, new").key
        ApiKey.objects.of(kiosk.tenant).filter(pk=successor.pk).update(replaces=kiosk, line=kiosk)
        sell(kiosk, [1, 3])

        assert 'data-till="Kiosk, new"' in office.get(PAGE).content.decode()

    def test_shows_nothing_of_the_neighbour(self, office: Client, waldrand: Tenant, kiosk: ApiKey) -> None:
        sell(mint(waldrand, name="Waldhütte").key, [1, 3, 900_000])

        page = office.get(PAGE)

        assert has(page, "nothing-missing")
        assert "Waldhütte" not in page.content.decode()

    def test_shows_the_last_of_many_and_how_many_more(
        self, office: Client, kiosk: ApiKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gaps, "MOST_SHOWN", 2)
        sell(kiosk, [1, 3, 5, 7])

        assert missing_on(office) == ["6", "4"]
        assert "1" in text_of(office.get(PAGE), "more")

    def test_tells_of_leaps_apart(self, office: Client, kiosk: ApiKey) -> None:
        sell(kiosk, [57, 260_430_001])

        page = office.get(PAGE)

        assert has(page, "nothing-missing")
        assert 'data-leap="58–260430000"' in page.content.decode()

    def test_keeps_what_a_till_has_written_as_text(self, office: Client, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3], device="<b>2")

        assert "<b>2" not in office.get(PAGE).content.decode()

    @pytest.mark.parametrize("count", [1, 40])
    def test_asks_few_questions(
        self, office: Client, kiosk: ApiKey, django_assert_max_num_queries: Any, count: int
    ) -> None:
        for device in range(count):
            sell(kiosk, [1, 3], device=str(device))

        with django_assert_max_num_queries(MOST_QUERIES):
            office.get(PAGE)

    @pytest.mark.parametrize("query", ["?page=99", "?page=x", "?page=", "?gap=1"])
    def test_takes_whatever_stands_in_its_address(self, office: Client, kiosk: ApiKey, query: str) -> None:
        assert office.get(PAGE + query).status_code == 200


class TestExplaining:
    def test_takes_what_was_ticked_and_nothing_else(self, office: Client, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3, 5])

        answer = office.post(PAGE, {"gap": names(seeblick)[:1], "reason": "Training"})

        assert (answer.status_code, answer["Location"]) == (302, PAGE)
        assert missing_on(office) == ["2"]
        page = office.get(PAGE).content.decode()
        assert 'data-explained="4"' in page
        assert "Training" in page
        assert "Rosa Frei" in page
        assert ExplainedGap.objects.of(seeblick).get().explained_at == NOW

    @pytest.mark.parametrize("reason", ["", "   ", "x" * (gaps.LONGEST_REASON + 1)])
    def test_takes_a_reason(self, office: Client, seeblick: Tenant, kiosk: ApiKey, reason: str) -> None:
        sell(kiosk, [1, 3])

        answer = office.post(PAGE, {"gap": names(seeblick), "reason": reason})

        assert answer.status_code == 200
        assert "errorlist" in answer.content.decode()
        assert " checked" in answer.content.decode()
        assert not ExplainedGap.objects.of(kiosk.tenant).exists()

    def test_takes_something_to_explain(self, office: Client, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])

        answer = office.post(PAGE, {"reason": "Training"})

        assert has(answer, "none-chosen")

    @pytest.mark.parametrize("gap", ["", "x", "1/2-2/3/", "\x00"])
    def test_of_what_is_not_there_is_nothing(self, office: Client, kiosk: ApiKey, gap: str) -> None:
        sell(kiosk, [1, 3])

        assert office.post(PAGE, {"gap": gap, "reason": "Training"}).status_code == 302
        assert missing_on(office) == ["2"]

    def test_is_for_admins(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        desk = signed_in(member(seeblick))

        assert missing_on(desk) == ["2"]
        assert has(desk.get(PAGE), "ask-an-admin")
        assert 'type="checkbox" name="gap"' not in desk.get(PAGE).content.decode()
        assert desk.post(PAGE, {"gap": names(seeblick), "reason": "Training"}).status_code == 403
        assert not ExplainedGap.objects.of(kiosk.tenant).exists()

    def test_is_not_for_the_neighbours_admin(self, seeblick: Tenant, waldrand: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 3])
        next_door = signed_in(member(waldrand, Role.TENANT_ADMIN))

        next_door.post(PAGE, {"gap": names(seeblick), "reason": "Training"})

        assert not ExplainedGap.objects.of(kiosk.tenant).exists()


class TestThePill:
    @pytest.mark.parametrize("page", ["/", CARD])
    def test_costs_other_pages_a_look_now_and_then(
        self, office: Client, kiosk: ApiKey, django_assert_max_num_queries: Any, page: str
    ) -> None:
        sell(kiosk, [1, 4])

        with django_assert_max_num_queries(MOST_QUERIES + 2):
            office.get(page)
        with django_assert_max_num_queries(MOST_QUERIES):
            office.get(page)

    def test_is_yellow_while_receipts_are_missing(self, office: Client, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 4])

        pill = pill_of(seeblick, at=NOW)
        page = office.get(CARD).content.decode()

        [reason] = [reason for reason in pill.reasons if reason.code == "missing_receipts"]
        assert (pill.colour, reason.link) == ("yellow", PAGE)
        assert "2" in reason.sentence
        assert 'data-reason="missing_receipts"' in page

    def test_is_green_again_once_they_are_explained(self, office: Client, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1, 4])
        assert pill_of(seeblick, at=NOW).colour == "yellow"

        office.post(PAGE, {"gap": names(seeblick), "reason": "Training"})

        assert pill_of(seeblick, at=NOW).colour == "green"

    def test_is_green_again_minutes_after_they_have_come(self, seeblick: Tenant, kiosk: ApiKey) -> None:
        sell(kiosk, [1])
        sell(kiosk, [3], since=MORNING + 2 * MINUTE)
        assert pill_of(seeblick, at=NOW).colour == "yellow"

        sell(kiosk, [2], since=MORNING + MINUTE)

        later = NOW + timedelta(seconds=missing.REMEMBERED_SECONDS)
        assert pill_of(seeblick, at=later).colour == "green"
        cache.clear()

    def test_is_not_the_neighbours(self, seeblick: Tenant, waldrand: Tenant, kiosk: ApiKey) -> None:
        mint(waldrand)
        sell(kiosk, [1, 4])

        assert pill_of(waldrand, at=NOW).colour == "green"
