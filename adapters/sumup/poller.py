"""SumUp asked every few minutes: what has changed since, and the details of each.

Sales at SumUp's terminals are not pushed. The history is read from a cursor with an overlap, since refunds change old
rows; each transaction's details are kept and booked, under references that make reading twice free.

Source: the vendor's published API description.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from adapters.booking import take_or_leave
from adapters.connections import secrets_of
from adapters.fetching import PATIENCE_SECONDS, Trouble, fetch, objects_in
from adapters.keeping import keep_event
from adapters.models import Connection, Standing, VendorEvent
from adapters.payloads import document_in, text_of
from adapters.pulling import asked_since, pull_in_turn, remember
from adapters.sumup.mapping import FUTILE, REFUNDS
from adapters.vendor import Vendor
from tenants.outgoing import Outgoing

EVERY = timedelta(minutes=5)
OVERLAP = timedelta(minutes=15)
PAGE = 100
MOST_PAGES = 500
LIVE = "https://api.sumup.com"
AT_ONCE = 20
ASKED_AGAIN = ("details_missing", "refund_unclear")
SETTLED = frozenset({Standing.RECORDED, Standing.IGNORED})
# How SumUp may say that it has nothing to tell of this one: the others must not wait for it.
WITHOUT_DETAILS = frozenset({400, 404, 410, 422})


@dataclass(frozen=True, slots=True)
class SumUp:
    """The service of one merchant."""

    line: Outgoing
    base: str
    token: str

    def ask(self, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        """One call.

        Raises:
            Trouble: no answer of use.
        """
        answer = fetch(self.line, "GET", self.base + path, token=self.token, query=query)
        if not isinstance(answer, Mapping):
            raise Trouble("not_understood")
        return answer


def pull(connection: Connection, vendor: Vendor, *, at: datetime) -> bool:
    """The scheduler's turn; False if it is not time yet."""

    def turn() -> str:
        token = secrets_of(connection).get("api_key")
        if token is None:
            raise Trouble("secret_lost")
        base = f"{LIVE}/v2.1/merchants/{quote(connection.scope, safe='')}/transactions"
        with Outgoing(patience=PATIENCE_SECONDS) as line:
            return f"{_fetch(SumUp(line, base, token), connection, vendor, at)} transactions"

    return pull_in_turn(connection, at=at, every=EVERY, deed="poll", pull=turn)


def _fetch(sumup: SumUp, connection: Connection, vendor: Vendor, at: datetime) -> int:
    """Keep and book what has changed; how many there were. The cursor moves only once all is kept.

    Raises:
        Trouble: SumUp cannot be asked; what was fetched by then is kept.
    """
    count = 0
    for row in _history(sumup, asked_since(connection, "changes_until", overlap=OVERLAP)):
        if str(row.get("status", "")).upper() in FUTILE:
            continue
        _take(sumup, connection, vendor, row, at)
        count += 1
    _ask_again(sumup, connection, vendor, at)
    remember(connection, changes_until=at.isoformat())
    return count


def _take(sumup: SumUp, connection: Connection, vendor: Vendor, row: Mapping[str, Any], at: datetime) -> VendorEvent:
    """Keep and book the transaction of a row, as its details have it."""
    identity = row.get("transaction_id") or row.get("id")
    document = _details(sumup, identity, row) if isinstance(identity, str) else {"history": row}
    event = keep_event(
        connection, kind="transaction", delivery=f"transaction:{identity}", text=text_of(document), at=at
    )
    take_or_leave(event, vendor, at=at)
    return event


def _ask_again(sumup: SumUp, connection: Connection, vendor: Vendor, at: datetime) -> None:
    """Ask for what SumUp did not tell before, however long ago; what it tells by now takes the place of what waits."""
    waiting = VendorEvent.objects.of(connection.tenant).filter(
        connection=connection, standing=Standing.PARKED, reason__in=ASKED_AGAIN, last_received_at__lt=at
    )
    for old in list(waiting.order_by("last_received_at")[:AT_ONCE]):
        row = document_in(old.payload).get("history")
        if isinstance(row, Mapping) and _take(sumup, connection, vendor, row, at).standing in SETTLED:
            waiting.filter(pk=old.pk).update(standing=Standing.SET_ASIDE, handled_at=at)


def _history(sumup: SumUp, since: datetime) -> Iterator[Mapping[str, Any]]:
    """The rows changed since, page by page. Of a link only its query is taken: the key goes to nobody else's host."""
    changed = since.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    query: Mapping[str, str] | None = {"changes_since": changed, "order": "ascending", "limit": str(PAGE)}
    seen: list[Mapping[str, str]] = []
    while query is not None and query not in seen and len(seen) < MOST_PAGES:
        seen.append(query)
        answer = sumup.ask("/history", query)
        yield from objects_in(answer.get("items"))
        query = _next(answer.get("links"))
    if query is not None and query not in seen:
        raise Trouble("not_understood")


def _next(links: object) -> Mapping[str, str] | None:
    """The query of the page after this one; the vendor gives an address, a path, or the query alone."""
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            href = link["href"]
            return dict(parse_qsl(urlsplit(href).query if "?" in href else href))
    return None


def _details(sumup: SumUp, identity: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The transaction; with the row beside it where that speaks of a refund, or where there are no details."""
    try:
        details = sumup.ask("", {"id": identity})
    except Trouble as trouble:
        if trouble.status not in WITHOUT_DETAILS:
            raise
        return {"history": row}
    return {**details, "history": row} if str(row.get("type", "")).upper() in REFUNDS else details
