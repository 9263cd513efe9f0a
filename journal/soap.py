"""The messages of S/4HANA's posting service: XML out, built by a library; XML in, read by one that nothing blows up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timezone
from xml.etree import ElementTree as ET

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from journal.doors import Entry
from journal.postings import Posting

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
FINANCE = "http://sap.com/xi/SAPSCORE/SFIN"
NO_DOCUMENT = {"", "0000000000"}
FAILED = "3"
AUTHOR = "CAMPONE"
WRONGLY_BOOKED = "01"
"""The reason for a reversal that every SAP system has."""


class Unreadable(Exception):
    """What came back is no confirmation."""


@dataclass(frozen=True, slots=True)
class Header:
    """What every message says; ``day`` is document and posting date."""

    reference: str
    company: str
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the service says it did: to which message, in which document (number, company code, fiscal year)."""

    reference: str
    document: tuple[str, str, str]
    severity: str
    sentence: str

    @property
    def failed(self) -> bool:
        """Whether nothing was booked, in spite of HTTP 200."""
        return self.document[0] in NO_DOCUMENT

    @property
    def contradicts_itself(self) -> bool:
        """Whether it names an error and a document: nobody knows which of them holds."""
        return self.severity == FAILED and not self.failed


def posting(header: Header, entry: Entry, *, cost_centre: str = "") -> bytes:
    """The message that books an entry. Amounts are signed: debit positive, credit negative."""
    envelope, journal = _message(header)
    _add(journal, "DocumentReferenceID", header.reference)
    _add(journal, "DocumentHeaderText", entry.title[:25])
    _add(journal, "CreatedByUser", AUTHOR)
    _dates(journal, header)
    for number, line in enumerate(entry.lines, start=1):
        if line.tax_code and line.tax_base is not None:
            _tax_item(journal, line, entry.currency)
        else:
            _item(journal, number, line, entry.currency, cost_centre)
    return _bytes(envelope)


def reversal(header: Header, *, original: str) -> bytes:
    """The message that reverses a document: ``original`` is its number, company code and fiscal year in one."""
    envelope, journal = _message(header)
    _add(journal, "CreatedByUser", AUTHOR)
    _dates(journal, header)
    _add(journal, "ReversalReason", WRONGLY_BOOKED)
    _add(journal, "ReversalReferenceDocument", original)
    return _bytes(envelope)


def confirmation_of(body: bytes) -> Confirmation:
    """What the service answered.

    Raises:
        Unreadable: it is not a confirmation of one message.
    """
    found = [each for each in _parsed(body).iter() if _name(each) == "JournalEntryCreateConfirmation" and len(each) > 1]
    confirmations = [each for each in found if _child(each, "JournalEntryCreateConfirmation") is not None]
    if len(confirmations) != 1:
        raise Unreadable
    (outer,) = confirmations
    inner = _child(outer, "JournalEntryCreateConfirmation")
    return Confirmation(
        reference=_text(_child(outer, "MessageHeader"), "ReferenceID"),
        document=(_text(inner, "AccountingDocument"), _text(inner, "CompanyCode"), _text(inner, "FiscalYear")),
        severity=_text(_child(outer, "Log"), "MaximumLogItemSeverityCode"),
        sentence=" · ".join(dict.fromkeys(each.text for each in outer.iter() if _name(each) == "Note" and each.text)),
    )


def fault_of(body: bytes) -> str:
    """The sentence of a SOAP fault; empty if it is none."""
    try:
        faults = [each.text for each in _parsed(body).iter() if _name(each) == "faultstring" and each.text]
    except Unreadable:
        return ""
    return faults[0] if faults else ""


def _message(header: Header) -> tuple[ET.Element, ET.Element]:
    """The envelope, and the journal entry within it."""
    envelope = ET.Element(f"{{{ENVELOPE}}}Envelope")
    _add(envelope, f"{{{ENVELOPE}}}Header")
    bulk = _add(_add(envelope, f"{{{ENVELOPE}}}Body"), f"{{{FINANCE}}}JournalEntryBulkCreateRequest")
    _message_header(bulk, header)
    request = _add(bulk, "JournalEntryCreateRequest")
    _message_header(request, header)
    journal = _add(request, "JournalEntry")
    _add(journal, "OriginalReferenceDocumentType", "BKPFF")
    _add(journal, "BusinessTransactionType", "RFBU")
    _add(journal, "AccountingDocumentType", "SA")
    return envelope, journal


def _message_header(parent: ET.Element, header: Header) -> None:
    element = _add(parent, "MessageHeader")
    _add(element, "ID", header.reference)
    instant = header.at.astimezone(timezone.utc)
    _add(element, "CreationDateTime", instant.isoformat(timespec="milliseconds").replace("+00:00", "Z"))


def _dates(journal: ET.Element, header: Header) -> None:
    _add(journal, "CompanyCode", header.company)
    for name in ("DocumentDate", "PostingDate", "TaxDeterminationDate"):
        _add(journal, name, header.day.isoformat())


def _item(journal: ET.Element, number: int, line: Posting, currency: str, cost_centre: str) -> None:
    item = _add(journal, "Item")
    _add(item, "ReferenceDocumentItem", str(number))
    _add(item, "GLAccount", line.account)
    _amount(item, "AmountInTransactionCurrency", f"{line.amount:.2f}", currency)
    _add(item, "DebitCreditCode", "S" if line.debit else "H")
    _add(item, "DocumentItemText", line.text[:50])
    if line.tax_code:
        _add(_add(item, "Tax"), "TaxCode", line.tax_code)
    if cost_centre and line.key.startswith("revenue."):
        _add(_add(item, "AccountAssignment"), "CostCenter", cost_centre)


def _tax_item(journal: ET.Element, line: Posting, currency: str) -> None:
    """VAT with a tax code: SAP books it to the account of that code."""
    item = _add(journal, "ProductTaxItem")
    _add(item, "TaxCode", line.tax_code)
    _amount(item, "AmountInTransactionCurrency", f"{line.amount:.2f}", currency)
    _amount(item, "TaxBaseAmountInTransCrcy", f"{-(line.tax_base or 0):.2f}", currency)


def _add(parent: ET.Element, name: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


def _amount(parent: ET.Element, name: str, text: str, currency: str) -> None:
    _add(parent, name, text).set("currencyCode", currency)


def _bytes(envelope: ET.Element) -> bytes:
    return bytes(ET.tostring(envelope, encoding="utf-8", xml_declaration=True))


def _parsed(body: bytes) -> ET.Element:
    try:
        return fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable from None


def _name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _child(parent: ET.Element | None, name: str) -> ET.Element | None:
    return next((each for each in parent if _name(each) == name), None) if parent is not None else None


def _text(parent: ET.Element | None, name: str) -> str:
    child = _child(parent, name)
    return (child.text or "").strip() if child is not None else ""
