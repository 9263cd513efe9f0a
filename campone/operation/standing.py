"""How the campgrounds stand: what waits for somebody, which tills are silent, when the scheduler last ran.

A look asks some statements for each campground, so what it has seen holds for a minute.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from campone.models import Deed
from journal.models import Revision, State
from pos_bridge.health import bridge_now, tills_now
from pos_bridge.models import ParkedSale
from tenants.fence import within
from tenants.models import Tenant

HOLDS_FOR = timedelta(minutes=1)
SETTLED = (State.POSTED, State.REVERSED, State.NOTHING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """At one campground: parked sales to decide, tills that usually sell by now, journals that SAP has not."""

    parked_sales: int
    silent_tills: int
    unsent_journals: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Of all campgrounds, by slug; and when each deed was last done."""

    at: datetime
    campgrounds: Mapping[str, Waiting]
    done: Mapping[str, datetime]


def look(*, at: datetime) -> Standing:
    """Look at every campground that is switched on."""
    campgrounds = {}
    for tenant in Tenant.objects.filter(is_active=True):
        with within(tenant):
            campgrounds[tenant.slug] = _waiting(tenant, at)
    return Standing(
        at=at,
        campgrounds=campgrounds,
        done={deed.name: deed.done_at for deed in Deed.objects.exclude(done_at=None) if deed.done_at},
    )


def _waiting(tenant: Tenant, at: datetime) -> Waiting:
    with within(tenant):
        tills = bridge_now(tenant, at=at).selling_keys(at=at)
        return Waiting(
            parked_sales=ParkedSale.objects.of(tenant).filter(decided_at=None).count(),
            silent_tills=sum(till.is_silent for till in tills_now(tenant, tills, at=at)),
            unsent_journals=Revision.objects.of(tenant).exclude(state__in=SETTLED).count(),
        )


class LastLook:
    """The last look, as long as it holds; one at a time."""

    def __init__(self) -> None:
        self.in_turn = threading.Lock()
        self.standing: Standing | None = None

    def at(self, now: datetime) -> Standing:
        """How they stand."""
        with self.in_turn:
            if self.standing is None or now - self.standing.at > HOLDS_FOR:
                self.standing = look(at=now)
            return self.standing
