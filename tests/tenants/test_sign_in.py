"""Signing in: wrong passwords, the second factor, and the administration's door, which is the same."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from tenants import second_factor
from tenants.models import Membership, Role, Tenant, User
from tenants.second_factor import authenticator_of, begin, confirm, has_second_factor, passes, remove, secret_of
from tenants.second_factor_models import Authenticator, RecoveryCode
from tenants.trail_models import Trace
from tests.factories import member
from tests.pages import signed_in

PASSWORD = "beim-See-schlaeft-man-gut"
NAME = "anna"


@pytest.fixture
def anna(seeblick: Tenant, waldrand: Tenant) -> User:
    person = member(seeblick, Role.TENANT_ADMIN)
    person.username = NAME
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(client: Client, password: str = PASSWORD, *, name: str = NAME, **extra: Any) -> Any:
    return client.post("/anmelden", {"username": name, "password": password, "next": "/kasse/transaktionen"}, **extra)


def set_up(person: User) -> list[str]:
    """With an app; the codes for paper."""
    begin(person)
    return confirm(person, code_now(person, -1), at=timezone.now())


def code_now(person: User, steps: int = 0) -> str:
    """What the app shows, some steps of 30 seconds from now."""
    device = authenticator_of(person)
    assert device
    clock = TOTP(secret_of(device))
    clock.time = timezone.now().timestamp() + 30 * steps
    return f"{clock.token():06}"


def failing(*_: Any, **__: Any) -> None:
    raise DatabaseError


class TestWrongPasswords:
    def guess(self, client: Client, times: int, **extra: Any) -> list[int]:
        return [sign_in(client, f"falsch-{number}", **extra).status_code for number in range(times)]

    def test_lock_the_name_for_whoever_guesses(self, anna: User) -> None:
        browser = Client()
        assert self.guess(browser, 10) == [200] * 9 + [429]

        answer = sign_in(browser)

        assert answer.status_code == 429
        assert answer["Retry-After"] == "900"
        assert b'id="locked-out"' in answer.content

    def test_lock_it_for_nobody_else(self, anna: User) -> None:
        self.guess(Client(), 10)

        assert sign_in(Client(), REMOTE_ADDR="192.0.2.7").status_code == 302

    def test_lock_no_other_name(self, anna: User, waldrand: Tenant) -> None:
        other = member(waldrand)
        other.set_password(PASSWORD)
        other.save()
        self.guess(Client(), 10)

        assert sign_in(Client(), name=other.username).status_code == 302

    def test_are_forgotten_after_the_right_one(self, anna: User) -> None:
        for _ in range(3):
            self.guess(Client(), 9)
            assert sign_in(Client()).status_code == 302

    def test_are_forgotten_after_a_while(self, anna: User) -> None:
        self.guess(Client(), 10)
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))

        assert sign_in(Client()).status_code == 302

    def test_are_written_down_nowhere(self, anna: User, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            sign_in(Client(), "geheim-7Qx")

        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM axes_accessattempt")
            assert NAME in str(rows := cursor.fetchall())
        assert "geheim-7Qx" not in str(rows) + caplog.text

    @pytest.mark.parametrize("name", [f" {NAME} ", "ａｎｎａ", f"{NAME}\u3000"])
    def test_count_however_the_name_is_written(self, anna: User, name: str) -> None:
        for number in range(10):
            sign_in(Client(), f"falsch-{number}", name=name if number % 2 else NAME)

        assert sign_in(Client()).status_code == 429

    def test_count_together_from_one_network_of_ipv6(self, anna: User) -> None:
        """Whoever has one address there has more of them than anybody could lock out."""
        for number in range(10):
            self.guess(Client(), 1, REMOTE_ADDR=f"2001:db8:1:2:{number}::{number}")

        assert sign_in(Client(), REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
        assert sign_in(Client(), REMOTE_ADDR="2001:db8:1:3::1").status_code == 302

    def test_with_nonsense_beside_them_are_no_fault_of_ours(self, anna: User) -> None:
        browser = Client(raise_request_exception=False)
        odd = {"username": NAME, "password": "falsch", "\0": "\0", "next": "\0"}

        assert browser.post("/anmelden?next=%00&x=%00", odd).status_code == 200
        assert browser.post("/anmelden", {"username": "x\0", "password": "falsch"}).status_code == 200
        assert browser.post("/anmelden", {"username": "x" * 5000, "password": "falsch" * 5000}).status_code == 200

    def test_typed_in_place_of_the_name_are_counted_and_not_kept(self, anna: User) -> None:
        browser = Client()
        answers = [sign_in(browser, "x", name=PASSWORD).status_code for _ in range(10)]

        assert answers[-1] == 429
        assert PASSWORD not in str(list(AccessAttempt.objects.values()))

    @pytest.mark.parametrize("forwarded", ["", "nonsense", "192.0.2.1:80", "2001:db8::1"])
    def test_from_an_address_that_is_none_are_no_fault_of_ours(self, anna: User, forwarded: str, settings: Any) -> None:
        settings.PROXY_COUNT = 1

        assert sign_in(Client(), "falsch", headers={"X-Forwarded-For": forwarded}).status_code == 200


class TestTheAdministration:
    def test_asks_at_the_one_door(self, anna: User) -> None:
        assert Client().get("/admin/", follow=True).redirect_chain[-1][0] == "/anmelden?next=/admin/"

    def test_takes_no_password_of_its_own(self, anna: User) -> None:
        answer = Client().post("/admin/login/", {"username": NAME, "password": PASSWORD})

        assert answer["Location"].startswith("/anmelden")

    def test_turns_away_whoever_may_not_enter_without_sending_them_in_circles(self, anna: User) -> None:
        User.objects.update(is_staff=False)
        anna.refresh_from_db()

        assert signed_in(anna).get("/admin/", follow=True).status_code == 403


class TestTheSecondFactor:
    def test_is_asked_for_after_the_password_and_before_a_session(self, anna: User) -> None:
        set_up(anna)
        browser = Client()

        assert sign_in(browser)["Location"] == "/anmelden/code"
        assert browser.get("/kasse/transaktionen").status_code == 302

        answer = browser.post("/anmelden/code", {"code": code_now(anna)})

        assert answer["Location"] == "/kasse/transaktionen"
        assert browser.get("/kasse/transaktionen").status_code == 200

    def test_is_asked_of_nobody_who_has_not_confirmed_it(self, anna: User) -> None:
        begin(anna)

        assert sign_in(Client())["Location"] == "/kasse/transaktionen"

    def test_opens_nothing_without_the_password(self, anna: User) -> None:
        set_up(anna)

        assert Client().post("/anmelden/code", {"code": code_now(anna)})["Location"] == "/anmelden"

    @pytest.mark.parametrize("wanted", ["foo", "home", "./foo", "//evil.example", "https://evil.example/", "\0"])
    def test_leads_nowhere_else(self, anna: User, wanted: str) -> None:
        set_up(anna)
        browser = Client(raise_request_exception=False)
        browser.post("/anmelden", {"username": NAME, "password": PASSWORD, "next": wanted})

        answer = browser.post("/anmelden/code", {"code": code_now(anna)})

        assert answer.status_code == 302
        assert "evil" not in answer["Location"]

    def test_opens_nothing_once_the_password_is_another(self, anna: User) -> None:
        set_up(anna)
        browser = Client()
        sign_in(browser)
        anna.set_password("am-Wald-schlaeft-man-auch-gut")
        anna.save()

        assert browser.post("/anmelden/code", {"code": code_now(anna)})["Location"] == "/anmelden"

    def test_opens_nothing_to_whoever_was_switched_off_meanwhile(self, anna: User) -> None:
        set_up(anna)
        browser = Client()
        sign_in(browser)
        User.objects.update(is_active=False)

        assert browser.post("/anmelden/code", {"code": code_now(anna)})["Location"] == "/anmelden"

    def test_begins_a_session_of_another_name(self, anna: User) -> None:
        """Whoever has put theirs into the browser before does not share what comes of it."""
        set_up(anna)
        browser = Client()
        sign_in(browser)
        half = str(browser.session.session_key)
        browser.post("/anmelden/code", {"code": code_now(anna)})

        assert browser.session.session_key != half
        assert not browser.session.exists(half)

    def test_waits_for_five_minutes(self, anna: User) -> None:
        set_up(anna)
        browser = Client()
        sign_in(browser)
        session = browser.session
        half = session["half_signed_in"]
        session["half_signed_in"] = half | {"until": (timezone.now() - timedelta(seconds=1)).isoformat()}
        session.save()

        assert browser.post("/anmelden/code", {"code": code_now(anna)})["Location"] == "/anmelden"

    def test_is_not_passed_by_a_wrong_code_and_makes_the_next_one_wait(self, anna: User) -> None:
        set_up(anna)
        browser = Client()
        sign_in(browser)

        assert browser.post("/anmelden/code", {"code": "000000x"}).status_code == 422
        assert browser.post("/anmelden/code", {"code": code_now(anna)}).status_code == 422
        Authenticator.objects.update(closed_until=timezone.now())
        assert browser.post("/anmelden/code", {"code": code_now(anna)}).status_code == 302

    @pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "１２３４５６", "-12345", "1e1000", "\0", "x" * 400])
    def test_takes_no_nonsense(self, anna: User, code: str) -> None:
        set_up(anna)
        browser = Client()
        sign_in(browser)

        assert browser.post("/anmelden/code", {"code": code}).status_code == 422

    def test_counts_no_code_twice(self, anna: User) -> None:
        set_up(anna)
        code, now = code_now(anna), timezone.now()

        assert [passes(anna, code, at=now) for _ in range(2)] == [True, False]

    def test_bears_a_clock_that_is_half_a_minute_off(self, anna: User) -> None:
        begin(anna)
        now = timezone.now()

        assert not confirm(anna, code_now(anna, 3), at=now)
        Authenticator.objects.update(closed_until=None)
        assert confirm(anna, code_now(anna, 1), at=now)

    def test_is_given_to_nobody_anew_who_has_one(self, anna: User) -> None:
        """Whoever sits at an open browser could put their own phone in place of the person's."""
        set_up(anna)
        before = Authenticator.objects.get().sealed_secret

        signed_in(anna).post("/zugang/einrichten")

        assert Authenticator.objects.get().sealed_secret == before

    def test_that_is_confirmed_at_the_same_moment_is_not_begun_anew(self, anna: User) -> None:
        begin(anna)

        def confirmed_first(execute: Any, sql: str, *told: Any) -> Any:
            if sql.startswith("UPDATE"):
                with connection.cursor() as cursor:
                    cursor.cursor.execute("UPDATE tenants_authenticator SET confirmed = true")
            return execute(sql, *told)

        with connection.execute_wrapper(confirmed_first):
            begin(anna)

        assert has_second_factor(anna)

    def test_is_told_at_each_campground_in_the_transaction_of_the_deed(
        self, anna: User, seeblick: Tenant, waldrand: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Membership.objects.create(tenant=waldrand, user=anna)
        papers = set_up(anna)
        for tenant in (seeblick, waldrand):
            assert Trace.objects.of(tenant).get().deed == "person.second_factor_set_up"

        monkeypatch.setattr(second_factor, "trace", failing)
        answer = signed_in(anna).post("/zugang/ausschalten", {"code": papers[0]})

        assert answer.status_code == 500
        assert has_second_factor(anna)

    def test_lies_sealed(self, anna: User) -> None:
        set_up(anna)
        device = Authenticator.objects.get()

        assert secret_of(device).hex() not in device.sealed_secret

    def test_of_one_person_is_not_anothers(self, anna: User, waldrand: Tenant) -> None:
        stranger = member(waldrand)
        set_up(anna)
        papers = set_up(stranger)

        assert not passes(anna, papers[0], at=timezone.now())


class TestACodeOnPaper:
    def test_lets_in_once(self, anna: User) -> None:
        papers = set_up(anna)
        now = timezone.now()

        assert len(set(papers)) == 10
        assert passes(anna, f" {papers[3].upper()} ", at=now)
        assert not passes(anna, papers[3], at=now)
        assert RecoveryCode.objects.count() == 9

    def test_lies_as_a_digest(self, anna: User) -> None:
        papers = set_up(anna)

        kept = " ".join(RecoveryCode.objects.values_list("digest", flat=True))
        assert not [each for each in papers if each in kept or each.replace("-", "") in kept]

    def test_outlives_a_new_secret_key(self, anna: User, settings: Any) -> None:
        papers = set_up(anna)
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-one-" + "k7Qz2mX9vB4nL8pR3sT6wY1cF5gH0jD" * 2

        assert passes(anna, papers[0], at=timezone.now())


class TestThePageOfTheSecondFactor:
    def test_leads_from_nothing_to_codes_on_paper(self, anna: User) -> None:
        browser = signed_in(anna)
        assert browser.post("/zugang/einrichten")["Location"] == "/zugang"
        page = browser.get("/zugang").content.decode()
        assert 'class="qr"' in page
        assert re.search(r'id="typed-secret">[A-Z2-7]{32}<', page)

        assert browser.post("/zugang/bestaetigen", {"code": "123"}).status_code == 422
        Authenticator.objects.update(closed_until=None)
        answer = browser.post("/zugang/bestaetigen", {"code": code_now(anna)})

        assert answer.content.decode().count("<li><code>") == 10
        assert has_second_factor(anna)
        assert "typed-secret" not in browser.get("/zugang").content.decode()

    def test_switches_off_with_a_code_alone(self, anna: User) -> None:
        papers = set_up(anna)
        browser = signed_in(anna)

        assert browser.post("/zugang/ausschalten", {"code": "falsch"}).status_code == 422
        Authenticator.objects.update(closed_until=None)
        assert browser.post("/zugang/ausschalten", {"code": papers[0]}).status_code == 302
        assert not has_second_factor(anna)
        assert RecoveryCode.objects.count() == 0

    def test_is_every_persons_own(self, anna: User, waldrand: Tenant) -> None:
        set_up(anna)

        assert "confirm-second-factor" not in signed_in(member(waldrand)).get("/zugang").content.decode()

    def test_can_be_taken_away_by_the_operator(self, anna: User) -> None:
        set_up(anna)
        remove(anna)

        assert sign_in(Client())["Location"] == "/kasse/transaktionen"
