"""What the product itself says the days have come to: the list of staff, and the day totals.

``python -m tests.faults.asking``, in the product's environment, prints sums in Rappen as JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import date

import django

from tests.faults.sales import CAMPGROUNDS, DAYS


def sums() -> dict[str, dict[str, int]]:
    """Of each campground: all pages of the list, and all days together."""
    from kasse.filters import TransactionFilter  # Django is not ready before ``django.setup()``
    from kasse.summing import sums_of
    from kasse.totals import day_totals
    from tenants.fence import within
    from tenants.models import Tenant

    found = {}
    for tenant in Tenant.objects.filter(slug__in=CAMPGROUNDS):
        asked = {"date_from": "", "date_to": ""}
        with within(tenant):
            listed = sums_of(tenant, TransactionFilter(asked, tenant=tenant, tills=[], today=date.max).rows)
            days = [day_totals(tenant, date.fromisoformat(day)) for day in DAYS]
        found[tenant.slug] = {
            "list of staff": int(sum(each.all.amount for each in listed.lists) * 100),
            "day totals": int(sum((day.sales + day.refunds).amount for day in days) * 100),
        }
    return found


if __name__ == "__main__":
    django.setup()
    json.dump(sums(), sys.stdout)
