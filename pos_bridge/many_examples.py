"""Batches, summaries and reconciliations as the API description shows them, built by the code that answers tills."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from kasse.models import LineKind, PaymentMethod, Source
from kasse.totals import Counted, DayTotals, LineTotal, PaymentTotal, TillTotal
from pos_bridge.batch import Fate
from pos_bridge.examples import FIVE_FIELDS, NOW, SALE_ID, Body, answer_to, page_answer
from pos_bridge.gaps import Hole, Moment
from pos_bridge.gaps_api import facts_of, gap_body
from pos_bridge.missing import LOOKED_AT, Gap, Gaps
from pos_bridge.models import Reconciliation
from pos_bridge.problem_examples import problem_examples
from pos_bridge.reconciling import Compared, Sum, reconciliation_body
from pos_bridge.summaries import summary_body

DAY = date(2026, 4, 29)
OFF_BY_A_FRANC: Body = {**FIVE_FIELDS, "total_amount": "13.50"}
BATCH: Body = {"transactions": [FIVE_FIELDS, {**OFF_BY_A_FRANC, "external_ref": "seeblick-2026-04-29-T-5"}]}
DAY_OF_SALES: Body = {
    "business_date": "2026-04-29",
    "transactions": [
        {"external_ref": FIVE_FIELDS["external_ref"], "total_amount": "12.50"},
        {"external_ref": "seeblick-2026-04-29-T-4", "total_amount": "8.00"},
    ],
}
DAY_OF_TOTALS: Body = {
    "business_date": "2026-04-29",
    "totals": {"count": 2, "total_amount": "20.50", "payments": [{"method": "CASH", "amount": "20.50"}]},
}


def batch_answer() -> Body:
    """``BATCH`` for the first time."""
    created, invalid = BATCH["transactions"]
    results = [
        _result(created, Fate.CREATED, 201, answer_to(created)),
        _result(invalid, Fate.INVALID, 400, problem_examples()["total_mismatch"]),
    ]
    return {"results": results, "counts": {**{fate.value: 0 for fate in Fate}, "created": 1, "invalid": 1}}


def _result(document: Body, fate: Fate, status: int, body: Body) -> Body:
    return {"external_ref": document["external_ref"], "result": fate.value, "status": status, "body": body}


def dry_run_answer() -> Body:
    """``FIVE_FIELDS``, which would be new."""
    return {"dry_run": True, "result": "created", "status": 201, "body": {**answer_to(FIVE_FIELDS), "id": None}}


def sale_called_batch_answer() -> Body:
    """The sale whose reference is ``batch``."""
    return {**answer_to(FIVE_FIELDS), "external_ref": "batch"}


def gaps_answer() -> Body:
    """Three receipts of the second kiosk."""
    before, after = (Moment(NOW - timedelta(days=2, minutes=ago), NOW - timedelta(days=2)) for ago in (21, 4))
    missing = Gap(1, "Kiosk 2", Hole(1041, 1043, before, after))
    found = Gaps((missing,), (), (), looked_from=NOW - LOOKED_AT)
    return page_answer([gap_body(missing, mine=True)]) | facts_of(found)


def summary_answer() -> Body:
    """After ``FIVE_FIELDS`` and the refund."""
    sold, refunded = Counted(1, Decimal("12.50")), Counted(1, Decimal("-68.00"))
    totals = DayTotals(
        DAY,
        "CHF",
        tills=(TillTotal(Source.EXTERNAL_POS, 1, "", sold, refunded, Decimal(0), Decimal(0)),),
        payments=(
            PaymentTotal(Source.EXTERNAL_POS, PaymentMethod.CARD, refunded, Decimal(0)),
            PaymentTotal(Source.EXTERNAL_POS, PaymentMethod.CASH, sold, Decimal(0)),
        ),
        lines=(LineTotal(None, "", LineKind.SALE, Counted(3, Decimal("-55.50"))),),
    )
    return summary_body(totals, mine=False)


def reconciliation_answers() -> dict[str, Body]:
    """Both days, when ``FIVE_FIELDS`` is all that has arrived."""
    yours, ours = Sum(2, Decimal("20.50")), Sum(1, Decimal("12.50"))
    sales = Compared(yours, ours, missing_here=["seeblick-2026-04-29-T-4"])
    differ: list[Body] = [
        {"what": "count", "yours": 2, "ours": 1},
        {"what": "total_amount", "yours": "20.50", "ours": "12.50"},
        {"what": "payments.CASH", "yours": "20.50", "ours": "12.50"},
    ]
    totals = Compared(yours, ours, totals_differ=differ)
    return {"sales": _answer(sales, by_totals=False), "totals": _answer(totals, by_totals=True)}


def _answer(compared: Compared, *, by_totals: bool) -> Body:
    kept = Reconciliation(id=SALE_ID, business_date=DAY, at=NOW, verdict=compared.verdict.value, by_totals=by_totals)
    return reconciliation_body(kept, compared)
