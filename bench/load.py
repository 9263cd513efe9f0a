"""Traffic: what is sent, and wrk that sends it over keep-alive connections, one for each till."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import shop

BASE = "/api/v1/public/pos"
HOST = "api.campone.example"
SCRIPT = Path(__file__).with_name("load.lua")
# Beyond its seconds wrk waits for nothing; this much later it has hung.
PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request."""

    method: str
    path: str
    token: str
    body: bytes = b""
    if_none_match: str = ""

    def headers(self) -> dict[str, str]:
        """As a till sends them; the token's place is here."""
        headers = {"Host": HOST, "Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if self.body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        if self.if_none_match:
            headers["If-None-Match"] = self.if_none_match
        return headers

    def raw(self) -> bytes:
        """As it crosses the wire."""
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers().items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Sent:
    """What a load generator has counted; latencies in milliseconds. ``refused`` answers are no success."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: float
    p95: float
    p99: float

    @property
    def accepted(self) -> int:
        """Calls that were answered below 400."""
        return self.requests - self.refused

    @property
    def per_second(self) -> float:
        """Accepted calls in a second."""
        return self.accepted / self.seconds


def sale_call(token: str, reference: str, occurred_at: datetime) -> Call:
    """The sale of the shop under a reference."""
    body = json.dumps(shop.sale(reference, occurred_at), separators=(",", ":"), ensure_ascii=False)
    return Call("POST", f"{BASE}/transactions/", token, body.encode())


def get_call(token: str, path: str, *, if_none_match: str = "") -> Call:
    """A read below the base path."""
    return Call("GET", f"{BASE}/{path}", token, if_none_match=if_none_match)


def forged(call: Call) -> Call:
    """The same call with a made-up token, another one each time, under a prefix that exists."""
    return replace(call, token=call.token[: shop.PREFIX_LENGTH] + "A1b2C3d4E5f6G7h8" + shop.PLACE)


def send(calls: Sequence[Call], *, port: int, seconds: int, folder: Path) -> Sent:
    """Send each call over a connection of its own, again and again, for so many seconds."""
    return read_output(finish(begin(calls, port=port, seconds=seconds, folder=folder), seconds))


def begin(calls: Sequence[Call], *, port: int, seconds: int, folder: Path) -> subprocess.Popen[str]:
    """Start wrk, which knows whole seconds only; ``folder`` holds the requests and must be its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, call in enumerate(calls):
        (folder / f"{number:02}.http").write_bytes(call.raw())
    connections = str(len(calls))
    command = ["wrk", "-t", connections, "-c", connections, "-d", f"{seconds}s", "--timeout", "10s"]
    command += ["-s", str(SCRIPT), f"http://127.0.0.1:{port}/", "--", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603 (wrk, with our own script)


def finish(process: subprocess.Popen[str], seconds: int) -> str:
    """Wait for wrk and hand over what it printed."""
    try:
        output, _ = process.communicate(timeout=seconds + PATIENCE)
    finally:
        process.kill()
    return output


def read_output(output: str) -> Sent:
    """What ``done()`` in the script has printed on its last line.

    Raises:
        LoadFailed: there is no such line, or nothing to count.
    """
    try:
        told: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise LoadFailed(f"The load generator said:\n{output}") from None
    sent = Sent(
        requests=told["requests"],
        seconds=told["microseconds"] / 1e6,
        refused=told["refused"],
        broken=told["broken"],
        p50=told["p50"] / 1000,
        p95=told["p95"] / 1000,
        p99=told["p99"] / 1000,
    )
    if not sent.requests:
        raise LoadFailed(f"Nothing was answered, and {sent.broken} connections broke.")
    return sent


class LoadFailed(Exception):
    """The load generator broke off."""
