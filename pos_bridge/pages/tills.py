"""The tills: when each has last sold and usually sells, and how far its clock is off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext as _

from pos_bridge.doors import pages_by_key
from pos_bridge.health import bridge_now, tills_now
from pos_bridge.silence import Rhythm
from tenants.pages import Here, staff_page


@staff_page
def tills(request: HttpRequest, here: Here) -> HttpResponse:
    """Every till that may send sales, those behind other doors too."""
    now = timezone.now()
    bridge, doors = bridge_now(here.tenant, at=now), pages_by_key(here.tenant)
    keys = bridge.selling_keys(at=now)
    keys += [key for key in bridge.keys if key.pk in doors and key not in keys]
    tills = tills_now(here.tenant, keys, at=now)
    rows = [(till, list(selling_hours(till.rhythm)), doors.get(till.key.pk, "")) for till in tills]
    return render(request, "pos_bridge/tills.html", {"tills": rows})


def selling_hours(rhythm: Rhythm) -> Iterator[str]:
    """The rhythm in words, days with the same hours together: ``Mon–Fri 7–20``; from the first hour to the last."""
    spans = []
    for weekday in range(7):
        hours = [hour for day, hour in rhythm.hours if day == weekday]
        spans.append((min(hours), max(hours) + 1) if hours else None)
    for span, days in groupby(range(7), key=lambda weekday: spans[weekday]):
        if span:
            yield _("%(days)s %(from)d–%(to)d h") % {"days": _days(list(days)), "from": span[0], "to": span[1]}


def _days(weekdays: list[int]) -> str:
    first, last = WEEKDAYS_ABBR[weekdays[0]], WEEKDAYS_ABBR[weekdays[-1]]
    return str(first) if len(weekdays) == 1 else f"{first}–{last}"
