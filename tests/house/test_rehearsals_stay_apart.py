"""However busy a test key is: no page, register or figure of the campground shows a trace of it.

Nothing here lists the pages. Each is opened twice, with the campground's clock standing still: before a till tries out
all that it can, and after. Pages of the test key itself are not among them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apikeys.minting import Minted
from campone.operation.standing import look
from kasse.models import Transaction
from kasse.totals import day_totals
from pos_bridge.losing_models import Losing, LosingAnswers
from pos_bridge.models import InboundCall
from tenants.models import Role, Tenant
from tenants.rehearsals import rehearsal_of
from tests.admin.crawling import walk
from tests.factories import UserFactory
from tests.house.test_every_fence import addresses, rows
from tests.house.test_every_page import signed_in
from tests.pos_bridge.test_forgetting import busy
from tests.till import Till, croissants_and_coffee

__all__ = ["rows"]
CHANCE = re.compile(r'(csrfmiddlewaretoken|form_id)"? value="[^"]*"|nonce="[^"]*"')
OF_THE_TEST_KEY = {"lose-answers", "forget-rehearsal"}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """This moment, for as long as the test lasts."""
    moment = timezone.now().replace(microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def read(browser: Client, path: str) -> tuple[int, str]:
    """A page without what is drawn by lot for each answer."""
    answer: Any = browser.get(path)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, CHANCE.sub("", body.decode("utf-8", "replace"))


def try_out(till: Till, at: datetime) -> None:
    """All that leaves rows behind, today and on the day of the real sales."""
    busy(till)
    today = (at - timedelta(minutes=1)).isoformat()
    for number in range(5):
        till.post(croissants_and_coffee(external_ref=f"T-{number}", occurred_at=today, sent_at=today, colour="red"))
    till.post({"external_ref": "broken"}, x_lose_answer="1")
    till.post(croissants_and_coffee(external_ref="lost"), x_lose_answer="1")
    till.get("/products/")


class TestABusyTestKey:
    def test_leaves_every_page_as_it_was(
        self, rows: dict[str, Any], seeblick: Tenant, trial: Minted, trying: Till, now: datetime
    ) -> None:
        trying.get("/ping/")
        stage = rehearsal_of(seeblick)
        admin = signed_in(seeblick, Role.TENANT_ADMIN)
        paths = {name: path for name, path in addresses(rows).items() if name not in OF_THE_TEST_KEY}
        before = {name: read(admin, path) for name, path in paths.items()}

        try_out(trying, now)
        LosingAnswers.objects.create(tenant=stage, api_key=trial.key, mode=Losing.THIS)
        cache.clear()

        assert Transaction.objects.of(stage).count() == 9
        changed = [name for name, path in paths.items() if read(admin, path) != before[name]]
        assert changed == []

    def test_leaves_the_administration_as_it_was(
        self, rows: dict[str, Any], trial: Minted, trying: Till, now: datetime
    ) -> None:
        trying.get("/ping/")
        operator = Client()
        operator.force_login(UserFactory.create(is_superuser=True))
        before = {path: CHANCE.sub("", page) for path, page in walk(operator, sorting=False)}

        try_out(trying, now)

        after = {path: CHANCE.sub("", page) for path, page in walk(operator, sorting=False)}
        assert [path for path in before if before[path] != after.get(path)] == []
        assert set(after) == set(before)
        assert not [path for path, page in after.items() if trial.key.prefix in page]

    def test_leaves_every_figure_as_it_was(
        self, rows: dict[str, Any], seeblick: Tenant, trying: Till, till: Till, now: datetime
    ) -> None:
        trying.get("/ping/")

        def figures() -> list[Any]:
            cache.clear()
            sold = Transaction.objects.of(seeblick).order_by("pk").values_list("pk", "total_amount")
            day = croissants_and_coffee()["occurred_at"][:10]
            listed = till.get("/transactions/").content
            totals = day_totals(seeblick, datetime.fromisoformat(day).date())
            return [list(sold), totals, look(at=now).campgrounds, listed]

        before = figures()

        try_out(trying, now)
        call_command("run_due")

        assert figures() == before

    def test_has_left_its_own_traces(self, stage: Tenant, trying: Till, now: datetime) -> None:
        """What is compared above would show, if it stood among the campground's rows."""
        try_out(trying, now)

        assert InboundCall.objects.filter(tenant=stage).count() == 12
        assert Transaction.objects.of(stage).count() == 9


class TestARehearsal:
    def test_cannot_be_closed(self, stage: Tenant, trying: Till) -> None:
        trying.post(croissants_and_coffee())

        with pytest.raises(Exception, match="no campground"):
            call_command("close_day", tenant=f"test:{-stage.pk}", date="2026-04-29")

    def test_opens_no_host(self, seeblick: Tenant, stage: Tenant) -> None:
        for host in (f"test:{seeblick.pk}.campone.example", f"test-{seeblick.pk}.campone.example"):
            assert Client().get("/anmelden", headers={"host": host}).status_code in {400, 404}

    def test_is_chosen_by_nobody(self, seeblick: Tenant, stage: Tenant) -> None:
        operator = Client(raise_request_exception=False)
        operator.force_login(UserFactory.create(is_superuser=True))

        assert operator.post("/campingplatz", {"tenant": stage.pk}).status_code == 404
        assert operator.get(f"/admin/tenants/tenant/{stage.pk}/change/").status_code == 302
