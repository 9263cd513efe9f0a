"""The way in: a fresh password and a fresh key with each start, and what is printed about them.

Nothing of it is kept in clear and nothing of it is fixed, so the demo leaves no door that someone else knows.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.utils.crypto import get_random_string

from apikeys.minting import mint_key
from apikeys.models import ApiKey
from campone.demo.campgrounds import BOTH, DOMAIN, LOGINS, OPERATOR, SEEBLICK, WALDRAND
from pos_bridge.activity import BASE_PATH
from tenants.models import Tenant, User
from tenants.rehearsals import open_rehearsal

KEY_NAME = "Demo till"
REFERENCE = "lightspeed-2026-04-29-T-1234"
EXAMPLE_SALE = {
    "external_ref": REFERENCE,
    "payment_method": "CASH",
    "total_amount": "12.50",
    "items": [
        {"description": "Croissant", "quantity": 2, "unit_price": "3.50", "line_total": "7.00"},
        {"description": "Coffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"},
    ],
    "occurred_at": "2026-04-29T08:14:32Z",
}
"""The product page's own example."""


@dataclass(frozen=True, slots=True)
class Access:
    """What opens the demo until its next start."""

    password: str = field(repr=False)
    token: str = field(repr=False)
    test_token: str = field(repr=False)


def renew_access(tenant: Tenant, *, at: datetime) -> Access:
    """Give the demo's people one new password and Seeblick a new key and a test key; those before are revoked."""
    password = get_random_string(16)
    people = User.objects.filter(username__in=LOGINS, email__endswith=f"@{DOMAIN}")
    people.update(password=make_password(password))
    return Access(password, _renew_key(tenant, at=at), _renew_key(open_rehearsal(tenant), at=at))


def _renew_key(tenant: Tenant, *, at: datetime) -> str:
    for key in ApiKey.objects.of(tenant).filter(name=KEY_NAME, revoked_at=None):
        key.revoke(at=at)
    return mint_key(tenant=tenant, name=KEY_NAME, scopes=BOTH, at=at).token


def describe_access(access: Access, url: str) -> str:
    """All that a newcomer needs, as text for the terminal; the two commands are for a POSIX shell."""
    transactions = f"{url}{BASE_PATH}/transactions/"
    bearer = ["-H", f"Authorization: Bearer {access.token}"]
    post = ["curl", "-i", transactions, *bearer, "-H", "Content-Type: application/json", "-d", json.dumps(EXAMPLE_SALE)]
    read_back = ["curl", "-i", f"{transactions}{REFERENCE}/", *bearer]
    staff = next(name for name in SEEBLICK.people if name != SEEBLICK.slug)
    return f"""\
Service    {url}
Try it     {url}/api/v1/docs/
Staff      {url}/
User       {SEEBLICK.slug} (tenant admin of {SEEBLICK.name})
           or {staff} (staff there), {WALDRAND.slug} (tenant admin of the neighbour), {OPERATOR} (operator)
Password   {access.password} (for all of them, new with each start)
API key    {access.token} (new with each start; the one before is revoked)
Test key   {access.test_token} (the same; what it sends never counts)

Post a sale, the product page's example; the first time it is answered 201, then 200:

{shlex.join(post)}

Read it back:

{shlex.join(read_back)}
"""
