"""Somebody who types what a page tells them to, and compares what comes back with what the page shows.

Understood are assignments, ``curl`` and ``manage.py``: as much of a shell as the pages use. Calls go through
Django's test client, commands through Django itself.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.http import HttpResponse

from tests.till import BASE, Body, Till

SERVICE = "http://127.0.0.1:8000"
MANAGE = ["python3", "dev.py", "manage"]
VARIABLE = re.compile(r"\$\{(?P<cut>\w+):0:(?P<length>\d+)\}|\$(?P<name>[A-Z_]+)")
ASSIGNMENT = re.compile(r"(?P<name>[A-Z_]+)=(?P<value>.+)", re.DOTALL)
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
# Values that differ from one run to the next; of these, only the shape can be compared.
SHAPES = {
    "id": r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|\d+",
    "received_at": INSTANT,
    "updated_at": INSTANT,
    "server_time": INSTANT,
    "request_id": r"[0-9a-f]{32}",
    "key_prefix": r"ck_[A-Za-z0-9]{8}",
    "ETag": r'"[0-9a-f]{32}"',
}


class Reader:
    """A terminal in which a page is followed from top to bottom."""

    def __init__(self, **variables: str) -> None:
        self.variables = variables
        self.till = Till(None, host=SERVICE.removeprefix("http://"))
        self.last_call = ""
        self.answer: HttpResponse | None = None

    def type_in(self, text: str) -> None:
        """Type every command of a block."""
        for command in commands_in(text):
            self._run(command)

    def repeat(self) -> None:
        """Send the last call again."""
        self._run(self.last_call)

    def _run(self, command: str) -> None:
        if match := ASSIGNMENT.fullmatch(command):
            value = match["value"]
            inner = value.removeprefix("$(").removesuffix(")")
            self.variables[match["name"]] = self._manage(inner) if inner != value else self._expand(value)
        elif command.startswith("curl "):
            self.last_call = command
            self.answer = self._curl(shlex.split(self._expand(command))[1:])
        else:
            self._manage(command)

    def _expand(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match["cut"]:
                return self.variables[match["cut"]][: int(match["length"])]
            return self.variables[match["name"]]

        return VARIABLE.sub(value, text)

    def _manage(self, command: str) -> str:
        words = shlex.split(self._expand(command))
        assert words[:3] == MANAGE, f"Not a command that a reader knows: {command}"
        output = StringIO()
        call_command(*words[3:], stdout=output)
        return output.getvalue().strip()

    def _curl(self, arguments: list[str]) -> HttpResponse:
        asked = curl_parser().parse_args(arguments)
        assert asked.url.startswith(SERVICE + BASE), asked.url
        headers = dict(re.split(r":\s*", line, maxsplit=1) for line in asked.header)
        return self.till.call(
            asked.request or ("POST" if asked.data else "GET"),
            asked.url.removeprefix(SERVICE + BASE),
            body=asked.data.encode(),
            headers={name.lower(): value for name, value in headers.items()},
        )

    def compare(self, shown: str, *, with_body: bool) -> None:
        """Hold the last answer against what the page shows of it: status, the headers it shows, body."""
        assert self.answer is not None, "Nothing has been called yet."
        head, _, body = shown.partition("\n\n")
        status, *headers = head.strip().splitlines()
        assert status == f"HTTP/1.1 {self.answer.status_code} {self.answer.reason_phrase}", self.answer.content
        for line in headers:
            name, _, value = line.partition(": ")
            assert_same(value, self.answer.headers.get(name), name)
        if with_body:
            assert_same(json.loads(body) if body.strip() else None, body_or_none(self.answer))


def commands_in(text: str) -> Iterator[str]:
    """The commands of a block; one goes on while a quote is open or a line ends with a backslash."""
    command = ""
    for line in text.splitlines(keepends=True):
        command += line
        if command.strip() and is_complete(command):
            yield command.strip().replace("\\\n", "")
            command = ""
    assert not command.strip(), f"A command without an end: {command}"


def is_complete(command: str) -> bool:
    """Whether a shell would run this, or wait for more."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.rstrip("\n").endswith("\\")


def curl_parser() -> argparse.ArgumentParser:
    """As much of curl as the pages use."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-X", dest="request")
    parser.add_argument("-H", dest="header", action="append", default=[])
    parser.add_argument("-d", dest="data", default="")
    parser.add_argument("url")
    return parser


def body_or_none(answer: HttpResponse) -> Body | None:
    """The JSON of an answer; None where it has no body."""
    body: Body | None = json.loads(answer.content) if answer.content else None
    return body


def assert_same(shown: Any, got: Any, name: str = "") -> None:
    """Fail unless both are equal; of what differs from one run to the next, the shapes."""
    if isinstance(shown, dict) and isinstance(got, dict):
        assert list(shown) == list(got), name
        for key in shown:
            assert_same(shown[key], got[key], key)
    elif isinstance(shown, list) and isinstance(got, list):
        assert len(shown) == len(got), name
        for one, other in zip(shown, got, strict=True):
            assert_same(one, other, name)
    elif name in SHAPES:
        assert re.fullmatch(SHAPES[name], str(shown)), (name, shown)
        assert re.fullmatch(SHAPES[name], str(got)), (name, got)
    else:
        assert shown == got, name
