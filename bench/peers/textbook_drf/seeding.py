"""Make the tables, and in them the shop's campgrounds; prints the keys as JSON, when run as a module."""

from __future__ import annotations

import json
import os
import sys

import django
from django.core.management import call_command

from bench import shop

BOTH = ["pos:read", "pos:write"]


def seed():
    from bench.peers.textbook_drf.models import Product, Tenant, TillKey, VatRate  # after ``django.setup()``

    def mint(**values):
        return TillKey.objects.create_key(tenant=tenant, budget=shop.BUDGET, **values)[1]

    call_command("migrate", run_syncdb=True, verbosity=0)
    tills = []
    for slug in shop.CAMPGROUNDS:
        tenant = Tenant.objects.create(slug=slug, name=f"Camping {slug.capitalize()}")
        for rate in shop.VAT_RATES:
            VatRate.objects.create(tenant=tenant, rate=rate, valid_from=shop.VAT_VALID_FROM)
        Product.objects.bulk_create(Product(tenant=tenant, **each) for each in shop.articles())
        tills += [mint(name=f"Till {number}", scopes=BOTH) for number in range(shop.TILLS_PER_CAMPGROUND)]
    reader = mint(name="Reader", scopes=["pos:read"])
    return shop.Keys(tills=tills, read_only=reader, revoked=mint(name="Last season's", scopes=BOTH, revoked=True))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.textbook_drf.settings")
    django.setup()
    json.dump(seed().as_dict(), sys.stdout)
