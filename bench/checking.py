"""Before a target is measured it must keep the contract's outline; a figure for wrong answers is worth nothing."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench import shop
from bench.load import BASE, Call, get_call, sale_call

PATIENCE = 30.0
# How many sales one check leaves behind.
SALES = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    etag: str
    body: Any


class Unlike(Exception):
    """An answer is not what the contract says."""


def send_once(call: Call, *, port: int) -> Answer:
    """One call over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(call.method, call.path, call.body or None, call.headers())
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    return Answer(response.status, response.headers.get("ETag", ""), json.loads(content) if content else None)


def wait_until_ready(token: str, *, port: int) -> None:
    """Until a ping is answered.

    Raises:
        Unlike: it is not, within half a minute.
    """
    deadline = time.monotonic() + PATIENCE
    said: object = None
    while time.monotonic() < deadline:
        try:
            said = send_once(get_call(token, "ping/"), port=port)
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = error
        if isinstance(said, Answer) and said.status == 200:
            return
        time.sleep(0.1)
    raise Unlike(f"no ping was answered within {PATIENCE:.0f} s: {said}")


def check_contract(keys: shop.Keys, *, port: int, now: datetime) -> None:
    """Post, retry, contradict, misadd, pretend, read back, list and ping.

    Raises:
        Unlike: with the first thing that went wrong.
    """
    token = keys.tills[0]
    stored = check_sales(token, port=port, now=now)
    check_refusals(keys, port=port, now=now)
    read = expect(200, get_call(token, f"transactions/{stored['external_ref']}/"), "a read-back", port=port)
    if read.body["id"] != stored["id"] or len(read.body["items"]) != 2:
        raise Unlike("a read-back gives another record")
    products = expect(200, get_call(token, "products/"), "the products", port=port)
    if len(products.body["results"]) != 50 or products.body["count"] != shop.ARTICLES:
        raise Unlike("the first page of products is not 50 of 60")
    expect(304, get_call(token, "products/", if_none_match=products.etag), "products that are known", port=port)
    expect(200, get_call(token, "ping/"), "a ping", port=port)


def check_sales(token: str, *, port: int, now: datetime) -> dict[str, Any]:
    """A sale, its retry and a contradiction; gives the stored one."""
    call = sale_call(token, "check-1", now)
    first = expect(201, call, "a sale", port=port)
    document: dict[str, Any] = first.body
    names = {"id", "external_ref", "source", "status", "payment_method", "currency", "total_amount", "tip_amount"}
    names |= {"items", "payments", "occurred_at", "business_date", "received_at", "metadata", "refund_of"}
    if names - document.keys() or document["total_amount"] != "35.90" or len(document["payments"]) != 1:
        raise Unlike(f"the record is not whole: {document}")
    if expect(200, call, "a retry", port=port).body["id"] != document["id"]:
        raise Unlike("a retry gives another record")
    expect(409, with_document(call, shop.other_money(shop.sale("check-1", now))), "other money", port=port)
    return document


def check_refusals(keys: shop.Keys, *, port: int, now: datetime) -> None:
    """What must not be stored."""
    token, sale = keys.tills[0], shop.sale("check-2", now)
    call = sale_call(token, "check-2", now)
    expect(400, with_document(call, {**sale, "total_amount": "36.90"}), "a wrong total", port=port)
    wrong_rate = [{**each, "vat_rate": "7.70"} for each in sale["items"]]
    expect(400, with_document(call, {**sale, "items": wrong_rate}), "an unknown VAT rate", port=port)
    late = shop.instant_text(now + timedelta(minutes=20))
    expect(400, with_document(call, {**sale, "occurred_at": late}), "a sale in the future", port=port)
    expect(401, sale_call(token[:-4] + "AAAA", "check-2", now), "a wrong token", port=port)
    expect(401, sale_call(keys.revoked, "check-2", now), "a revoked key", port=port)
    expect(403, sale_call(keys.read_only, "check-2", now), "a key that may only read", port=port)
    expect(404, get_call(token, "transactions/check-2/"), "a refused sale read back", port=port)


def with_document(call: Call, document: dict[str, Any]) -> Call:
    """The same call with another body."""
    return Call("POST", f"{BASE}/transactions/", call.token, json.dumps(document).encode())


def expect(status: int, call: Call, what: str, *, port: int) -> Answer:
    """Send, and insist on a status."""
    try:
        answer = send_once(call, port=port)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unlike(f"{what}: {error}") from error
    if answer.status != status:
        raise Unlike(f"{what} is answered {answer.status}, not {status}: {answer.body}")
    return answer
