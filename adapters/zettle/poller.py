"""Zettle's subscription made, watched and made again; and what no message brought, fetched.

Once a day, or at once after a change: is the subscription still there, does it call this address? Zettle ends it when
messages could not be delivered for three days. Then the purchases since the last look are fetched, and some days
before: each ends at the reference its message has.

Source: the vendor's published OAuth, Pusher and purchase API descriptions.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote
from uuid import uuid1

from adapters.booking import take_or_leave
from adapters.connections import address_of, entrust, held, secrets_of
from adapters.fetching import PATIENCE_SECONDS, Trouble, fetch, objects_in
from adapters.keeping import keep_event
from adapters.models import Connection
from adapters.payloads import text_of
from adapters.pulling import asked_since, pull_in_turn, remember
from adapters.vendor import Vendor
from adapters.zettle.mapping import PURCHASE
from tenants.outgoing import Outgoing

EVERY = timedelta(days=1)
OVERLAP = timedelta(days=3)
PAGE = 200
MOST_PAGES = 500
FAILING = "failing"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where Zettle is."""

    oauth: str
    pusher: str
    purchase: str


LIVE = Hosts("https://oauth.zettle.com", "https://pusher.izettle.com", "https://purchase.izettle.com")


def pull(connection: Connection, vendor: Vendor, *, at: datetime) -> bool:
    """The scheduler's turn; False if it is not time yet."""

    def turn() -> str:
        with Outgoing(patience=PATIENCE_SECONDS) as line:
            zettle = Zettle(line, connection, LIVE)
            made = watch(zettle, connection)
            fetched = back_fill(zettle, connection, vendor, at=at)
        if made == FAILING:
            # Only now: what it cannot deliver has been fetched.
            raise Trouble("subscription_failing")
        return f"{made}, {fetched} purchases"

    return pull_in_turn(connection, at=at, every=EVERY, deed="watch", pull=turn)


class Zettle:
    """Zettle's services with an access token, which is got when it is needed, and once more when it has expired."""

    def __init__(self, line: Outgoing, connection: Connection, hosts: Hosts) -> None:
        self._line = line
        self._secrets = secrets_of(connection)
        self.hosts = hosts
        self._token = ""

    def ask(self, method: str, url: str, **sent: Any) -> Any:
        """One call.

        Raises:
            Trouble: no answer of use.
        """
        fresh = not self._token
        self._token = self._token or self._new_token()
        try:
            return fetch(self._line, method, url, token=self._token, **sent)
        except Trouble as trouble:
            if trouble.code != "secret_refused" or fresh:
                raise
        self._token = self._new_token()
        return fetch(self._line, method, url, token=self._token, **sent)

    def _new_token(self) -> str:
        form = {"grant_type": GRANT, "client_id": self._secret("client_id"), "assertion": self._secret("api_key")}
        try:
            answer = fetch(self._line, "POST", f"{self.hosts.oauth}/token", form=form)
        except Trouble as trouble:
            # 400 is how it says that the key is none, or none any more.
            code = "secret_refused" if trouble.status == 400 else trouble.code
            raise Trouble(code, wait=trouble.wait) from None
        token = answer.get("access_token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Trouble("not_understood")
        return token

    def _secret(self, name: str) -> str:
        if name not in self._secrets:
            raise Trouble("secret_lost")
        return self._secrets[name]


def watch(zettle: Zettle, connection: Connection) -> str:
    """See that a subscription calls this connection's address; what was done.

    Raises:
        Trouble: Zettle cannot be asked.
    """
    _learn_organization(zettle, connection)
    address, known = address_of(connection), connection.state.get("subscription")
    if address is None:
        raise Trouble("secret_lost")
    rows = objects_in(zettle.ask("GET", f"{zettle.hosts.pusher}/organizations/self/subscriptions"))
    ours = next((row for row in rows if row.get("uuid") == known), None)
    if ours is not None and ours.get("destination") == address and "signing_key" in secrets_of(connection):
        if str(ours.get("status", "ACTIVE")).upper() == "FAILING":
            return FAILING
        return "subscribed"
    # One that calls here, but of which we know nothing, was made for us when its answer was lost.
    for row in rows:
        if isinstance(row.get("uuid"), str) and (row is ours or row.get("destination") == address):
            old = quote(row["uuid"], safe="")
            zettle.ask("DELETE", f"{zettle.hosts.pusher}/organizations/self/subscriptions/{old}")
    _subscribe(zettle, connection, address)
    return "subscribed again" if known else "subscribed anew"


def _subscribe(zettle: Zettle, connection: Connection, address: str) -> None:
    # Of version 1, as asked for, but with a node that is nobody's network card.
    wanted = str(uuid1(node=secrets.randbits(48) | 1 << 40))
    made = zettle.ask(
        "POST",
        f"{zettle.hosts.pusher}/organizations/self/subscriptions",
        document={
            "uuid": wanted,
            "transportName": "WEBHOOK",
            "eventNames": [PURCHASE],
            "destination": address,
            "contactEmail": secrets_of(connection).get("contact_email", ""),
        },
    )
    key = made.get("signingKey") if isinstance(made, Mapping) else None
    if not isinstance(key, str) or not key:
        raise Trouble("not_understood")
    with held(connection) as row:
        # Staff may have entered another secret while Zettle was asked.
        connection.sealed_secrets = row.sealed_secrets
        # Messages under way are still signed with the key before.
        entrust(connection, signing_key=key, former_signing_key=secrets_of(row).get("signing_key", ""))
        connection.save(update_fields=["sealed_secrets"])
    remember(connection, subscription=wanted)


def _learn_organization(zettle: Zettle, connection: Connection) -> None:
    """Whose till it is, asked once; messages of another organisation are then refused."""
    if connection.scope:
        return
    told = zettle.ask("GET", f"{zettle.hosts.oauth}/users/self")
    uuid = told.get("organizationUuid") if isinstance(told, Mapping) else None
    if isinstance(uuid, str) and len(uuid) <= 120:
        connection.scope = uuid
        connection.save(update_fields=["scope"])


def back_fill(zettle: Zettle, connection: Connection, vendor: Vendor, *, at: datetime) -> int:
    """Fetch the purchases since the last time, and some days before; how many there were.

    Raises:
        Trouble: Zettle cannot be asked; what was fetched by then is kept.
    """
    count = 0
    for purchase in _purchases(zettle, asked_since(connection, "filled_until", overlap=OVERLAP)):
        text = text_of(purchase)
        delivery = f"purchase:{purchase.get('purchaseUUID1') or purchase.get('purchaseUUID') or ''}"
        event = keep_event(connection, kind="purchase", delivery=delivery, text=text, at=at)
        take_or_leave(event, vendor, at=at)
        count += 1
    remember(connection, filled_until=at.isoformat())
    return count


def _purchases(zettle: Zettle, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Page by page, the oldest first, until one is empty or says nothing new.

    Raises:
        Trouble: it never ends.
    """
    after: str | None = None
    started = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    for _page in range(MOST_PAGES):
        query = {"startDate": started, "limit": str(PAGE), "descending": "false"}
        if after is not None:
            query["lastPurchaseHash"] = after
        answer = zettle.ask("GET", f"{zettle.hosts.purchase}/purchases/v2", query=query)
        rows = objects_in(answer.get("purchases") if isinstance(answer, Mapping) else None)
        yield from rows
        following = answer.get("lastPurchaseHash")
        if not rows or not isinstance(following, str) or following == after:
            return
        after = following
    raise Trouble("not_understood")
