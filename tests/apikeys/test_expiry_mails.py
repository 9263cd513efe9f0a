"""A campground's admins hear by mail that a key ends: 30 days ahead, 7, and 1; each once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command

from apikeys.changing import change_key
from apikeys.expiry_mails import CLAIM, Told, run_due, sentence_of
from apikeys.minting import Minted
from apikeys.models import ApiKey, ExpiryWarning
from apikeys.replacing import replace_key
from apikeys.verification import verify_token
from tenants.models import Role, Tenant
from tests.factories import NOON, member, mint
from tests.races.racing import race

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ENDS = NOON + 100 * DAY


class Away(EmailBackend):
    """A mail server that nobody reaches."""

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


@pytest.fixture
def key(seeblick: Tenant, waldrand: Tenant) -> Minted:
    """A key that ends in a hundred days; both campgrounds have an admin with an address."""
    member(seeblick, Role.TENANT_ADMIN, email="anna@seeblick.example")
    member(waldrand, Role.TENANT_ADMIN, email="urs@waldrand.example")
    return mint(seeblick, name="Kiosk", expires_at=ENDS)


def run(at: datetime) -> list[int]:
    """Let the scheduler run; of how many days ahead mails were sent."""
    return [told.days for told in run_due(at=at) if not told.trouble]


class TestAMail:
    def test_goes_out_once_for_each_threshold(self, key: Minted) -> None:
        hours = [NOON + number * HOUR for number in range(100 * 24)]

        sent = [(days, ENDS - at) for at in hours[::6] for days in run(at)]

        assert [days for days, _left in sent] == [30, 7, 1]
        assert all(days * DAY - 6 * HOUR < left <= days * DAY for days, left in sent)
        assert len(mail.outbox) == 3

    def test_says_which_key_of_which_till_ends_when_by_the_wall_clock_and_where_to_go(self, key: Minted) -> None:
        run(ENDS - 7 * DAY)

        [message] = mail.outbox
        assert message.to == ["anna@seeblick.example"]
        for said in ("Seeblick", "Kiosk", ENDS.astimezone(key.key.tenant.zone_info).strftime("%d.%m.%Y %H:%M")):
            assert said in message.subject
        assert f"{key.key.prefix}…" in message.body
        assert f"{settings.PUBLIC_URL}/einstellungen/integrationen/schluessel" in message.body
        assert key.token not in f"{message.subject} {message.body}"

    def test_goes_to_all_admins_with_an_address_and_to_nobody_else(self, key: Minted, seeblick: Tenant) -> None:
        member(seeblick, Role.TENANT_ADMIN, email="beat@seeblick.example")
        member(seeblick, Role.TENANT_ADMIN)
        member(seeblick, Role.TENANT_ADMIN, email="gone@seeblick.example", is_active=False)
        member(seeblick, Role.STAFF, email="season@seeblick.example")

        run(ENDS - DAY)

        assert [message.to for message in mail.outbox] == [["anna@seeblick.example", "beat@seeblick.example"]]

    def test_waits_for_somebody_to_send_it_to(self, key: Minted) -> None:
        key.key.tenant.memberships.all().delete()
        assert run(ENDS - 7 * DAY) == []

        member(key.key.tenant, Role.TENANT_ADMIN, email="new@seeblick.example")

        assert run(ENDS - 6 * DAY) == [7]

    def test_is_one_line_of_subject_whatever_the_key_is_called(self, key: Minted) -> None:
        ApiKey.objects.filter(pk=key.key.pk).update(name="Kiosk\r\nBcc: all@campone.example")

        run(ENDS - DAY)

        [message] = mail.outbox
        assert "\n" not in message.subject
        assert message.recipients() == ["anna@seeblick.example"]

    def test_goes_out_anew_for_another_end(self, key: Minted) -> None:
        run(ENDS - 7 * DAY)
        told: dict[str, Any] = {"name": "Kiosk", "budget": None, "networks": []}
        change_key(key.key, at=ENDS - 6 * DAY, expires_at=ENDS + 100 * DAY, **told)

        assert run(ENDS - 5 * DAY) == []
        assert run(ENDS + 93 * DAY) == [7]


class TestNoMail:
    @pytest.mark.parametrize("left", [timedelta(0), -DAY, 31 * DAY])
    def test_is_sent_of_a_key_that_has_ended_or_does_not_end_soon(self, key: Minted, left: timedelta) -> None:
        assert run(ENDS - left) == []

    def test_is_sent_of_a_key_that_is_revoked_or_of_a_campground_that_is_closed(
        self, key: Minted, waldrand: Tenant
    ) -> None:
        mint(waldrand, expires_at=ENDS)
        key.key.revoke(at=NOON)
        Tenant.objects.filter(pk=waldrand.pk).update(is_active=False)

        assert run(ENDS - DAY) == []

    def test_is_sent_of_a_threshold_that_was_past_when_the_key_was_minted(self, key: Minted) -> None:
        ApiKey.objects.update(created_at=ENDS - 5 * DAY)

        assert [run(ENDS - left * DAY) for left in (5, 3, 1)] == [[], [], [1]]

    def test_is_sent_where_no_mail_server_is_named(self, key: Minted, settings: Any) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

        assert run(ENDS - DAY) == []
        assert not ExpiryWarning.objects.exists()


class TestAReplacedKey:
    def test_is_spoken_of_on_its_last_day_if_the_new_token_waits(self, key: Minted) -> None:
        at = NOON + 10 * DAY
        replace_key(key.key, at=at)

        assert [run(at + number * DAY) for number in range(7)] == [[], [], [], [], [], [], [1]]

    def test_is_not_spoken_of_once_its_till_has_the_new_token(self, key: Minted) -> None:
        at = NOON + 10 * DAY
        new = replace_key(key.key, at=at)
        verify_token(new.token, named_tenant=None, at=at + HOUR)

        assert [run(at + number * HOUR) for number in range(26)] == [[]] * 26


class TestAMailServerThatIsAway:
    def test_delays_the_mail_and_loses_none(self, key: Minted, settings: Any) -> None:
        at = ENDS - 7 * DAY
        there = settings.EMAIL_BACKEND
        settings.EMAIL_BACKEND = f"{__name__}.Away"
        [told] = run_due(at=at)
        assert (told.trouble, mail.outbox) == ("ConnectionRefusedError", [])
        assert "ConnectionRefusedError" in sentence_of(told)

        settings.EMAIL_BACKEND = there
        assert run(at + CLAIM / 2) == []
        assert run(at + CLAIM) == [7]
        assert run(at + 2 * CLAIM) == []
        assert len(mail.outbox) == 1

    def test_is_asked_once_in_a_run(self, key: Minted, seeblick: Tenant, settings: Any) -> None:
        mint(seeblick, expires_at=ENDS + HOUR)
        settings.EMAIL_BACKEND = f"{__name__}.Away"

        assert len(list(run_due(at=ENDS - DAY + HOUR))) == 1
        assert len(list(run_due(at=ENDS - DAY + HOUR))) == 1

    def test_that_we_died_talking_to_gets_it_again(self, key: Minted) -> None:
        """Between sending and recording it: at least once, and not never."""
        at = ENDS - 7 * DAY
        run(at)
        ExpiryWarning.objects.update(sent_at=None)

        assert run(at + CLAIM) == [7]


class TestManySchedulers:
    @pytest.mark.django_db(transaction=True)
    def test_send_one_mail(self, key: Minted) -> None:
        def scheduler() -> list[Told]:
            return list(run_due(at=ENDS - DAY))

        told = race([partial(scheduler)] * 6)

        assert sum(len(each) for each in told) == ExpiryWarning.objects.count() == len(mail.outbox) == 1

    def test_run_it_with_all_that_is_due(self, key: Minted, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: ENDS - DAY)

        call_command("run_due")

        assert f"{key.key.tenant.slug}: {key.key.prefix} ends within 1 days, mail sent." in capsys.readouterr().out
