"""The posting service of SAP S/4HANA and the OData service that reads documents, as documented: 200 says nothing."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.journal.faults import Call, FakeSap, Fault, Reply

COMPANY, USER, PASSWORD = "1410", "CAMPONE_COMM", "Kies-und-Tannen-7"
POSTING = "/sap/bc/srt/scs_ext/sap/journalentrycreaterequestconfi"
READING = "/sap/opu/odata/sap/API_OPLACCTGDOCITEMCUBE_SRV/A_OperationalAcctgDocItemCube"
SIGN_IN = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()

CONFIRMATION = """<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"><soap-env:Header/>
<soap-env:Body><n0:JournalEntryBulkCreateConfirmation xmlns:n0="http://sap.com/xi/SAPSCORE/SFIN"><MessageHeader>
<UUID>2d656d48-6d1b-1eee-bc82-9fbbd1ef35ff</UUID><ReferenceID>{reference}</ReferenceID></MessageHeader>
<ConfirmationInterfaceOrignName/><JournalEntryCreateConfirmation><MessageHeader><ReferenceID>{reference}</ReferenceID>
</MessageHeader><JournalEntryCreateConfirmation><AccountingDocument>{document}</AccountingDocument>
<CompanyCode>{company}</CompanyCode><FiscalYear>{year}</FiscalYear></JournalEntryCreateConfirmation><Log>
<MaximumLogItemSeverityCode>{severity}</MaximumLogItemSeverityCode>{items}</Log></JournalEntryCreateConfirmation><Log/>
</n0:JournalEntryBulkCreateConfirmation></soap-env:Body></soap-env:Envelope>"""
FAULT = """<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"><soap-env:Body><soap-env:Fault>
<faultcode>soap-env:Client</faultcode><faultstring xml:lang="en">{}</faultstring></soap-env:Fault></soap-env:Body>
</soap-env:Envelope>"""


class FakeS4Hana(FakeSap):
    """One company code's books, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.documents: dict[str, dict[str, Any]] = {}
        self.refuses_duplicates = False
        self.may_read = True
        self.blank_number = " "

    @property
    def url(self) -> str:
        return self.address + POSTING

    def live(self) -> list[dict[str, Any]]:
        """Documents that are neither reversed nor a reversal."""
        return [each for each in self.documents.values() if not each["reversed_by"] and not each["reverses"]]

    def books(self, call: Call) -> bool:
        return call.method == "POST"

    def reply(self, call: Call) -> Reply:
        if call.headers.get("authorization") != SIGN_IN:
            return Reply(401, b"<html>Unauthorized</html>")
        if call.path.startswith(READING):
            return self._read(call) if self.may_read else Reply(403, b"<html>Forbidden</html>")
        if urlsplit(call.path).path != POSTING:
            return Reply(404)
        return self._book(call.body) if call.method == "POST" else Reply(405)

    def fault_reply(self, fault: Fault, call: Call) -> Reply:
        if fault is Fault.SESSION_ENDED:
            return Reply(401)
        if call.method == "GET":
            return Reply(500)
        return self._refuse(_text(ET.fromstring(call.body), "ID"), "Period 004/2026 is not open for account type S")

    def _book(self, body: bytes) -> Reply:
        message = ET.fromstring(body)
        reference, company = _text(message, "ID"), _text(message, "CompanyCode")
        if company != COMPANY:
            return self._refuse(reference, f"Company code {company} does not exist")
        if original := _text(message, "ReversalReferenceDocument"):
            return self._reverse(reference, original)
        rows = [*self._items(message)]
        if sum(row["amount"] for row in rows):
            return self._refuse(reference, "Balance in transaction currency")
        known = [each for each in self.documents.values() if each["reference"] == _text(message, "DocumentReferenceID")]
        if known and self.refuses_duplicates:
            return self._refuse(reference, f"Document {known[0]['number']} already exists with this reference")
        return self._confirm(reference, self._add(_text(message, "DocumentReferenceID"), message, rows))

    def _items(self, message: ET.Element) -> Any:
        for item in _all(message, "Item"):
            amount = Decimal(_text(item, "AmountInTransactionCurrency"))
            side = _text(item, "DebitCreditCode")
            assert (side == "S") == (amount > 0), "debit is positive"
            assert len(_text(item, "DocumentItemText")) <= 50
            yield {"account": _text(item, "GLAccount"), "amount": amount, "text": _text(item, "DocumentItemText")}
        for item in _all(message, "ProductTaxItem"):
            yield {
                "account": "0022000000",
                "amount": Decimal(_text(item, "AmountInTransactionCurrency")),
                "text": _text(item, "TaxCode"),
                "base": Decimal(_text(item, "TaxBaseAmountInTransCrcy")),
            }

    def _add(self, document_reference: str, message: ET.Element, rows: list[dict[str, Any]]) -> dict[str, Any]:
        assert len(document_reference) <= 16
        assert len(_text(message, "DocumentHeaderText")) <= 25
        number = f"{100000008 + len(self.documents):010}"
        self.documents[number] = {
            "number": number,
            "reference": document_reference,
            "year": _text(message, "PostingDate")[:4],
            "date": _text(message, "PostingDate"),
            "rows": rows,
            "reversed_by": "",
            "reverses": "",
        }
        return self.documents[number]

    def _reverse(self, reference: str, original: str) -> Reply:
        document = self.documents.get(original[:10])
        if document is None or original[10:] != COMPANY + document["year"]:
            return self._refuse(reference, f"Document {original} does not exist")
        if document["reversed_by"]:
            return self._refuse(reference, f"Document {document['number']} has already been reversed")
        number = f"{100000008 + len(self.documents):010}"
        rows = [{**row, "amount": -row["amount"]} for row in document["rows"]]
        self.documents[number] = {**document, "number": number, "rows": rows, "reverses": document["number"]}
        document["reversed_by"] = number
        return self._confirm(reference, self.documents[number])

    def _confirm(self, reference: str, document: dict[str, Any]) -> Reply:
        item = _log_item("605(RW)", "1", f"Document posted successfully: BKPFF {document['number']}{COMPANY}")
        return _xml(
            CONFIRMATION.format(
                reference=reference,
                document=document["number"],
                company=COMPANY,
                year=document["year"],
                severity="1",
                items=item,
            )
        )

    def _refuse(self, reference: str, sentence: str) -> Reply:
        items = _log_item("609(RW)", "3", "Error in document: BKPFF $ 0M32TI1") + _log_item("102(F5)", "3", sentence)
        return _xml(
            CONFIRMATION.format(
                reference=reference,
                document=self.blank_number,
                company=" ",
                year="0000",
                severity="3",
                items=items,
            )
        )

    def _read(self, call: Call) -> Reply:
        query = {name: values[0] for name, values in parse_qs(urlsplit(call.path).query).items()}
        rows = [row for each in self.documents.values() for row in _odata_rows(each)]
        wanted = _conditions(query["$filter"])
        found = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
        shown = [{name: row[name] for name in query["$select"].split(",")} for row in found[: int(query["$top"])]]
        return Reply(200, json.dumps({"d": {"results": shown}}).encode(), (("Content-Type", "application/json"),))


def _conditions(filtered: str) -> dict[str, str]:
    """The filters this test double understands; any other is a mistake of ours."""
    found = [re.fullmatch(r"(\w+) eq '([^']*)'", part) for part in filtered.split(" and ")]
    return {each[1]: each[2] for each in found if each} if all(found) else {"unreadable": filtered}


def _odata_rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "CompanyCode": COMPANY,
            "FiscalYear": document["year"],
            "AccountingDocument": document["number"],
            "AccountingDocumentItem": f"{place:03}",
            "DocumentReferenceID": document["reference"],
            "GLAccount": row["account"].zfill(10),
            "DebitCreditCode": "S" if row["amount"] > 0 else "H",
            "AmountInTransactionCurrency": f"{row['amount']:.2f}",
            "IsReversal": bool(document["reverses"]),
            "IsReversed": bool(document["reversed_by"]),
            "ReverseDocument": document["reversed_by"] or document["reverses"],
        }
        for place, row in enumerate(document["rows"], start=1)
    ]


def _log_item(kind: str, severity: str, note: str) -> str:
    return f"<Item><TypeID>{kind}</TypeID><SeverityCode>{severity}</SeverityCode><Note>{escape(note)}</Note></Item>"


def _xml(text: str) -> Reply:
    return Reply(200, text.encode(), (("Content-Type", "text/xml; charset=utf-8"),))


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in element.iter() if each.tag.rpartition("}")[2] == name]


def _text(element: ET.Element, name: str) -> str:
    found = _all(element, name)
    return (found[0].text or "").strip() if found else ""
