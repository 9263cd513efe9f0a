"""Importing past sales: bring a file, say what its columns hold, try it, import it, read what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _t
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pos_bridge.importing.columns import Layout, NotEnough
from pos_bridge.importing.laying_out import below_line, changed, header_line
from pos_bridge.importing.models import ImportState, ReceiptFate, SalesImport
from pos_bridge.importing.preview import preview_of
from pos_bridge.importing.report import receipts_staged, report_file, report_row
from pos_bridge.importing.staging import (
    NotToBeStarted,
    as_json,
    layout_of,
    open_import,
    receipts_of,
    rows_of,
    stage,
)
from pos_bridge.importing.tables import FileRefused, Row
from pos_bridge.importing.words import FATES, FILES, LAYOUTS
from pos_bridge.importing.working import work_on
from pos_bridge.pages.import_forms import (
    ColumnTwice,
    SettingsForm,
    UploadForm,
    column_choices,
    column_rows,
    columns_in,
    payment_choices,
    payment_rows,
    payments_in,
)
from tenants.pages import Here, admin_page, asks_for_a_part
from tenants.trail_models import trace

LAST = 50
ON_A_PAGE = 100
SECONDS_AT_ONCE = 1.0
"""How long one call of the page works on an import."""


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def imports(request: HttpRequest, here: Here) -> HttpResponse:
    """What was imported of late, and the way in for the next file."""
    form = UploadForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = open_import(tenant=here.tenant, name=file.name, content=file.read(), by=here.user, at=timezone.now())
        except FileRefused as refused:
            form.add_error("file", str(FILES[refused.code]))
        else:
            return redirect("sales-import", pk=made.pk)
    rows = SalesImport.objects.of(here.tenant).select_related("api_key").order_by("-created_at", "-pk")[:LAST]
    return render(request, "pos_bridge/imports.html", {"form": form, "imports": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def sales_import(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """One import: its columns and a preview, then how far it is, then what became of each receipt."""
    found = _import(here, pk)
    if request.method == "POST":
        return _change(request, here, found)
    if found.state == ImportState.RUNNING:
        return render(request, "pos_bridge/import_running.html", {"import": found})
    if found.state == ImportState.DONE and not found.is_dry_run:
        return render(request, "pos_bridge/import_done.html", _report(request, found))
    return _preparing(request, here, found)


@require_POST
@admin_page
def import_work(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """Go on with an import for a moment; the page that is open asks again and again until it is done."""
    found = _import(here, pk)
    end = monotonic() + SECONDS_AT_ONCE
    work_on(found, until=lambda: monotonic() >= end, clock=timezone.now)
    if not asks_for_a_part(request):
        return redirect("sales-import", pk=pk)
    if found.state != ImportState.RUNNING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "pos_bridge/_import_progress.html", {"import": found})


@require_safe
@admin_page
def import_report(request: HttpRequest, here: Here, pk: int) -> HttpResponse:
    """What became of each receipt, as a file."""
    found = _import(here, pk)
    name = content_disposition_header(as_attachment=True, filename=f"import-{found.pk}.csv") or "attachment"
    headers = {"Content-Disposition": name}
    return HttpResponse(b"".join(report_file(found)), content_type="text/csv; charset=utf-8", headers=headers)


def _import(here: Here, pk: int) -> SalesImport:
    found = get_object_or_404(SalesImport.objects.of(here.tenant).select_related("api_key"), pk=pk)
    found.tenant = here.tenant
    return found


def _change(request: HttpRequest, here: Here, found: SalesImport) -> HttpResponse:
    """Keep what was said of the columns; then look at it again, try it, or import it."""
    if found.state == ImportState.RUNNING or not found.is_dry_run:
        return redirect("sales-import", pk=found.pk)
    form = SettingsForm(request.POST, tenant=here.tenant)
    try:
        if not form.is_valid():
            return _preparing(request, here, found, form=form)
        if _is_elsewhere(found, form.cleaned_data["header"]):
            messages.info(request, _t("The columns have been guessed anew. Look at them once more."))
            return redirect("sales-import", pk=found.pk)
        columns, payments = columns_in(request.POST, layout_of(found)), payments_in(request.POST)
        prefix = form.cleaned_data["beginning"]
        found.layout = as_json(changed(layout_of(found), columns=columns, payments=payments, prefix=prefix))
        found.api_key = form.cleaned_data["key"]
        found.save(update_fields=["layout", "api_key"])
        _start(request, here, found)
    except ColumnTwice:
        messages.error(request, _t("Two columns cannot hold the same. Choose again."))
    except NotEnough as lacking:
        messages.error(request, str(LAYOUTS[lacking.code]))
    except NotToBeStarted:
        messages.warning(request, _t("This import has been started meanwhile, or its file is forgotten."))
    return redirect("sales-import", pk=found.pk)


def _is_elsewhere(found: SalesImport, line: int | None) -> bool:
    """Whether the titles were said to stand on another row; then all is guessed anew, and kept."""
    rows, layout = rows_of(found), layout_of(found)
    if line is None or not rows or line == header_line(layout, rows):
        return False
    found.layout = as_json(below_line(layout, rows, line, currency=found.tenant.currency))
    found.save(update_fields=["layout"])
    return True


def _start(request: HttpRequest, here: Here, found: SalesImport) -> None:
    asked = request.POST.get("action")
    if asked not in {"try", "import"}:
        return
    stage(found, dry_run=asked == "try", at=timezone.now())
    if asked == "import":
        trace(here.tenant, "import.started", found)


def _preparing(request: HttpRequest, here: Here, found: SalesImport, form: SettingsForm | None = None) -> HttpResponse:
    """The columns, the preview, and what a try has said."""
    rows, layout = rows_of(found), layout_of(found)
    context: dict[str, Any] = {
        "import": found,
        "is_forgotten": not rows,
        "form": form or SettingsForm(None, tenant=here.tenant, **_settings_of(found, rows, layout)),
        "columns": column_rows(rows, layout) if rows else [],
        "payments": payment_rows(rows, layout) if rows else [],
        "column_choices": column_choices(),
        "payment_choices": payment_choices(),
    }
    try:
        context["preview"] = preview_of(found, receipts_of(found, rows, layout), layout) if rows else None
    except NotEnough as lacking:
        context["lacking"] = LAYOUTS[lacking.code]
    if found.state == ImportState.DONE:
        context |= _report(request, found)
    return render(request, "pos_bridge/import.html", context)


def _settings_of(found: SalesImport, rows: Sequence[Row], layout: Layout) -> dict[str, Any]:
    """As the form shows them at first."""
    header = header_line(layout, rows) if rows else None
    return {"header": header, "key": found.api_key_id, "beginning": layout.prefix}


def _report(request: HttpRequest, found: SalesImport) -> dict[str, Any]:
    """What became of the receipts, those that somebody has to look at first; all of one kind, if one is asked for."""
    asked = request.GET.get("fate", "")
    known = asked if asked in set(ReceiptFate.values) - {""} else ""
    rows = receipts_staged(found)
    chosen = rows.filter(fate=known) if known else rows.filter(fate__in=[ReceiptFate.CONFLICT, ReceiptFate.INVALID])
    page = Paginator(chosen, ON_A_PAGE).get_page(request.GET.get("page"))
    return {
        "import": found,
        "page": page,
        "rows": [report_row(each, found) for each in page],
        "fate": known,
        "counts": [(fate, *FATES[fate], getattr(found, fate)) for fate in ReceiptFate.values if fate],
    }
