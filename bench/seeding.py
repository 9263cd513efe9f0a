"""Open the campgrounds of the shop in the product's own database, by the product's own deeds.

``python -m bench.seeding``, with the product's environment, prints the keys as JSON.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal

import django

from bench import shop


def seed() -> shop.Keys:
    """Campgrounds, their catalogues, and a key for each till."""
    from django.utils import timezone  # Django is not ready before ``django.setup()``

    from apikeys.minting import mint_key
    from campone.opening import open_campground
    from catalogue.models import Product
    from tenants.models import Tenant

    now = timezone.now()
    both, tills = ["pos:read", "pos:write"], []
    for slug in shop.CAMPGROUNDS:
        tenant = Tenant(slug=slug, name=f"Camping {slug.capitalize()}")
        open_campground(tenant)
        Product.objects.bulk_create(
            Product(
                tenant=tenant,
                sku=each["sku"],
                name=each["name"],
                category=each["category"],
                unit_price=Decimal(each["unit_price"]),
                vat_rate=Decimal(each["vat_rate"]),
                updated_at=now,
            )
            for each in shop.articles()
        )
        for number in range(shop.TILLS_PER_CAMPGROUND):
            minted = mint_key(tenant=tenant, name=f"Till {number}", scopes=both, at=now, budget=shop.BUDGET)
            tills.append(minted.token)
    reader = mint_key(tenant=tenant, name="Reader", scopes=["pos:read"], at=now, budget=shop.BUDGET)
    old = mint_key(tenant=tenant, name="Last season's", scopes=both, at=now, budget=shop.BUDGET)
    old.key.revoke(at=now)
    return shop.Keys(tills=tills, read_only=reader.token, revoked=old.token)


if __name__ == "__main__":
    django.setup()
    json.dump(seed().as_dict(), sys.stdout)
