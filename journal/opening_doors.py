"""From a campground's settings to an open door; the only place where its password is unsealed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from journal.business_one import BusinessOne
from journal.doors import Clock, Ledger, Shut
from journal.files import Files
from journal.s4hana import S4Hana
from journal.settings_models import Flavor, JournalSettings
from tenants.outgoing import Outgoing
from tenants.sealing import SealBroken, seal, unseal


def keep_password(settings: JournalSettings, password: str) -> None:
    """Seal a password into the settings; they are not saved yet."""
    settings.sealed_password = seal(password, purpose=_purpose(settings)) if password else ""


@contextmanager
def open_door(settings: JournalSettings, *, clock: Clock) -> Iterator[Ledger]:
    """The door to a campground's books, closed afterwards; one that is shut where the password cannot be read."""
    if settings.flavor == Flavor.FILES:
        yield Files()
        return
    try:
        password = _password(settings)
    except SealBroken:
        yield Shut(_("The stored password can no longer be read. Enter it again."))
        return
    is_s4hana = settings.flavor == Flavor.S4HANA
    with Outgoing(auth=(settings.username, password) if is_s4hana else None) as outgoing:
        door = _s4hana(outgoing, settings, clock) if is_s4hana else _business_one(outgoing, settings, password)
        try:
            yield door
        finally:
            door.close()


def _business_one(outgoing: Outgoing, settings: JournalSettings, password: str) -> Ledger:
    return BusinessOne(
        outgoing,
        url=settings.url,
        company=settings.company,
        username=settings.username,
        password=password,
        company_currency=settings.company_currency,
        cost_centre=settings.cost_centre,
    )


def _s4hana(outgoing: Outgoing, settings: JournalSettings, clock: Clock) -> Ledger:
    return S4Hana(
        outgoing,
        url=settings.url,
        company=settings.company,
        may_look_up=settings.may_look_up,
        clock=clock,
        cost_centre=settings.cost_centre,
    )


def _password(settings: JournalSettings) -> str:
    return unseal(settings.sealed_password, purpose=_purpose(settings)) if settings.sealed_password else ""


def _purpose(settings: JournalSettings) -> str:
    return f"journal.sap-password:{settings.tenant_id}"
