"""Taking staged receipts in, piece by piece: through the contract, then into the ledger, like every other sale.

A piece is one transaction: its sales commit together with what is noted of them, or not at all. Whoever works takes
receipts that nobody else has in hand, so several browsers, the command and the scheduler share one import; whoever
dies in the middle leaves its piece waiting. Meeting twice would do no harm either: every reference is recorded once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import F
from msgspec import structs

from apikeys.models import ApiKey
from catalogue.vat import dated_rates
from kasse.models import Source
from kasse.recording import ExternalRefConflict, Recorded, record_transactions
from kasse.sales import NewSale
from kasse.sqlite import in_turn
from pos_bridge.admission import Admission
from pos_bridge.answers import json_value
from pos_bridge.contract import Terms, read_sale
from pos_bridge.faults import Fault, Path, Refused
from pos_bridge.health import settings_of
from pos_bridge.importing.columns import Column
from pos_bridge.importing.models import ImportedReceipt, ImportState, ReceiptFate, SalesImport
from pos_bridge.importing.receipts import LONGEST_SHOWN
from pos_bridge.intake import check_closely, document_in, terms_for
from pos_bridge.remarks import IMPORTED
from pos_bridge.strict_json import Malformed

A_PIECE = 200
DIFFERS = "differs_from_stored"
AWAY = (OperationalError, InterfaceError)
COLUMNS = {
    "external_ref": Column.RECEIPT,
    "payment_method": Column.PAYMENT,
    "total_amount": Column.TOTAL,
    "occurred_at": Column.DAY,
    "business_date": Column.DAY,
    "till_id": Column.TILL,
    "tip_amount": Column.TIP,
    "rounding_amount": Column.ROUNDING,
    **{name: Column(name) for name in ("description", "quantity", "unit_price", "line_total", "vat_rate")},
    **{name: Column(name) for name in ("sku", "category")},
}
"""In which column of the file a field of the contract stands."""


def work_on(sales_import: SalesImport, *, until: Callable[[], bool], clock: Callable[[], datetime]) -> None:
    """Go on with an import, a piece at a time, until that says so or nothing waits any more."""
    while work(sales_import, at=clock()) and not until():
        pass
    sales_import.refresh_from_db()


def work(sales_import: SalesImport, *, at: datetime, most: int = A_PIECE) -> bool:
    """Take one piece in; whether there was any to take. ``at`` is our clock: when its sales arrive."""
    with in_turn(), transaction.atomic():
        staged = _in_hand(sales_import, most)
        if staged:
            _take_in(_Desk.of(sales_import, at), staged)
    if not staged:
        finish(sales_import, at=at)
    return bool(staged)


def finish(sales_import: SalesImport, *, at: datetime) -> None:
    """The import is done once no receipt waits, in nobody's hands either."""
    waiting = ImportedReceipt.objects.of(sales_import.tenant).filter(sales_import=sales_import, fate="")
    if not waiting.exists():
        running = SalesImport.objects.of(sales_import.tenant).filter(pk=sales_import.pk, state=ImportState.RUNNING)
        running.update(state=ImportState.DONE, finished_at=at)


def _in_hand(sales_import: SalesImport, most: int) -> list[ImportedReceipt]:
    """The next receipts that nobody else has in hand; ours until this transaction ends."""
    rows = ImportedReceipt.objects.of(sales_import.tenant).filter(
        sales_import=sales_import, sales_import__state=ImportState.RUNNING, fate=ReceiptFate.WAITING
    )
    return list(rows.select_for_update(of=("self",), skip_locked=True).order_by("position")[:most])


@dataclass(frozen=True, slots=True)
class _Desk:
    """An import at a moment: on what terms its sales are taken, and under whose name."""

    sales_import: SalesImport
    admission: Admission
    terms: Terms
    at: datetime

    @classmethod
    def of(cls, sales_import: SalesImport, at: datetime) -> _Desk:
        """The terms of the campground as they are now; without a key, sales are of no till."""
        tenant = sales_import.tenant
        key = sales_import.api_key or ApiKey()
        key.tenant = tenant
        admission = Admission(key, settings_of(tenant), dated_rates(tenant))
        return cls(sales_import, admission, terms_for(admission, at), at)


Outcome: TypeAlias = Recorded | ExternalRefConflict | Exception


def _take_in(desk: _Desk, staged: Sequence[ImportedReceipt]) -> None:
    """Check each, record all that keep the contract at once, and note what became of them."""
    read = [_read(desk, each) for each in staged]
    recorded = iter(_record_all(desk, [sale for sale in read if isinstance(sale, NewSale)]))
    for receipt, sale in zip(staged, read, strict=True):
        receipt.fate, receipt.faults = _told(receipt, next(recorded) if isinstance(sale, NewSale) else sale)
    rows, counts = ImportedReceipt.objects.of(desk.sales_import.tenant), Counter(receipt.fate for receipt in staged)
    for fate in counts:
        rows.filter(pk__in=[each.pk for each in staged if each.fate == fate]).update(fate=fate)
    rows.bulk_update([each for each in staged if each.faults], ["faults"])
    SalesImport.objects.of(desk.sales_import.tenant).filter(pk=desk.sales_import.pk).update(
        worked_at=desk.at, **{fate: F(fate) + number for fate, number in counts.items()}
    )


def _read(desk: _Desk, receipt: ImportedReceipt) -> NewSale | Exception:
    """The sale in a receipt's document; one on which we stumble keeps no other out."""
    try:
        body = receipt.document.encode()
        checked = read_sale(body, desk.terms)
        checked = checked or check_closely(desk.sales_import.tenant, document_in(body), desk.terms)
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, it is this receipt's)
        return error
    return structs.replace(checked.sale, remarks=f"{checked.sale.remarks} {IMPORTED}".strip())


def _record_all(desk: _Desk, sales: Sequence[NewSale]) -> Sequence[Outcome]:
    """By one statement; where the database refuses that, sale by sale, and then one of them alone has failed."""
    try:
        return _record(desk, sales)
    except AWAY:
        raise
    except DatabaseError:
        return [_record_alone(desk, sale) for sale in sales]


def _record_alone(desk: _Desk, sale: NewSale) -> Outcome:
    try:
        (outcome,) = _record(desk, [sale])
    except AWAY:
        raise
    except DatabaseError as error:
        return error
    return outcome


def _record(desk: _Desk, sales: Sequence[NewSale]) -> Sequence[Recorded | ExternalRefConflict]:
    """Through the one door into the ledger; of a dry run nothing stays."""
    with transaction.atomic():
        outcomes = record_transactions(
            tenant=desk.sales_import.tenant,
            sales=sales,
            source=Source.EXTERNAL_POS,
            received_at=desk.at,
            api_key=desk.sales_import.api_key,
            default_vat_rate=desk.admission.bridge.default_vat_rate,
            rates=desk.admission.rates,
        )
        transaction.set_rollback(desk.sales_import.is_dry_run)
    return outcomes


def _told(receipt: ImportedReceipt, outcome: Outcome) -> tuple[ReceiptFate, list[dict[str, Any]]]:
    """What became of a receipt, and what there is to say of it."""
    match outcome:
        case Recorded(created=created):
            return (ReceiptFate.CREATED if created else ReceiptFate.REPLAYED), []
        case ExternalRefConflict(differences=differences):
            differ = [(each.field, each.sent, each.stored) for each in differences]
            return ReceiptFate.CONFLICT, [_fault(receipt, (field,), DIFFERS, *both) for field, *both in differ]
        case Refused(faults=faults):
            return ReceiptFate.INVALID, [_of_contract(receipt, fault) for fault in faults]
        case _:
            code = outcome.code if isinstance(outcome, Malformed) else "server_error"
            return ReceiptFate.INVALID, [_fault(receipt, (), code)]


def _of_contract(receipt: ImportedReceipt, fault: Fault) -> dict[str, Any]:
    sent: Any = json.loads(receipt.document)
    for step in fault.path:
        known = (isinstance(sent, dict) and step in sent) or (isinstance(sent, list) and isinstance(step, int))
        sent = sent[step] if known else ""
    return {**_fault(receipt, fault.path, fault.code, sent), **fault.facts}


def _fault(receipt: ImportedReceipt, path: Path, code: str, value: Any = "", stored: Any = "") -> dict[str, Any]:
    """Where it stands in the file: its line, and the column that its field came from."""
    place = next((step for step in path if isinstance(step, int)), 0)
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return {
        "line": receipt.lines[place],
        "column": COLUMNS.get(name, ""),
        "code": code,
        "value": _shown(value),
        "stored": _shown(stored),
    }


def _shown(value: Any) -> str:
    """A value in short; lists are no value to show."""
    known = json_value(value)
    return "" if isinstance(known, list | dict) else str(known)[:LONGEST_SHOWN]
