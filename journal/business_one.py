"""SAP Business One, by its Service Layer.

* A session is opened by ``Login`` and kept in cookies. A call that is answered 401 is repeated once in a new session:
  401 says that nothing was done.
* ``Cancel`` answers nothing. The reversal (storno) is looked up: a later entry, with our reference or with the
  original's number at the end of its memo, whose lines mirror the original's.
* Business One does not know a second posting from a first. Whoever posts looks our ``Reference`` up before.

Source: SAP help, Service Layer; Business One SDK help, JournalEntries (account 15 characters, memo 50 in older
versions).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import msgspec
from django.utils.translation import gettext as _

from journal.doors import (
    Amounts,
    Booked,
    Contradiction,
    DoorClosed,
    Entry,
    Lost,
    Refused,
    Tested,
    Unreached,
    amounts_of,
    bare,
    mirrored,
    send,
)
from journal.postings import Posting
from tenants.outgoing import Answer, AnswerLost, NotSent, Outgoing

JSON = {"Content-Type": "application/json", "Prefer": "odata.maxpagesize=100"}
ENCODER = msgspec.json.Encoder(decimal_format="number")
DECODER = msgspec.json.Decoder(float_hook=Decimal)
LONGEST_MEMO = 50


class BusinessOne:
    """One company's books; open until closed."""

    can_look_up = True

    def __init__(
        self,
        outgoing: Outgoing,
        *,
        url: str,
        company: str,
        username: str,
        password: str,
        company_currency: str,
        cost_centre: str = "",
    ) -> None:
        """``url`` leads to the Service Layer: ``https://sap.example:50000/b1s/v1``."""
        self._outgoing = outgoing
        self._url = url.rstrip("/")
        self._login = {"CompanyDB": company, "UserName": username, "Password": password}
        self._company_currency = company_currency
        self._cost_centre = cost_centre
        self._in_session = False

    def find(self, entry: Entry) -> Booked | None:
        ours = amounts_of(entry.lines)
        entries = self._entries(f"Reference eq '{entry.reference}'")
        found = [each for each in entries if self._amounts(each) == ours]
        if not found:
            _require_none(entries)
            return None
        original, *others = found
        reversal = self._storno_of(entry, _booked(original).key)
        surplus = [each.number for each in map(_booked, others) if each.number != reversal]
        if surplus:
            numbers = ", ".join([_booked(original).number, *surplus])
            raise Contradiction(_("SAP has it more than once: %s.") % numbers)
        return replace(_booked(original), reversal=reversal or "")

    def post(self, entry: Entry) -> Booked:
        day = entry.business_date.isoformat()
        body = {
            "ReferenceDate": day,
            "DueDate": day,
            "TaxDate": day,
            "Memo": entry.title[:LONGEST_MEMO],
            "Reference": entry.reference,
            "JournalEntryLines": [self._line(line, entry.currency) for line in entry.lines],
        }
        answer = self._call("POST", "JournalEntries", body)
        try:
            return _booked(_json(answer))
        except Unreached as error:
            raise Lost(str(error)) from None

    def find_reversal(self, entry: Entry, booked: Booked) -> str | None:
        return self._storno_of(entry, self._key_of(entry, booked))

    def reverse(self, entry: Entry, booked: Booked) -> str:
        key = self._key_of(entry, booked)
        self._call("POST", f"JournalEntries({key})/Cancel", None)
        try:
            return self._storno_of(entry, key) or ""
        except DoorClosed:
            return ""  # it is reversed; its number can be asked for later

    def test(self) -> Tested:
        try:
            self._call("GET", "JournalEntries?$select=JdtNum&$top=1", None)
        except DoorClosed as error:
            return Tested(passed=False, sentence=str(error))
        return Tested(passed=True, sentence=_("Signed in, and journal entries can be read. Nothing was posted."))

    def close(self) -> None:
        if self._in_session:
            try:
                self._outgoing.call("POST", f"{self._url}/Logout", headers=JSON)
            except (NotSent, AnswerLost):
                return  # the session ends by itself
            self._in_session = False

    def _key_of(self, entry: Entry, booked: Booked) -> str:
        """The key under which this company has our document. The one that was kept may be another company's.

        Raises:
            Contradiction: it has none of ours with that number, so nothing may be cancelled here.
        """
        ours = amounts_of(entry.lines)
        for each in self._entries(f"Reference eq '{entry.reference}'"):
            found = _booked(each)
            if found.number == booked.number and self._amounts(each) == ours:
                return found.key
        raise Contradiction(_("Document %s in SAP is not this journal. Is it in another company?") % booked.number)

    def _storno_of(self, entry: Entry, key: str) -> str | None:
        """The number of the later entry that mirrors ours."""
        mirror = mirrored(amounts_of(entry.lines))
        for tie in (f"Reference eq '{entry.reference}'", f"endswith(Memo, '- {key}')"):
            for each in self._entries(f"JdtNum gt {key} and {tie}"):
                if self._amounts(each) == mirror:
                    return _booked(each).number
        return None

    def _line(self, line: Posting, currency: str) -> dict[str, Any]:
        side = "Debit" if line.debit else "Credit"
        fields: dict[str, Any] = {"AccountCode": line.account, "ShortName": line.account, "LineMemo": line.text[:50]}
        if currency == self._company_currency:
            fields[side] = abs(line.amount)
        else:
            fields[f"FC{side}"] = abs(line.amount)
            fields["FCCurrency"] = currency
        if self._cost_centre and line.key.startswith("revenue."):
            fields["CostingCode"] = self._cost_centre
        return fields

    def _entries(self, condition: str) -> list[dict[str, Any]]:
        """The entries that fit, the oldest first, each with its lines: some versions leave them out of lists."""
        asked = quote(condition, safe="()',")
        listed = _json(self._call("GET", f"JournalEntries?$select=JdtNum&$filter={asked}&$orderby=JdtNum", None))
        try:
            keys = [_whole(each["JdtNum"]) for each in listed["value"]]
        except (KeyError, TypeError):
            raise Unreached(_("SAP's answer could not be read.")) from None
        return [_json(self._call("GET", f"JournalEntries({key})", None)) for key in keys]

    def _amounts(self, found: dict[str, Any]) -> Amounts:
        """The lines of an entry in the currency that they were posted in."""
        amounts: Amounts = Amounts()
        try:
            for line in found["JournalEntryLines"]:
                foreign = "FC" if line.get("FCCurrency") else ""
                amount = _decimal(line.get(f"{foreign}Debit")) - _decimal(line.get(f"{foreign}Credit"))
                amounts[bare(str(line["AccountCode"])), amount] += 1
        except (KeyError, TypeError, AttributeError, ArithmeticError):
            raise Unreached(_("SAP's answer could not be read.")) from None
        return amounts

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        """A call within a session.

        Raises:
            DoorClosed: it was not answered with success.
        """
        for _turn in range(2):
            if not self._in_session:
                self._sign_in()
            answer = self._send(method, path, body)
            if answer.status != 401:
                return _require_success(answer, is_read=method == "GET")
            self._in_session = False
        raise Unreached(_("SAP ended the session again and again."))

    def _sign_in(self) -> None:
        self._outgoing.forget_cookies()
        try:
            answer = self._send("POST", "Login", self._login)
        except Lost as error:
            raise Unreached(str(error)) from None
        if answer.status != 200:
            raise Unreached(_("SAP does not let us in: %s") % _said(answer))
        self._in_session = True

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        content = None if body is None else ENCODER.encode(body)
        return send(self._outgoing, method, f"{self._url}/{path}", content, JSON)


def _require_none(entries: list[dict[str, Any]]) -> None:
    if entries:
        number = ", ".join(str(each.get("Number")) for each in entries)
        raise Contradiction(_("SAP has something else under our reference: %s.") % number)


def _require_success(answer: Answer, *, is_read: bool) -> Answer:
    if 200 <= answer.status < 300:
        return answer
    if is_read:
        raise Unreached(_said(answer))
    if answer.status >= 500 or answer.status == 408:
        raise Lost(_said(answer))
    raise Refused(_said(answer))


def _said(answer: Answer) -> str:
    """What an error's body says, if it is one of SAP's."""
    try:
        error = msgspec.json.decode(answer.body)["error"]
        return f"{error['message']['value']} ({error['code']})"
    except (msgspec.DecodeError, KeyError, TypeError, UnicodeDecodeError, RecursionError):
        return _("SAP answered with status %s.") % answer.status


def _json(answer: Answer) -> dict[str, Any]:
    try:
        return dict(DECODER.decode(answer.body))
    except (msgspec.DecodeError, TypeError, ValueError, RecursionError):
        return {}


def _decimal(number: Any) -> Decimal:
    return Decimal(str(number or 0)).quantize(Decimal("0.01"))


def _booked(found: dict[str, Any]) -> Booked:
    try:
        return Booked(number=str(_whole(found["Number"])), key=str(_whole(found["JdtNum"])))
    except KeyError:
        raise Unreached(_("SAP's answer could not be read.")) from None


def _whole(number: Any) -> int:
    """A number of SAP's; nothing else is made into one."""
    if not isinstance(number, int):
        raise Unreached(_("SAP's answer could not be read."))
    return number
