"""The digest of a part of each ledger, out of the product's own lines.

``python -m tests.faults.digesting``, in the product's environment, reads references by campground as JSON, and prints
what ``ledger_digest`` would say if there were no other sales.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator

import django


def digests(wanted: dict[str, list[str]]) -> Iterator[str]:
    """A line for each campground."""
    from kasse.digest import canonical_sales  # Django is not ready before ``django.setup()``
    from tenants.fence import within
    from tenants.models import Tenant

    for tenant in Tenant.objects.order_by("slug"):
        references, digest, count = set(wanted.get(tenant.slug, [])), hashlib.sha256(), 0
        with within(tenant):
            for line in canonical_sales(tenant):
                if json.loads(line)[0]["external_ref"] in references:
                    digest.update(line)
                    count += 1
        yield f"{digest.hexdigest()}  {count}  {tenant.slug}"


if __name__ == "__main__":
    django.setup()
    sys.stdout.writelines(f"{line}\n" for line in digests(json.load(sys.stdin)))
