"""Mails to a campground's admins about a key that ends soon: 30 days ahead, 7, and 1; each once.

Any number of schedulers may run this at once, on any number of machines: who inserts the row of a mail sends it, and
the constraint ``expiry_warning_once`` leaves one. The mail is sent first and recorded then. Who dies between the two
leaves a claim that runs out, and the mail goes out a second time; the other way round it could be lost, which is
worse. No order makes it exactly one, since the mail server takes no part in our transaction. A server that is away is
asked again when the claim has run out.

A key whose till has its successor's token already needs no mail. One that is replaced while the new token waits is
spoken of on its last day alone: whoever replaced it knows the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from apikeys.models import ApiKey, ExpiryWarning
from apikeys.replacing import line_of
from tenants.fence import across_tenants, within
from tenants.models import Membership, Role
from tenants.swiss import day_text, time_text

LOGGER = logging.getLogger(__name__)
DAYS = (1, 7, 30)
CLAIM = timedelta(minutes=10)
"""Longer than a mail server is waited for (``EMAIL_TIMEOUT``), by far; and how long one that is away is left alone."""


@dataclass(frozen=True, slots=True)
class Told:
    """A mail that was sent, or not: ``trouble`` says why."""

    key: ApiKey
    days: int
    trouble: str = ""


def run_due(*, at: datetime) -> Iterator[Told]:
    """Send what is due at ``at``. With the first mail that cannot be sent, the others wait for the next run."""
    if settings.EMAIL_BACKEND.endswith(".dummy.EmailBackend"):
        return
    with across_tenants():
        due = due_warnings(at=at)
    for key, days in due:
        with within(key.tenant):
            told = _tell(key, days, at)
        if told:
            yield told
        if told and told.trouble:
            return


def _tell(key: ApiKey, days: int, at: datetime) -> Told | None:
    """Send one mail, if nobody has or does, and there is somebody to send it to."""
    recipients = admins_of(key)
    warning = _claim(key, days, at) if recipients else None
    if warning is None:
        return None
    try:
        _mail(key, recipients).send()
    except (OSError, ValueError) as error:  # what a server refuses is an OSError, a bad address a ValueError
        LOGGER.warning("Mail about %s: %s", key.prefix, type(error).__name__)
        return Told(key, days, trouble=type(error).__name__)
    ExpiryWarning.objects.of(key.tenant).filter(pk=warning.pk).update(sent_at=at)
    return Told(key, days)


def sentence_of(told: Told) -> str:
    """One line about one mail."""
    what = f"trouble: {told.trouble}" if told.trouble else "mail sent"
    return f"{told.key.tenant.slug}: {told.key.prefix} ends within {told.days} days, {what}."


def due_warnings(*, at: datetime) -> list[tuple[ApiKey, int]]:
    """The keys of which a mail is due, unless it was sent, and how many days ahead it is; the next to end first."""
    last = at + timedelta(days=DAYS[-1])
    ending = ApiKey.objects.across_tenants().filter(revoked_at=None, expires_at__gt=at, expires_at__lte=last)
    keys = ending.filter(tenant__is_active=True).select_related("tenant").order_by("expires_at", "pk")
    return [(key, days) for key in keys if (days := _days_ahead(key, at))]


def _days_ahead(key: ApiKey, at: datetime) -> int | None:
    """Which of ``DAYS`` it is time for; None if it is none, or was past when the key was minted."""
    ends = key.expires_at
    if ends is None:
        return None
    days = next(days for days in DAYS if ends <= at + timedelta(days=days))
    if ends <= key.created_at + timedelta(days=days):
        return None
    successors = line_of(key).filter(pk__gt=key.pk, revoked_at=None)
    used = list(successors.values_list("last_used_at", flat=True))
    if any(used) or (used and days > DAYS[0]):
        return None
    return days


def admins_of(key: ApiKey) -> list[str]:
    """The addresses of those who may replace it."""
    admins = Membership.objects.filter(tenant=key.tenant, role=Role.TENANT_ADMIN, user__is_active=True)
    addresses = admins.exclude(user__email="").values_list("user__email", flat=True)
    return sorted(set(addresses))


def _claim(key: ApiKey, days: int, at: datetime) -> ExpiryWarning | None:
    """The row of a mail, in our hands alone; None if it was sent, or is in somebody else's."""
    named = {"api_key": key, "expires_at": key.expires_at, "days": days}
    rows = ExpiryWarning.objects.of(key.tenant).filter(**named)
    lapsed = Q(sent_at=None, claimed_until__lte=at)
    found = rows.first()
    if found is not None:
        return found if rows.filter(lapsed).update(claimed_until=at + CLAIM) else None
    try:
        with transaction.atomic():
            return ExpiryWarning.objects.create(tenant=key.tenant, claimed_until=at + CLAIM, **named)
    except IntegrityError:
        return None


def _mail(key: ApiKey, recipients: list[str]) -> EmailMessage:
    """In the language of the house, on the campground's clock."""
    with translation.override(settings.LANGUAGE_CODE):
        ends_at = cast(datetime, key.expires_at).astimezone(key.tenant.zone_info)
        ends = f"{day_text(ends_at)} {time_text(ends_at)}"
        subject = _("%(campground)s: the key of %(till)s ends on %(moment)s")
        named = {"campground": key.tenant.name, "till": key.name, "moment": ends}
        told = {"key": key, "moment": ends, "page": f"{settings.PUBLIC_URL}{reverse('api-keys')}"}
        # A header is one line.
        return EmailMessage(
            " ".join((subject % named).split()), render_to_string("apikeys/expiry_mail.txt", told), to=recipients
        )
