"""The till's outbox from a command line; the token comes from TILL_TOKEN or TILL_TOKEN_FILE, never from here."""

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from till_client.client import TillClient
from till_client.draining import Drain
from till_client.errors import TillClientError, UnusableSale
from till_client.outbox import Kept, Outbox
from till_client.reconciling import reconcile_day
from till_client.relay import LOOPBACK, Relay

DONE, NOT_DONE, MISUSED = 0, 1, 2
DAY_SECONDS = 86400.0


def main(arguments: list[str]) -> int:
    """0 when everything is as it should be, 1 when something is left over, 2 when it could not begin."""
    asked = parser().parse_args(arguments)
    try:
        with Outbox(asked.outbox) as outbox:
            result: int = asked.run(outbox, asked)
            return result
    except TillClientError as error:
        _say(f"{type(error).__name__}: {error}")
        return MISUSED
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    every = argparse.ArgumentParser(prog="python -m till_client", description=__doc__)
    every.add_argument(
        "--outbox", type=Path, default=_default_outbox(), help="the file; TILL_OUTBOX, or till-outbox.sqlite3"
    )
    every.add_argument("--allow-http", action="store_true", help="without TLS beyond this machine: the way is safe")
    every.add_argument("--timeout", type=_seconds, default=20.0, help="seconds that one call may take")
    commands = every.add_subparsers(required=True, metavar="post|drain|status|release|reconcile|relay")
    _add_post_and_drain(commands)
    _add_looking(commands)
    relay = commands.add_parser("relay", help="take sales over HTTP on this machine, and send them on")
    relay.add_argument("--host", default=LOOPBACK, help="whoever reaches it can sell: leave it on this machine")
    relay.add_argument("--port", type=int, default=8765)
    relay.set_defaults(run=run_relay)
    return every


def _add_post_and_drain(commands: Any) -> None:
    post = commands.add_parser("post", help="write a sale down, then send what waits")
    post.add_argument("sale", type=Path, nargs="?", help="a JSON file; standard input if none is named")
    post.add_argument("--correct", action="store_true", help="in place of the one that was set aside")
    post.add_argument("--later", action="store_true", help="write it down only; a drain will send it")
    post.set_defaults(run=run_post)
    drain = commands.add_parser("drain", help="send what waits")
    drain.add_argument("--for-ever", action="store_true", help="go on until told to stop")
    drain.add_argument("--patience", type=_seconds, default=60.0, help="give up before a longer wait, in seconds")
    drain.add_argument("--keep-days", type=_seconds, default=400.0, help="acknowledged sales are kept so long")
    drain.set_defaults(run=run_drain)


def _add_looking(commands: Any) -> None:
    status = commands.add_parser("status", help="what lies in the outbox, and what a person has to look at")
    status.set_defaults(run=run_status)
    release = commands.add_parser("release", help="send again what was set aside")
    release.add_argument("external_ref", nargs="+")
    release.set_defaults(run=run_release)
    reconcile = commands.add_parser("reconcile", help="compare a day with the bridge, and send what it lacks")
    reconcile.add_argument("business_date", help="such as 2026-04-29")
    reconcile.set_defaults(run=run_reconcile)


def run_post(outbox: Outbox, asked: argparse.Namespace) -> int:
    """Done when the bridge has it; not done, but safe, when it waits."""
    body = _read(asked.sale) if asked.sale else sys.stdin.buffer.read()
    kept = outbox.correct(body) if asked.correct else outbox.put(body)
    try:
        if not asked.later:
            with _draining(outbox, asked) as drain:
                drain.until_settled(patience=2.0)
    finally:  # it is written down, whatever stands in the way of sending it
        kept = outbox.find(kept.external_ref) or kept
        _print(_row(kept))
    return DONE if asked.later or kept.state == "acknowledged" else NOT_DONE


def run_drain(outbox: Outbox, asked: argparse.Namespace) -> int:
    """Done when nothing waits any more."""
    outbox.forget(older_than=asked.keep_days * DAY_SECONDS)
    stop = _stop_on_signals()
    with _draining(outbox, asked) as drain:
        if asked.for_ever:
            drain.for_ever(stop)
            return DONE
        settled = drain.until_settled(patience=asked.patience, stop=stop)
    print(drain.tally)
    return DONE if settled else NOT_DONE


def run_status(outbox: Outbox, asked: argparse.Namespace) -> int:
    """Done when nothing is left that waits or was set aside."""
    counts, pause, left = outbox.counts(), outbox.pause(), outbox.pause_left()
    _print(
        {
            "sales": counts,
            "paused": {"seconds": round(left), "reason": pause.reason} if left > 0 else None,
            "set_aside": [_row(each) for each in outbox.poison()],
            "struggling": [_row(each) for each in outbox.struggling()],
        }
    )
    return DONE if counts["acknowledged"] == sum(counts.values()) else NOT_DONE


def run_release(outbox: Outbox, asked: argparse.Namespace) -> int:
    """Done when all of them were set aside."""
    released = outbox.release(asked.external_ref)
    print(f"{released} of {len(asked.external_ref)} will be sent again")
    return DONE if released == len(asked.external_ref) else NOT_DONE


def run_reconcile(outbox: Outbox, asked: argparse.Namespace) -> int:
    """Done when both sides have the same day, and nothing is left over."""
    with _draining(outbox, asked) as drain:
        drain.until_settled()
        evening = reconcile_day(outbox, drain.client, business_date=asked.business_date, drain=drain)
    left = {"sent_again": evening.sent_again, "open": evening.open_sales, "set_aside": evening.set_aside}
    _print({"complete": evening.is_complete, **left, "verdict": evening.verdict})
    return DONE if evening.is_complete else NOT_DONE


def run_relay(outbox: Outbox, asked: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    try:
        relay = Relay(outbox, host=asked.host, port=asked.port)
    except (OSError, OverflowError) as error:
        _say(f"{asked.host}:{asked.port} cannot be used: {error}")
        return MISUSED
    with relay, _draining(outbox, asked) as drain:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: relay.stop())
        print(f"http://{asked.host}:{relay.server_port}/", flush=True)
        relay.run(drain)
    return DONE


@contextmanager
def _draining(outbox: Outbox, asked: argparse.Namespace) -> Iterator[Drain]:
    with TillClient.from_environment(timeout=asked.timeout, allow_http=asked.allow_http) as client:
        yield Drain(outbox, client, say=_say)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _row(kept: Kept) -> dict[str, Any]:
    return {
        "external_ref": kept.external_ref,
        "state": kept.state,
        "total_amount": kept.total_amount,
        "attempts": kept.attempts,
        "reason": kept.reason,
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableSale(f"{path} cannot be read: {error.strerror}") from None


def _print(content: dict[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=2))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _default_outbox() -> Path:
    return Path(os.environ.get("TILL_OUTBOX") or "till-outbox.sqlite3")


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return number


def run() -> None:
    """The command that an installation makes."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
