"""SAP S/4HANA, by the SOAP service that posts journal entries (synchronous), looked up by OData.

* HTTP 200 says nothing: it failed if the log's highest severity is 3, or if no document number came back.
* Reversing is the same service: no items, the original's number and a reason.
* The service does not tell a second posting from a first. After a lost answer our ``DocumentReferenceID`` is looked
  for in ``API_OPLACCTGDOCITEMCUBE_SRV``. That is another service with a right of its own; without it a person has to
  look.

Source: SAP, Journal Entry – Post (Synchronous), Operational Journal Entry Item – Read; the lengths of fields are those
of the latter's metadata.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from django.utils.translation import gettext as _

from journal import soap
from journal.doors import (
    Amounts,
    Booked,
    Clock,
    Contradiction,
    DoorClosed,
    Entry,
    Lost,
    Refused,
    Tested,
    Unreached,
    amounts_of,
    bare,
    send,
)
from tenants.outgoing import Outgoing

POSTING_PATH = "/sap/bc/srt/scs_ext/sap/journalentrycreaterequestconfi"
READING_PATH = "/sap/opu/odata/sap/API_OPLACCTGDOCITEMCUBE_SRV/A_OperationalAcctgDocItemCube"
READ_FIELDS = (
    "CompanyCode,FiscalYear,AccountingDocument,AccountingDocumentItem,DocumentReferenceID,GLAccount,DebitCreditCode,"
    "AmountInTransactionCurrency,IsReversal,IsReversed,ReverseDocument"
)
XML = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": ""}


class S4Hana:
    """One company code's books."""

    def __init__(
        self,
        outgoing: Outgoing,
        *,
        url: str,
        company: str,
        may_look_up: bool,
        clock: Clock,
        cost_centre: str = "",
    ) -> None:
        """``url`` is the posting service's address, or that of the system alone; sign-in goes with each call."""
        parts = urlsplit(url)
        system = f"{parts.scheme}://{parts.netloc}"
        self.can_look_up = may_look_up
        self._outgoing = outgoing
        self._posting = url if parts.path.strip("/") else system + POSTING_PATH
        self._reading = system + READING_PATH
        self._company = company
        self._clock = clock
        self._cost_centre = cost_centre

    def find(self, entry: Entry) -> Booked | None:
        rows = self._rows(f"CompanyCode eq '{self._company}' and DocumentReferenceID eq '{entry.reference}'")
        documents = [each for each in _by_document(rows).values() if not each[0].get("IsReversal")]
        if not documents:
            return None
        numbers = ", ".join(str(each[0].get("AccountingDocument")) for each in documents)
        if len(documents) > 1:
            raise Contradiction(_("SAP has it more than once: %s.") % numbers)
        if not _is_what_we_sent(documents[0], entry):
            raise Contradiction(_("SAP has something else under our reference: %s.") % numbers)
        return _booked(documents[0][0])

    def post(self, entry: Entry) -> Booked:
        header = soap.Header(entry.reference, self._company, entry.business_date, self._clock())
        return self._ask(soap.posting(header, entry, cost_centre=self._cost_centre), entry)

    def find_reversal(self, entry: Entry, booked: Booked) -> str | None:
        number, company, year = booked.key.split("/")
        rows = self._rows(f"CompanyCode eq '{company}' and FiscalYear eq '{year}' and AccountingDocument eq '{number}'")
        if not rows:
            raise Unreached(_("SAP does not show document %s.") % number)
        if rows[0].get("DocumentReferenceID") != entry.reference or not _is_what_we_sent(rows, entry):
            raise Contradiction(_("Document %s in SAP is not this journal. Is it in another company?") % number)
        return str(rows[0].get("ReverseDocument") or "") or None

    def reverse(self, entry: Entry, booked: Booked) -> str:
        if booked.key.split("/")[1] != self._company:
            raise Unreached(_("This journal is in another bookkeeping than the one set now."))
        header = soap.Header(entry.reference, self._company, entry.business_date, self._clock())
        return self._ask(soap.reversal(header, original=booked.key.replace("/", "")), entry).number

    def test(self) -> Tested:
        try:
            answer = send(self._outgoing, "GET", self._posting, None, {})
            if answer.status in {401, 403, 404} or 300 <= answer.status < 400 or answer.status >= 500:
                return Tested(passed=False, sentence=_("SAP answered with status %s.") % answer.status)
            if not self.can_look_up:
                return Tested(passed=True, sentence=_("The posting service answers. Nothing was posted."))
            self._rows(f"CompanyCode eq '{self._company}'", most=1)
        except DoorClosed as error:
            return Tested(passed=False, sentence=str(error))
        return Tested(passed=True, sentence=_("Signed in, and journal entries can be read. Nothing was posted."))

    def close(self) -> None:
        """Every call signs in by itself; there is nothing to end."""

    def _ask(self, body: bytes, entry: Entry) -> Booked:
        """Have the posting service do something, and find out from its log whether it did."""
        answer = send(self._outgoing, "POST", self._posting, body, XML)
        if answer.status == 408 or (answer.status >= 500 and answer.status != 503):
            raise Lost(soap.fault_of(answer.body) or _("SAP answered with status %s.") % answer.status)
        if answer.status in {401, 403, 429, 503}:
            raise Unreached(_("SAP answered with status %s.") % answer.status)
        if not 200 <= answer.status < 300:
            raise Refused(soap.fault_of(answer.body) or _("SAP answered with status %s.") % answer.status)
        try:
            confirmation = soap.confirmation_of(answer.body)
        except soap.Unreadable:
            raise Lost(_("SAP's answer could not be read.")) from None
        if confirmation.reference != entry.reference:
            raise Lost(_("SAP's answer is about something else."))
        if confirmation.failed:
            raise Refused(confirmation.sentence)
        if confirmation.contradicts_itself:
            raise Lost(confirmation.sentence or _("SAP names a document, and an error."))
        number, company, year = confirmation.document
        return Booked(number=number, key=f"{number}/{company}/{year}")

    def _rows(self, condition: str, *, most: int = 999) -> list[dict[str, Any]]:
        query = f"$filter={quote(condition)}&$select={READ_FIELDS}&$top={most}&$format=json"
        answer = send(self._outgoing, "GET", f"{self._reading}?{query}", None, {"Accept": "application/json"})
        if answer.status != 200:
            raise Unreached(_("SAP does not let us look it up: status %s.") % answer.status)
        try:
            return [dict(row) for row in msgspec.json.decode(answer.body)["d"]["results"]]
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, RecursionError):
            raise Unreached(_("SAP's answer could not be read.")) from None


def _by_document(rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    documents: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        documents[str(row.get("FiscalYear")), str(row.get("AccountingDocument"))].append(row)
    return documents


def _amounts(rows: list[dict[str, Any]]) -> Amounts:
    """The lines of a document, debit positive, whether SAP has signed them or only named their side."""
    amounts: Amounts = Amounts()
    try:
        for row in rows:
            size = abs(Decimal(str(row["AmountInTransactionCurrency"]))).quantize(Decimal("0.01"))
            amounts[bare(str(row["GLAccount"])), size if row["DebitCreditCode"] == "S" else -size] += 1
    except (KeyError, ArithmeticError):
        raise Unreached(_("SAP's answer could not be read.")) from None
    return amounts


def _is_what_we_sent(rows: list[dict[str, Any]], entry: Entry) -> bool:
    """Whether a document has our lines. Where SAP was given tax codes, it chose the accounts of VAT itself."""
    theirs, ours = _amounts(rows), amounts_of(entry.lines)
    if any(line.tax_code for line in entry.lines):
        return sorted(amount for _account, amount in theirs.elements()) == sorted(
            amount for _account, amount in ours.elements()
        )
    return theirs == ours


def _booked(row: dict[str, Any]) -> Booked:
    try:
        number, company, year = (str(row[name]) for name in ("AccountingDocument", "CompanyCode", "FiscalYear"))
    except KeyError:
        raise Unreached(_("SAP's answer could not be read.")) from None
    return Booked(number, f"{number}/{company}/{year}", str(row.get("ReverseDocument") or ""))
