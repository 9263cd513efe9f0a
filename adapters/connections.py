"""Connections: opened, found by the address a vendor calls, given another address, trusted with secrets.

The address ends in a random token of 190 bits. At rest there is its digest, to find it by, and the token sealed, to
show it again; so neither a copy of the database nor a log opens the door.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import string
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings
from django.db import transaction

from adapters.models import Connection
from adapters.vendor import CallRefused
from apikeys.minting import mint_key
from apikeys.models import ApiKey, Scope
from kasse.sqlite import in_turn
from pos_bridge.models import BridgeSettings
from tenants.sealing import SealBroken, seal, unseal

BASE_PATH = "/api/v1/adapters"
ALPHABET = string.ascii_letters + string.digits
TOKEN_LENGTH = 32
TOKEN = re.compile(rf"[A-Za-z0-9]{{{TOKEN_LENGTH}}}")


def open_connection(connection: Connection, *, label: str) -> None:
    """Store a new line to a vendor, with an address of its own, and a name for its till in the ledger.

    The ledger knows a till by its API key. That of a connection is a name and nothing else: its token is nobody's, and
    it is revoked from the beginning, so lists, totals and filters name the vendor's till as they name every other.
    """
    give_address(connection)
    with transaction.atomic():
        name = till_name(connection, label)
        till = mint_key(tenant=connection.tenant, name=name, scopes=[Scope.POS_WRITE], at=connection.created_at).key
        till.revoke(at=connection.created_at)
        connection.till = till
        connection.save(force_insert=True)


def rename_till(connection: Connection, *, label: str) -> None:
    """Let the ledger's lists call the till as the connection is called now."""
    ApiKey.objects.of(connection.tenant).filter(pk=connection.till_id).update(name=till_name(connection, label))


def till_name(connection: Connection, label: str) -> str:
    """What staff read in lists: the vendor, and their own name for the till."""
    return f"{label} · {connection.name}"


def renew_address(connection: Connection) -> None:
    """Another address; whoever calls the old one is a stranger from now on."""
    give_address(connection)
    connection.save(update_fields=["address_digest", "sealed_address"])


def address_of(connection: Connection) -> str | None:
    """Where the vendor calls, without a final slash; None if the server's secret is another one by now."""
    try:
        token = unseal(connection.sealed_address, purpose=_purpose(connection, "address"))
    except SealBroken:
        return None
    return f"{settings.PUBLIC_URL}{BASE_PATH}/{connection.vendor}/{token}"


def connection_at(vendor: str, token: str) -> Connection | None:
    """The connection whose address ends in this token, its campground loaded with it."""
    if not TOKEN.fullmatch(token):
        return None
    rows = Connection.objects.across_tenants().select_related("tenant", "till")
    return rows.filter(vendor=vendor, address_digest=_digest(token), tenant__is_active=True).first()


def entrust(connection: Connection, **told: str) -> None:
    """Keep secrets, sealed; those told before stay, unless told again. ``save()`` is the caller's."""
    known = {**secrets_of(connection), **told}
    connection.sealed_secrets = seal(json.dumps(known), purpose=_purpose(connection, "secrets"))


def secrets_of(connection: Connection) -> Mapping[str, str]:
    """The secrets, opened; none where the server's secret is another one by now."""
    if not connection.sealed_secrets:
        return {}
    try:
        opened: dict[str, str] = json.loads(unseal(connection.sealed_secrets, purpose=_purpose(connection, "secrets")))
    except SealBroken:
        return {}
    return opened


@contextmanager
def held(connection: Connection) -> Iterator[Connection]:
    """The connection's row as it is by now; whoever else wants to hold it waits until this has committed."""
    with in_turn(), transaction.atomic():
        yield Connection.objects.of(connection.tenant).select_for_update(no_key=True).get(pk=connection.pk)


def require_switched_on(connection: Connection) -> None:
    """For deeds, once they know who calls.

    Raises:
        CallRefused: the connection, or the campground's whole bridge, is switched off.
    """
    off = BridgeSettings.objects.filter(tenant=connection.tenant, enabled=False).exists()
    if off or not connection.enabled:
        raise CallRefused("pos_bridge_disabled")


def note_trouble(connection: Connection, trouble: str, *, at: datetime) -> None:
    """What keeps a connection from working, since when; "" when nothing does."""
    if connection.trouble != trouble:
        connection.trouble = trouble
        connection.trouble_since = at if trouble else None
        connection.save(update_fields=["trouble", "trouble_since"])


def note_heard(connection: Connection, *, at: datetime) -> None:
    """The vendor was heard."""
    Connection.objects.of(connection.tenant).filter(pk=connection.pk).update(heard_at=at)
    connection.heard_at = at


def give_address(connection: Connection) -> None:
    """An address nobody knows; ``save()`` is the caller's."""
    token = "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))
    connection.address_digest = _digest(token)
    connection.sealed_address = seal(token, purpose=_purpose(connection, "address"))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _purpose(connection: Connection, what: str) -> str:
    return f"connection:{connection.tenant_id}:{connection.vendor}:{what}"
