"""The calls of the bridge, one method each: sent once, and either answered or raised.

Repeating, waiting and giving up are the outbox's and the drain's business.
"""

import json
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from till_client.access import Token, address_from, token_from, url_from
from till_client.answers import (
    NOT_MODIFIED,
    ItemResult,
    Receipt,
    object_from,
    receipt_from,
    results_from,
)
from till_client.errors import NotOffered, Unproven
from till_client.sale import Sale, sale_from
from till_client.wire import TIMEOUT_SECONDS, Answer, Wire

LARGEST_BATCH = 100
LARGEST_BATCH_BYTES = 2 * 1024 * 1024
PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Page:
    """One page of products as it was last seen, and the tag that asks whether it still holds."""

    etag: str
    content: dict[str, Any]


class TillClient:
    """The bridge, as one till calls it. Threads may share it; their calls go one after the other."""

    def __init__(
        self,
        url: str,
        token: Token | str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        allow_http: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Nothing is sent yet. ``url`` is the server's root or any address that the settings card shows.

        ``tls`` replaces the machine's own trust, for a private authority.

        Raises:
            Misconfigured: the address or the token cannot be one.

        """
        self.address = address_from(url, allow_http=allow_http)
        self._wire = Wire(
            self.address, token=token if isinstance(token, Token) else Token(token), timeout=timeout, tls=tls
        )
        self._turn = threading.Lock()
        self._pages: dict[str, Page] = {}
        self.key_expires = ""
        """When the key ends, as the bridge says it in the key's last 30 days; "" as long as it has said nothing."""

    @classmethod
    def from_environment(cls, *, timeout: float = TIMEOUT_SECONDS, allow_http: bool = False) -> Self:
        """From ``TILL_URL`` and ``TILL_TOKEN`` or ``TILL_TOKEN_FILE``."""
        return cls(url_from(), token_from(), timeout=timeout, allow_http=allow_http)

    def __repr__(self) -> str:
        return f"TillClient({str(self.address)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the next call connects anew."""
        with self._turn:
            self._wire.close()

    def post(self, sale: Mapping[str, Any] | bytes | Sale) -> Receipt:
        """Post one sale, once.

        Raises:
            NoAnswer, TryLater: unknown or not now; post the very same again.
            SaleRefused, Conflict, KeyRefused: see `till_client.errors`.

        """
        written = sale if isinstance(sale, Sale) else sale_from(sale)
        return receipt_from(self._post("transactions/", written.body), external_ref=written.external_ref)

    def post_batch(self, sales: Sequence[Mapping[str, Any] | bytes | Sale]) -> dict[str, ItemResult]:
        """Post up to 100 sales in one call; by reference, what became of each.

        The whole body may have 2 MiB; `batches` cuts a longer list. A sale that is refused is a result like
        any other, and does not keep the others out.

        Raises:
            NoAnswer, TryLater, KeyRefused: nothing is known of any of them; post the same again.
            NotOffered: this bridge takes single posts only.

        """
        written = [sale if isinstance(sale, Sale) else sale_from(sale) for sale in sales]
        body = b'{"transactions":[' + b",".join(sale.body for sale in written) + b"]}"
        return results_from(self._post("transactions/batch/", body), references=[sale.external_ref for sale in written])

    def read_back(self, external_ref: str) -> dict[str, Any] | None:
        """The stored sale of this reference; None if it has not arrived."""
        if external_ref == "summary":  # a path of its own
            found = _list_in(self.get(f"transactions/?{urlencode({'external_ref': external_ref})}"), "results")
            return found[0] if found else None
        try:
            content = self.get(f"transactions/{quote(external_ref, safe='')}/")
        except NotOffered as absent:
            if absent.code == "not_found":
                return None
            raise
        if content.get("external_ref") != external_ref:
            raise Unproven("200 without the sale's own reference")
        return content

    def products(self, **filters: str) -> list[dict[str, Any]]:
        """Everything on sale, page by page; what has not changed since the last call is not sent again.

        ``include_inactive="true"`` and ``updated_since="…"`` as in the API.
        """
        path: str | None = f"products/?{urlencode({**filters, 'page_size': str(PAGE_SIZE)})}"
        found: list[dict[str, Any]] = []
        seen: set[str] = set()
        while path:
            if path in seen:
                raise Unproven("200 with pages that lead in a circle")
            seen.add(path)
            page = self._page(path)
            found += _list_in(page, "results")
            path = _next_path(page, "products/")
        return found

    def ping(self) -> dict[str, Any]:
        """Campground, key prefix, scopes and server time: whether address and token fit."""
        return self.get("ping/")

    def get(self, path: str) -> dict[str, Any]:
        """Any other read, such as ``transactions/?business_date=2026-04-29``; the path counts from the API's base."""
        return object_from(self._get(path))

    def summary(self, business_date: str, *, mine: bool = True) -> dict[str, Any]:
        """What the bridge has of a day: count, sum, by payment method and VAT rate; ours, or all outside tills'."""
        asked = {"business_date": business_date} | ({"mine": "true"} if mine else {})
        return self.get(f"transactions/summary/?{urlencode(asked)}")

    def reconcile(self, business_date: str, sales: Iterable[tuple[str, Decimal | str]]) -> dict[str, Any]:
        """Lay the till's day beside the bridge's, sale by sale; the bridge keeps its verdict as evidence.

        A day is grouped by the ``business_date`` of the receipts; 10,000 sales at most.
        """
        listed = [{"external_ref": reference, "total_amount": str(amount)} for reference, amount in sales]
        return self._reconcile(business_date, transactions=listed)

    def reconcile_totals(
        self, business_date: str, *, count: int, total_amount: Decimal | str, payments: Mapping[str, Decimal | str]
    ) -> dict[str, Any]:
        """The same with no more than the till's Z-report: ``payments`` by method, as far as it has them."""
        listed = [{"method": method, "amount": str(amount)} for method, amount in payments.items()]
        totals = {"count": count, "total_amount": str(total_amount)} | ({"payments": listed} if listed else {})
        return self._reconcile(business_date, totals=totals)

    def _reconcile(self, business_date: str, **compared: Any) -> dict[str, Any]:
        body = json.dumps({"business_date": business_date, **compared}, ensure_ascii=False).encode()
        verdict = object_from(self._post("reconciliations/", body))
        if verdict.get("business_date") != business_date or not isinstance(verdict.get("verdict"), str):
            raise Unproven("2xx without a verdict on that day")
        return verdict

    def _page(self, path: str) -> dict[str, Any]:
        kept = self._pages.get(path)
        answer = self._get(path, {"If-None-Match": kept.etag} if kept else {})
        if kept and answer.status == NOT_MODIFIED:
            return kept.content
        content = object_from(answer)
        if etag := answer.headers.get("etag"):
            self._pages[path] = Page(etag, content)
        return content

    def _get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self._call("GET", path, headers=headers)

    def _post(self, path: str, body: bytes) -> Answer:
        return self._call("POST", path, body)

    def _call(
        self, method: str, path: str, body: bytes | None = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        with self._turn:
            answer = self._wire.call(method, path, body, headers=headers)
            self.key_expires = answer.headers.get("x-api-key-expires", self.key_expires)
        return answer


def batches(sales: Iterable[Sale]) -> Iterator[list[Sale]]:
    """The sales, in lists that one call takes: 100 at most, and 2 MiB."""
    pack: list[Sale] = []
    length = 0
    for sale in sales:
        weight = len(sale.body) + 64
        if pack and (len(pack) == LARGEST_BATCH or length + weight > LARGEST_BATCH_BYTES):
            yield pack
            pack, length = [], 0
        pack.append(sale)
        length += weight
    if pack:
        yield pack


def _list_in(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = content.get(name)
    if not (isinstance(listed, list) and all(isinstance(each, dict) for each in listed)):
        raise Unproven(f"200 without {name}")
    return listed


def _next_path(page: Mapping[str, Any], path: str) -> str | None:
    """The next page below our own base: a link is trusted for its query alone."""
    following = page.get("next")
    return f"{path}?{urlencode(parse_qsl(urlsplit(following).query))}" if isinstance(following, str) else None
