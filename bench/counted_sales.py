"""One till's sales through the server's entry: the program whose instructions are counted.

    python -m bench.counted_sales prepare                     a campground and its key; prints the token
    python -m bench.counted_sales sell TOKEN WARM FEW MANY    sells, and marks each part's beginning and end

``sell`` says ``warm`` once it has warmed up, and waits for a line before it goes on. Few and many sales differ
in nothing but their number, so what one sale costs is the difference between the two parts.
"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from io import BytesIO
from typing import Any, TypeAlias

HOST = "api.campone.example"
PATH = "/api/v1/public/pos/transactions/"
SALE: dict[str, Any] = {
    "payment_method": "CASH",
    "total_amount": "45.40",
    "items": [
        {
            "description": "Croissant",
            "quantity": 4,
            "unit_price": "1.60",
            "line_total": "6.40",
            "sku": "CROISSANT",
            "vat_rate": "2.6",
        },
        {
            "description": "Gasflasche 5 kg, Tausch",
            "quantity": "1.000",
            "unit_price": "39.00",
            "line_total": "39.00",
            "sku": "GAS-5",
            "vat_rate": "8.1",
        },
    ],
    "occurred_at": "2026-04-29T08:14:32+02:00",
    "currency": "CHF",
}
BUDGET = 1_000_000
POLL_SECONDS = 0.002

Application: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class NotAccepted(Exception):
    """A sale that was not answered 201; the message is the answer."""


def prepare() -> str:
    """A campground with Swiss VAT rates and a key with a budget; the key's token."""
    import django

    django.setup()

    # Models can be imported only now.
    from apikeys.minting import mint_key
    from apikeys.models import Scope
    from catalogue.vat import add_swiss_rates
    from tenants.models import Tenant

    seeblick = Tenant.objects.create(slug="seeblick", name="Camping Seeblick")
    add_swiss_rates(seeblick)
    at = datetime(2026, 4, 1, tzinfo=timezone.utc)
    return mint_key(tenant=seeblick, name="Shop till", scopes=[Scope.POS_WRITE], at=at, budget=BUDGET).token


def sell_in_parts(token: str, *, warm: int, few: int, many: int) -> None:
    """Warm up, wait to be counted, then sell few and many; the rest, such as ending, lies behind the last mark."""
    from campone.wsgi import application  # it reads the settings, which ``prepare`` must not meet without a server

    sell(application, token, range(warm))
    # What the warm-up left to collect would be counted at another point each time.
    gc.collect()
    wait_for_go()
    mark()
    sell(application, token, range(warm, warm + few))
    mark()
    sell(application, token, range(warm + few, warm + few + many))
    mark()


def mark() -> None:
    """Call ``getsid()``: nobody else does, so callgrind can be told to begin a new part there."""
    os.getsid(0)


def wait_for_go() -> None:
    """Say that all is warm and wait for a line, by looking again and again.

    Valgrind takes an order from outside only while the program runs, not while it sleeps in a read.
    """
    say("warm")
    while not select.select([sys.stdin], [], [], POLL_SECONDS)[0]:
        pass


def say(line: str) -> None:
    """Print a line at once, to whoever waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def sell(application: Application, token: str, numbers: range) -> None:
    """Post one sale for each number; its reference is its own, and as long as any other."""
    for number in numbers:
        body = json.dumps({"external_ref": f"lightspeed-2026-04-29-T-{number:06}", **SALE}).encode()
        post(application, token, body)


def post(application: Application, token: str, body: bytes) -> None:
    """Post one sale as the server would hand it over, and take the whole answer.

    Raises:
        NotAccepted: the answer is not 201; counting it would count something else.
    """
    statuses: list[str] = []
    answer = application(make_environ(token, body), lambda status, _headers, _error=None: statuses.append(status))
    said = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    if not statuses[0].startswith("201 "):
        raise NotAccepted(f"{statuses[0]}: {said.decode()}")


def make_environ(token: str, body: bytes) -> dict[str, Any]:
    """A till's POST, in the form of WSGI."""
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "0.0.0.0",  # noqa: S104 (what a server says of itself; nothing listens)
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": HOST,
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "HTTP_ACCEPT": "*/*",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate",
        "HTTP_CONNECTION": "keep-alive",
        "HTTP_USER_AGENT": "till/1.0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def main(arguments: list[str]) -> None:
    """``prepare``, or ``sell`` with its four arguments."""
    if arguments == ["prepare"]:
        say(prepare())
    else:
        _, token, warm, few, many = arguments
        sell_in_parts(token, warm=int(warm), few=int(few), many=int(many))


if __name__ == "__main__":
    main(sys.argv[1:])
