"""Books as campgrounds keep them, a clock that stands until it is moved, and the deeds of a journal on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from typing import Any

from journal.hands import Hands
from journal.models import Journal, Revision
from journal.opening import open_journal
from journal.opening_doors import keep_password, open_door
from journal.posting import post
from journal.reversing import reverse
from journal.settings_models import Flavor, JournalSettings
from tenants.models import Tenant
from tests.journal import fake_business_one, fake_s4hana
from tests.journal.fake_business_one import FakeBusinessOne
from tests.journal.fake_s4hana import FakeS4Hana
from tests.journal.faults import FakeSap

DAY = date(2026, 4, 29)
NIGHT = datetime(2026, 4, 30, 0, 30, tzinfo=timezone.utc)
"""After the day, past two o'clock at the campground."""


class StandingClock:
    """Time as a test wants it."""

    def __init__(self, now: datetime = NIGHT) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **amount: float) -> None:
        """Let time pass."""
        self.now += timedelta(**amount)


def books_of(tenant: Tenant, **fields: Any) -> JournalSettings:
    """A campground's books, without a SAP unless said otherwise."""
    settings = JournalSettings(**{"tenant": tenant, "enabled": True, "first_date": DAY, **fields})
    settings.save()
    return settings


def in_business_one(tenant: Tenant, sap: FakeBusinessOne, **fields: Any) -> JournalSettings:
    """Books that are in that Business One."""
    sign_in = {"company": fake_business_one.COMPANY, "username": fake_business_one.USER}
    settings = books_of(tenant, **{"flavor": Flavor.BUSINESS_ONE, "url": sap.url, **sign_in, **fields})
    keep_password(settings, fake_business_one.PASSWORD)
    settings.save()
    return settings


def in_s4hana(tenant: Tenant, sap: FakeS4Hana, **fields: Any) -> JournalSettings:
    """Books that are in that S/4HANA."""
    sign_in = {"company": fake_s4hana.COMPANY, "username": fake_s4hana.USER}
    settings = books_of(tenant, **{"flavor": Flavor.S4HANA, "url": sap.url, **sign_in, **fields})
    keep_password(settings, fake_s4hana.PASSWORD)
    settings.save()
    return settings


def books_in(sap: FakeSap, tenant: Tenant, **fields: Any) -> JournalSettings:
    """Books that are in that SAP, whichever it is."""
    if isinstance(sap, FakeBusinessOne):
        return in_business_one(tenant, sap, **fields)
    assert isinstance(sap, FakeS4Hana)
    return in_s4hana(tenant, sap, **fields)


def open_revision(settings: JournalSettings, clock: StandingClock, day: date = DAY) -> Revision:
    """The next journal of a day, and its first revision."""
    journal = open_journal(settings, day, at=clock(), even_empty=True)
    assert journal is not None
    return revision_of(journal)


def revision_of(journal: Journal) -> Revision:
    """The latest revision of a journal, as it is now."""
    latest = Revision.objects.of(journal.tenant).filter(journal=journal).select_related("tenant").order_by("-revision")
    return latest[0]


@contextmanager
def hands(settings: JournalSettings, clock: StandingClock) -> Iterator[Hands]:
    """A worker before an open door."""
    with open_door(settings, clock=clock) as door:
        yield Hands(settings, door, clock)


def post_it(revision: Revision, settings: JournalSettings, clock: StandingClock) -> Revision:
    """One turn of posting."""
    with hands(settings, clock) as worker:
        return post(revision, worker)


def reverse_it(revision: Revision, settings: JournalSettings, clock: StandingClock) -> Revision:
    """One turn of reversing."""
    with hands(settings, clock) as worker:
        return reverse(revision, worker)
