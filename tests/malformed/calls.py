"""Calls as bytes: odd methods, targets, headers and framing, with a key and without."""

from __future__ import annotations

from random import Random

from tests.faults.sales import sale_numbered
from tests.faults.wire import BASE, HOST
from tests.malformed.hearing import Caller
from tests.malformed.verdict import Verdict

METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get", "POST " * 2, "", "\x00"]
TARGETS = [
    "transactions/",
    "transactions",
    "transactions//",
    "transactions/T-1/",
    "transactions/%00/",
    "transactions/%2F/",
    "transactions/%252F/",
    "transactions/%ff/",
    "transactions/%zz/",
    "transactions/../ping/",
    "transactions/%ed%a0%80/",
    "transactions/" + "x" * 300 + "/",
    "transactions/" + "%F0%9F%98%80" * 255 + "/",
    "transactions/?page=0",
    "transactions/?page=99999999999999999999999",
    "transactions/?page_size=-1",
    "transactions/?business_date=2026-02-30",
    "transactions/?business_date=%00",
    "transactions/?received_since=9999-12-31T23:59:59%2B14:00",
    "transactions/?occurred_from=0001-01-01T00:00:00-14:00",
    "transactions/?_connector=OR%201=1",
    "transactions/?external_ref=" + "x" * 6000,
    "transactions/?&&&===&%",
    "transactions/summary/?business_date=x",
    "transactions/batch/",
    "reconciliations/",
    "gaps/",
    "gaps/?since=x",
    "products/?updated_since=x",
    "products/?include_inactive=maybe",
    "products/",
    "ping/",
    "ping/..;/",
    "nothing/",
    "",
    "\\",
    "x y",
    "\x7f",
    "é",
]
HEADERS = [
    "Content-Type: text/plain",
    "Content-Type: application/json; charset=zlib",
    "Content-Type: application/json; charset=utf-7",
    "Content-Type: " + "a/b," * 1500,
    "Content-Encoding: gzip",
    "Accept: text/html",
    "Accept: " + "a/b," * 1500,
    "Accept-Language: " + "de-" * 1600,
    "Accept-Language: \xff\xfe",
    "Authorization: Bearer",
    "Authorization: Basic eDp5",
    "Authorization: Bearer ck_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "Authorization: Bearer ckt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "X-Request-Id: \x1b[31m",
    "X-Request-Id: " + "a" * 4000,
    "X-Forwarded-For: nonsense, , ::",
    "X-Forwarded-Host: waldrand.campone.example",
    "X-HTTP-Method-Override: DELETE",
    "X-Lose-Answer: 1",
    "If-None-Match: " + '"x",' * 900,
    "If-None-Match: \x00",
    "Range: bytes=0-0",
    "Expect: 100-continue",
    "Cookie: session=x",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: xchunked",
    "Content-Length: 0",
    "Content-Length: -1",
    "Content-Length: 99999999999",
    "Content-Length: 1_0",
    "Host: waldrand.campone.example",
    "Host: evil.example",
    "Host: ",
    "No colon here",
    " : ",
    "Bad\x00Name: 1",
    *[f"X-{number}: 1" for number in range(3)],
]
VERSIONS = ["HTTP/1.1"] * 8 + ["HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "http/1.1", "", "FTP/1"]


def call_numbered(number: int, *, seed: int, token: str) -> tuple[str, bytes]:
    """Its method, and all of its bytes."""
    chance = Random(f"{seed}/calls:{number}")
    method, target = chance.choice(METHODS[:2] + METHODS), chance.choice(TARGETS)
    body = sale_numbered(number, seed=seed).body if chance.random() < 0.5 else bytes(chance.randrange(40))
    lines = [f"Host: {HOST}"] if chance.random() < 0.95 else []
    if chance.random() < 0.7:
        lines.append(f"Authorization: Bearer {token}")
    if chance.random() < 0.8:
        lines.append(f"Content-Length: {len(body)}")
    lines += chance.sample(HEADERS, chance.choice([0, 1, 1, 2, 4]))
    chance.shuffle(lines)
    end = chance.choice(["\r\n"] * 12 + ["\n", "\r"])
    head = end.join([f"{method} {BASE}/{target} {chance.choice(VERSIONS)}", *lines, "", ""])
    return method, head.encode("utf-8", "surrogatepass") + body


def call_oddly(caller: Caller, verdict: Verdict, *, token: str, seed: int, numbers: range) -> None:
    """Each on a connection of its own; what is no HTTP may be left without an answer."""
    for number in numbers:
        method, sent = call_numbered(number, seed=seed, token=token)
        verdict.hear(f"calls:{number}", caller.ask(sent, method=method, alone=True), must_answer=False)
