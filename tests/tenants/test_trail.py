"""The audit trail: who changed what, when, and from where."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils import translation

from tenants.actor import Actor, acting, actor
from tenants.models import Role, Tenant, User
from tenants.trail_models import Trace, trace
from tenants.trail_words import DEEDS, fact_of
from tenants.written_once import WrittenOnce
from tests.factories import UserFactory, member
from tests.pages import signed_in

PAGE = "/einstellungen/aenderungen"
SWITCH = "/einstellungen/integrationen/schalter"
ROOMS = ("adapters", "apikeys", "campone", "catalogue", "journal", "kasse", "pos_bridge", "tenants")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def chief(seeblick: Tenant, waldrand: Tenant) -> User:
    return member(seeblick, Role.TENANT_ADMIN)


class TestATrace:
    def test_says_who_and_from_where(self, chief: User, seeblick: Tenant) -> None:
        signed_in(chief).post(
            SWITCH, {"enabled": "off"}, REMOTE_ADDR="192.0.2.7", headers={"X-Request-Id": "abcdef-1234567890"}
        )

        (row,) = Trace.objects.of(seeblick)
        assert (row.deed, row.by, row.by_name) == ("bridge.switched_off", chief, chief.username)
        assert (row.remote_address, row.request_id) == ("192.0.2.7", "abcdef-1234567890")

    def test_of_a_command_names_the_command(self, seeblick: Tenant) -> None:
        with acting(Actor("manage.py close_day")):
            trace(seeblick, "close.closed", "2026-04-29")

        row = Trace.objects.of(seeblick).get()
        assert (row.by, row.by_name) == (None, "manage.py close_day")

    def test_goes_with_its_deed(self, seeblick: Tenant) -> None:
        def half_a_deed() -> None:
            with transaction.atomic():
                trace(seeblick, "bridge.switched_off", seeblick)
                raise BrokenPipeError

        with pytest.raises(BrokenPipeError):
            half_a_deed()

        assert not Trace.objects.of(seeblick).exists()

    def test_is_cut_to_what_a_row_holds(self, seeblick: Tenant) -> None:
        with acting(Actor("n" * 400, address="a" * 400, request_id="r" * 400)):
            trace(seeblick, "parked.decided", "s" * 400)

        assert Trace.objects.of(seeblick).get().subject == "s" * 200

    @pytest.mark.parametrize("deed", ["UPDATE tenants_trace SET by_name = 'nobody'", "DELETE FROM tenants_trace"])
    def test_is_changed_and_deleted_by_nobody(self, seeblick: Tenant, deed: str) -> None:
        trace(seeblick, "key.revoked", "ck_AAAAAAAA")

        with pytest.raises(DatabaseError, match="written once"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(deed)
        with pytest.raises(WrittenOnce):
            Trace.objects.of(seeblick).delete()
        with pytest.raises(WrittenOnce):
            Trace.objects.of(seeblick).update(by_name="nobody")
        assert Trace.objects.of(seeblick).get().by_name == "the service"

    def test_keeps_its_person(self, chief: User, seeblick: Tenant) -> None:
        """Somebody who has done something is switched off, not deleted."""
        signed_in(chief).post(SWITCH, {"enabled": "off"})

        with pytest.raises(ProtectedError):
            chief.delete()

    def test_ends_with_whoever_acted(self) -> None:
        with acting(Actor("manage.py demo")), acting(Actor("anna")):
            assert actor().name == "anna"

        assert actor().name == "the service"


class TestEveryDeed:
    def written(self) -> set[str]:
        """What is handed to ``trace()`` anywhere; of a text with a part that varies, what stands before it."""
        sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
        calls = r'(?:trace\(\s*[^,]+,|_trace\()\s*f?"([a-z_.]+)'
        return {deed for path in sources for deed in re.findall(calls, path.read_text())}

    def test_has_a_word(self) -> None:
        written = self.written()

        assert len(written) > 10
        assert {each for each in written if not any(deed.startswith(each) for deed in DEEDS)} == set()

    def test_with_a_word_is_done_somewhere(self) -> None:
        written = self.written()

        assert {deed for deed in DEEDS if not any(deed.startswith(each) for each in written)} == set()


class TestAFact:
    def test_is_said_in_words(self) -> None:
        facts: dict[str, Any] = {
            "scopes": ["pos:read", "pos:write"],
            "budget": None,
            "leaked": True,
            "said": [{"added": {}}],
        }

        with translation.override("en"):
            told = dict(fact_of(name, value) for name, value in facts.items())

        assert told == {
            "scopes": "pos:read, pos:write",
            "calls per hour": "–",
            "ended at once": "yes",
            "changed": "Added.",
        }


class TestThePage:
    def test_is_for_admins(self, seeblick: Tenant, chief: User) -> None:
        assert Client().get(PAGE).status_code == 302
        assert signed_in(member(seeblick)).get(PAGE).status_code == 403
        assert signed_in(chief).get(PAGE).status_code == 200

    def test_shows_ones_own_campground_alone(self, seeblick: Tenant, waldrand: Tenant, chief: User) -> None:
        trace(seeblick, "key.minted", "Kiosk")
        trace(waldrand, "key.minted", "Bistro am Wald")

        page = signed_in(chief).get(PAGE).content.decode()

        assert "Kiosk" in page
        assert "Bistro am Wald" not in page

    def test_is_narrowed_and_turned(self, seeblick: Tenant, chief: User) -> None:
        for number in range(103):
            trace(seeblick, "key.minted" if number % 2 else "key.revoked", f"Nr. {number}")
        browser = signed_in(chief)

        def subjects(query: str) -> list[str]:
            return [row.subject for row, *_ in browser.get(f"{PAGE}?{query}").context["rows"]]

        assert subjects("")[0] == "Nr. 102"
        assert subjects(browser.get(PAGE).context["older"]) == ["Nr. 2", "Nr. 1", "Nr. 0"]
        assert set(map(int, (each[4:] for each in subjects("deed=key.minted")))) == set(range(1, 103, 2))
        assert subjects("by=nobody") == []

    @pytest.mark.parametrize(
        "query", ["deed=x", "before=0", "before=x", f"before={2**63}", "by=%00", "by=" + "x" * 200]
    )
    def test_bears_nonsense(self, chief: User, query: str) -> None:
        assert signed_in(chief).get(f"{PAGE}?{query}").status_code == 422

    def test_shows_texts_as_texts(self, seeblick: Tenant, chief: User) -> None:
        trace(seeblick, "key.minted", "<script>alert(1)</script>", note="<b>")

        assert "<script>alert" not in signed_in(chief).get(PAGE).content.decode()

    def test_reads_as_people_write(self, seeblick: Tenant, chief: User) -> None:
        told = [{"added": {}}, {"changed": {"fields": ["Name"]}}]
        trace(
            seeblick, "key.changed", "Kiosk", scopes=["a", "b"], networks=[], budget=None, leaked=True, said=told, x=7
        )

        ((_row, _word, facts),) = signed_in(chief).get(PAGE).context["rows"]

        texts = [text for _name, text in facts]
        assert {"7", "a, b"} <= set(texts)
        assert texts.count("–") == 2
        assert not any(odd in str(facts) for odd in ("None", "True", "{", "leaked"))

    def test_is_led_to_by_a_link_for_those_who_may_open_it(self, seeblick: Tenant, chief: User) -> None:
        assert PAGE in signed_in(chief).get("/").content.decode()
        assert PAGE not in signed_in(member(seeblick)).get("/").content.decode()

    def test_asks_the_database_little(self, seeblick: Tenant, chief: User, django_assert_max_num_queries: Any) -> None:
        for number in range(30):
            with acting(Actor("x", user=UserFactory.create().pk)):
                trace(seeblick, "key.minted", number)
        browser = signed_in(chief)

        with django_assert_max_num_queries(8):
            browser.get(PAGE)
