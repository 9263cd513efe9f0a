"""The list of sales, its sums, its exports, and one sale by itself. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apikeys.models import ApiKey
from kasse.business_day import today_of
from kasse.detail import detail_of
from kasse.export import MOST_ROWS, Value, csv_lines, export_rows, file_name, titles, workbook_of
from kasse.filters import TransactionFilter
from kasse.late import with_late
from kasse.listing import Page, Place, page_of, rows_of
from kasse.models import TENDERS, PaymentMethod
from kasse.patience import TookTooLong, at_most
from kasse.summing import Paid, Sums, sums_of
from tenants.pages import Here, asks_for_a_part, staff_page
from tenants.swiss import number_text

PAGE_SECONDS, SUMS_SECONDS = 5, 30
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@staff_page
def transactions(request: HttpRequest, here: Here) -> HttpResponse:
    """The list, a page of it. The sums of many days come after it; see ``transaction_sums``."""
    asked = _asked(request, here)
    return _list_page(request, here, asked, with_sums=not asked.is_wide)


@require_safe
@staff_page
def transaction_sums(request: HttpRequest, here: Here) -> HttpResponse:
    """The sums alone, for the list that has asked for them; the whole page for who comes without a script."""
    asked = _asked(request, here)
    if not asks_for_a_part(request):
        return _list_page(request, here, asked, with_sums=True)
    return render(request, "kasse/sums.html", {"asked": asked, **_sums(here, asked)})


@require_safe
@staff_page
def transaction(request: HttpRequest, here: Here, pk: UUID) -> HttpResponse:
    """One sale with all that is known of it."""
    detail = detail_of(here.tenant, pk)
    if detail is None:
        raise Http404
    return render(request, "kasse/transaction.html", {"detail": detail, "sale": detail.sale})


@require_safe
@staff_page
def export(request: HttpRequest, here: Here, form: str) -> HttpResponse | StreamingHttpResponse:
    """The filtered list, all of its pages, as a file."""
    asked = _asked(request, here)
    if not asked.is_valid():
        return _back_to_the_list(asked)
    return _as_csv(here, asked) if form == "csv" else _as_workbook(request, here, asked)


def _as_csv(here: Here, asked: TransactionFilter) -> StreamingHttpResponse:
    name = content_disposition_header(as_attachment=True, filename=file_name(asked.days, "csv"))
    return StreamingHttpResponse(
        csv_lines(titles(), _rows(here, asked)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": name or "attachment"},
    )


def _as_workbook(request: HttpRequest, here: Here, asked: TransactionFilter) -> HttpResponse | FileResponse:
    if asked.rows[: MOST_ROWS + 1].count() > MOST_ROWS:
        refusal = _("An Excel file holds %(most)s sales at most. Choose fewer days, or take the CSV file.")
        messages.error(request, refusal % {"most": number_text(MOST_ROWS)})
        return _back_to_the_list(asked)
    book = workbook_of(titles(), _rows(here, asked))
    return FileResponse(book, as_attachment=True, filename=file_name(asked.days, "xlsx"), content_type=EXCEL)


def _rows(here: Here, asked: TransactionFilter) -> Iterator[Sequence[Value]]:
    return export_rows(here.tenant, with_late(asked.rows), asked.till_names)


def _back_to_the_list(asked: TransactionFilter) -> HttpResponse:
    return redirect(f"{reverse('transactions-page')}?{asked.address()}")


def _asked(request: HttpRequest, here: Here) -> TransactionFilter:
    tills = list(ApiKey.objects.of(here.tenant).order_by("name", "pk"))
    today = today_of(here.tenant, timezone.now())
    return TransactionFilter(request.GET.dict(), tenant=here.tenant, tills=tills, today=today)


def _list_page(request: HttpRequest, here: Here, asked: TransactionFilter, *, with_sums: bool) -> HttpResponse:
    context: dict[str, Any] = {"asked": asked, "form": asked.form, "address": asked.address()}
    try:
        page = _page(request, asked)
    except TookTooLong:
        return render(request, "kasse/transactions.html", {**context, "took_too_long": True})
    context |= {
        "page": page,
        "rows": rows_of(here.tenant, page.sales, asked.till_names),
        "sums_follow": not with_sums,
        "most_rows": MOST_ROWS,
    }
    if with_sums and asked.is_valid():
        context |= _sums(here, asked)
    return render(request, "kasse/transactions.html", context)


def _page(request: HttpRequest, asked: TransactionFilter) -> Page:
    """The page that the address asks for.

    Raises:
        TookTooLong: it takes reading too many sales to find it.
        Http404: it names a place that no page has ever named.
    """
    try:
        after, before = (Place.read(text) if (text := request.GET.get(name)) else None for name in ("after", "before"))
    except ValueError:
        raise Http404 from None
    with at_most(PAGE_SECONDS) if asked.is_wide else nullcontext():
        return page_of(with_late(asked.rows), after=after, before=before)


def _sums(here: Here, asked: TransactionFilter) -> Mapping[str, Any]:
    try:
        with at_most(SUMS_SECONDS) if asked.is_wide else nullcontext():
            sums = sums_of(here.tenant, asked.of_any_method, method=asked.wanted_method, many=asked.is_wide)
    except TookTooLong:
        return {"sums_took_too_long": True}
    return {"sums": sums, "chips": _chips(here, asked, sums), "of_method": sums.paid_by(asked.wanted_method)}


def _chips(here: Here, asked: TransactionFilter, sums: Sums) -> list[Mapping[str, Any]]:
    """A chip for each method; pressed once it sets the filter, pressed again it takes it away."""
    payments = list(sums.payments)
    if asked.wanted_method in TENDERS and not sums.paid_by(asked.wanted_method):
        payments.append(Paid(PaymentMethod(asked.wanted_method), here.tenant.currency))
    return [
        {
            "paid": paid,
            "current": paid.method == asked.wanted_method,
            "address": asked.address(method="" if paid.method == asked.wanted_method else paid.method),
        }
        for paid in payments
    ]
