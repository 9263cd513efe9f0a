"""A Service Layer of SAP Business One, as documented: sessions, journal entries, Cancel that says nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from tests.journal.faults import Call, FakeSap, Fault, Reply

COMPANY, USER, PASSWORD = "SEEBLICK_AG", "campone", "Kies-und-Tannen-7"
BASE = "/b1s/v1"
NUMBER_AHEAD = 5000
"""``Number`` counts within a series, ``JdtNum`` within the company; nobody should take one for the other."""


@dataclass
class Storno:
    """How this installation writes a reversal: versions and settings differ."""

    copies_reference: bool = True
    negative_amounts: bool = False
    language: str = "Reversal"


class FakeBusinessOne(FakeSap):
    """One company's books, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: set[str] = set()
        self.entries: dict[int, dict[str, Any]] = {}
        self.reversed_by: dict[int, int] = {}
        self.storno = Storno()
        self.known_accounts: set[str] | None = None
        self.lists_have_lines = True

    @property
    def url(self) -> str:
        return self.address + BASE

    def live(self) -> list[dict[str, Any]]:
        """Entries that are neither reversed nor a reversal."""
        stornos = set(self.reversed_by.values())
        return [each for key, each in self.entries.items() if key not in self.reversed_by and key not in stornos]

    def books(self, call: Call) -> bool:
        return call.method == "POST" and "/JournalEntries" in call.path

    def can_go_wrong(self, call: Call) -> bool:
        return "/JournalEntries" in call.path

    def reply(self, call: Call) -> Reply:
        path = urlsplit(call.path).path.removeprefix(BASE)
        if path == "/Login":
            return self._login(json.loads(call.body))
        if _session_of(call) not in self.sessions:
            return _error(401, 301, "Invalid session or session already timeout.")
        if path == "/Logout":
            self.sessions.discard(_session_of(call))
            return Reply(204)
        if path == "/JournalEntries":
            return self._create(json.loads(call.body)) if call.method == "POST" else self._list(call)
        found = re.fullmatch(r"/JournalEntries\((\d+)\)(/Cancel)?", path)
        if not found or int(found[1]) not in self.entries:
            return _error(404, -2028, "No matching records found (ODBC -2028)")
        return self._cancel(int(found[1])) if found[2] else _json(200, self.entries[int(found[1])])

    def reply_late(self, call: Call) -> Reply:
        self.sessions.add(_session_of(call))
        reply = self.reply(call)
        self.sessions.discard(_session_of(call))
        return reply

    def fault_reply(self, fault: Fault, call: Call) -> Reply:
        if fault is Fault.SESSION_ENDED:
            self.sessions.clear()
            return _error(401, 301, "Invalid session or session already timeout.")
        return _error(400, -5002, "The posting period is locked.")

    def _login(self, body: dict[str, str]) -> Reply:
        if body != {"CompanyDB": COMPANY, "UserName": USER, "Password": PASSWORD}:
            return _error(401, 100000027, "Login failed")
        session = str(uuid4())
        self.sessions.add(session)
        cookies = (("Set-Cookie", f"B1SESSION={session};HttpOnly;"), ("Set-Cookie", "ROUTEID=.node1; path=/b1s"))
        return _json(200, {"SessionId": session, "Version": "1000190", "SessionTimeout": 30}, cookies)

    def _create(self, body: dict[str, Any]) -> Reply:
        lines = body["JournalEntryLines"]
        accounts = {line["AccountCode"] for line in lines}
        if self.known_accounts is not None and accounts - self.known_accounts:
            unknown = min(accounts - self.known_accounts)
            return _error(400, -5002, f"Invalid G/L account [JDT1.Account][line: 1] , '{unknown}'")
        if any(not line.get("ShortName") or len(line["AccountCode"]) > 15 for line in lines) or len(body["Memo"]) > 50:
            return _error(400, -5002, "Value too long in property")
        if sum(_signed(line) for line in lines):
            return _error(400, -5002, "Unbalanced Transaction")
        return _json(201, self._add(body))

    def _add(self, fields: dict[str, Any]) -> dict[str, Any]:
        key = len(self.entries) + 815
        self.entries[key] = {**fields, "JdtNum": key, "Number": key + NUMBER_AHEAD, "Series": 17}
        return self.entries[key]

    def _list(self, call: Call) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(call.path).query).items()}
        found = [each for each in self.entries.values() if _fits(each, unquote(query.get("$filter", "")))]
        rows = [{"JdtNum": each["JdtNum"]} for each in found[: int(query.get("$top", 20))]]
        return _json(200, {"odata.metadata": f"{self.url}/$metadata#JournalEntries", "value": rows})

    def _cancel(self, key: int) -> Reply:
        if key in self.reversed_by:
            return _error(400, -5006, "Transaction has already been reversed")
        original = self.entries[key]
        fields = {name: value for name, value in original.items() if name not in {"JdtNum", "Number"}}
        storno = self._add(
            {
                **fields,
                "Memo": f"{original['Memo'][:30]} ({self.storno.language}) - {key}",
                "Reference": original["Reference"] if self.storno.copies_reference else None,
                "JournalEntryLines": [self._mirrored(line) for line in original["JournalEntryLines"]],
            }
        )
        self.reversed_by[key] = storno["JdtNum"]
        return Reply(204)

    def _mirrored(self, line: dict[str, Any]) -> dict[str, Any]:
        names = [name for name in ("Debit", "Credit", "FCDebit", "FCCredit") if line.get(name)]
        rest = {name: value for name, value in line.items() if name not in names}
        if self.storno.negative_amounts:
            return {**rest, **{name: -line[name] for name in names}}
        other = {"Debit": "Credit", "Credit": "Debit", "FCDebit": "FCCredit", "FCCredit": "FCDebit"}
        return {**rest, **{other[name]: line[name] for name in names}}


def _session_of(call: Call) -> str:
    found = re.search(r"B1SESSION=([^;]+)", call.headers.get("cookie", ""))
    return found[1] if found else ""


def _signed(line: dict[str, Any]) -> Decimal:
    foreign = "FC" if line.get("FCCurrency") else ""
    return Decimal(str(line.get(f"{foreign}Debit", 0))) - Decimal(str(line.get(f"{foreign}Credit", 0)))


def _fits(entry: dict[str, Any], condition: str) -> bool:
    """The filters this test double understands; any other is a mistake of ours."""
    for part in filter(None, condition.split(" and ")):
        if found := re.fullmatch(r"Reference eq '([^']*)'", part):
            fits = entry["Reference"] == found[1]
        elif found := re.fullmatch(r"JdtNum gt (\d+)", part):
            fits = entry["JdtNum"] > int(found[1])
        elif found := re.fullmatch(r"endswith\(Memo, '([^']*)'\)", part):
            fits = entry["Memo"].endswith(found[1])
        else:
            raise AssertionError(part)
        if not fits:
            return False
    return True


def _json(status: int, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status, json.dumps(body).encode(), (("Content-Type", "application/json"), *headers))


def _error(status: int, code: int, sentence: str) -> Reply:
    return _json(status, {"error": {"code": code, "message": {"lang": "en-us", "value": sentence}}})
