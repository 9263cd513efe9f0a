"""The pages of the daily close: which days are closed, closing one, its Z-report, the week, the switch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage, Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kasse.business_day import today_of
from kasse.close_forms import CashDeskSettingsForm, CloseForm
from kasse.closing import (
    AlreadyClosed,
    DayToCome,
    EarlierDayOpen,
    FiguresMoved,
    FloatNotCounted,
    InOtherHands,
    NotClosed,
    Preview,
    ReasonMissing,
    close_day,
    preview,
)
from kasse.closing_models import CashDeskSettings, DailyClose
from kasse.day_figures import DayFigures, late_of_day, totals_of_day
from kasse.late import outside_closes
from kasse.periods import A_DAY, A_WEEK, YEARS
from kasse.totals import Counted, MixedCurrencies
from kasse.week import week_of
from kasse.zreport import figures_of, z_report
from tenants.models import Tenant
from tenants.pages import Here, admin_page, staff_page
from tenants.swiss import day_text, money_text
from tenants.trail_models import trace

CLOSES_ON_A_PAGE = 50
A_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class ListedDay:
    """A day in the list: closed, or not; ``outside`` are its sales in no close."""

    day: date
    close: DailyClose | None
    outside: Counted


@require_safe
@staff_page
def closes(request: HttpRequest, here: Here) -> HttpResponse:
    """The days, newest first: those that wait to be closed, and those that are."""
    today = today_of(here.tenant, timezone.now())
    pages = Paginator(DailyClose.objects.of(here.tenant).order_by("-z_number"), CLOSES_ON_A_PAGE)
    try:
        page = pages.page(request.GET.get("page") or 1)
    except InvalidPage:
        raise Http404 from None
    waiting, days = _days(here.tenant, list(page.object_list), today)
    return render(request, "kasse/closes.html", {"page": page, "today": today, "waiting": waiting, "days": days})


def _days(tenant: Tenant, listed: list[DailyClose], today: date) -> tuple[list[ListedDay], list[ListedDay]]:
    """The days after the last close, oldest first; the listed closes and the days between them that sales came for."""
    newer = DailyClose.objects.of(tenant).filter(z_number=listed[0].z_number + 1).first() if listed else None
    until = newer.business_date - A_DAY if newer else today
    outside = outside_closes(tenant, listed[-1].business_date if listed else today - A_MONTH, until)
    closed = {close.business_date: close for close in listed}
    last = until if newer else max(closed, default=date.min)
    days = {*closed, *outside, *([today] if today > last else [])}
    rows = [ListedDay(day, closed.get(day), outside.get(day, Counted())) for day in sorted(days)]
    return [row for row in rows if row.day > last], [row for row in reversed(rows) if row.day <= last]


@staff_page
def close_page(request: HttpRequest, here: Here, day: str) -> HttpResponse:
    """A day: its Z-report once it is closed, before that what it has come to, and for admins the count."""
    if request.method not in {"GET", "HEAD", "POST"}:
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"})
    wanted = day_or_404(day)
    if request.method == "POST":
        if not here.is_admin:
            raise PermissionDenied
        return _close(request, here, wanted)
    close = DailyClose.objects.of(here.tenant).filter(business_date=wanted).first()
    return _z_report(request, here, close) if close else _open_day(request, here, wanted)


@require_safe
@staff_page
def z_report_pdf(request: HttpRequest, here: Here, day: str) -> HttpResponse:
    """The Z-report on paper; the same file whenever it is asked for."""
    # What writes it brings 25 megabytes with it, which no till's call needs.
    from kasse.zreport_pdf import pdf_of

    close = get_object_or_404(DailyClose.objects.of(here.tenant), business_date=day_or_404(day))
    name = f"z-{close.z_number}-{close.business_date}.pdf"
    disposition = {"Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(pdf_of(z_report(close)), content_type="application/pdf", headers=disposition)


@require_safe
@staff_page
def week_close(request: HttpRequest, here: Here, week: str = "") -> HttpResponse:
    """Seven daily closes, rolled up."""
    day = monday_or_404(week) if week else today_of(here.tenant, timezone.now())
    monday = day - A_DAY * day.weekday()
    before, after = (f"{each:%G-W%V}" for each in (monday - A_WEEK, monday + A_WEEK))
    context: dict[str, Any] = {"monday": monday, "before": before, "after": after}
    try:
        found = week_of(here.tenant, day)
    except MixedCurrencies as mixed:
        context["obstacle"] = _obstacle(mixed)
    else:
        context |= {"week": found, "methods": [(each.label, paid) for each, paid in found.by_method.items()]}
    return render(request, "kasse/close_week.html", context)


@admin_page
def cash_desk_settings(request: HttpRequest, here: Here) -> HttpResponse:
    """Whether the cash of outside tills is counted with the drawer."""
    row = CashDeskSettings.objects.filter(tenant=here.tenant).first() or CashDeskSettings(tenant=here.tenant)
    form = CashDeskSettingsForm(request.POST if request.method == "POST" else None, instance=row)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            trace(here.tenant, "close.settings_changed", here.tenant, **form.cleaned_data)
        messages.success(request, _("Saved. It holds from the next close on."))
        return redirect("closes")
    return render(request, "kasse/close_settings.html", {"form": form})


def _z_report(request: HttpRequest, here: Here, close: DailyClose) -> HttpResponse:
    context: dict[str, Any] = {"close": close, "report": z_report(close)}
    try:
        late = late_of_day(here.tenant, close.business_date)
        context |= _late(DayFigures(close.day_totals, close, late))
    except MixedCurrencies as mixed:
        context["obstacle"] = _obstacle(mixed)
    return render(request, "kasse/zreport.html", context)


def _late(figures: DayFigures) -> dict[str, Any]:
    if figures.late is None:
        return {}
    count = (figures.late.sales + figures.late.refunds).count
    return {"late": figures.late, "late_count": count, "late_tables": figures_of(figures.late, figures.late_lines)}


def _open_day(request: HttpRequest, here: Here, day: date) -> HttpResponse:
    try:
        seen = preview(tenant=here.tenant, day=day, at=timezone.now())
    except (NotClosed, MixedCurrencies) as refusal:
        return _blocked(request, here, day, refusal)
    form = CloseForm(seen=seen) if here.is_admin else None
    return _show(request, seen, form)


def _show(
    request: HttpRequest,
    seen: Preview,
    form: CloseForm | None,
    *,
    counted: Decimal | None = None,
    variance: Decimal | None = None,
) -> HttpResponse:
    """The day before it is closed; with what was counted, once somebody has."""
    context = {
        "seen": seen,
        "taken": seen.drawer.expected - seen.drawer.opening_float,
        "tables": figures_of(seen.totals, seen.net_lines),
        "form": form,
        "counted": counted,
        "variance": variance,
    }
    return render(request, "kasse/close_day.html", context)


def _blocked(request: HttpRequest, here: Here, day: date, refusal: NotClosed | MixedCurrencies) -> HttpResponse:
    """A day whose turn it is not: why, and what it has come to all the same."""
    context: dict[str, Any] = {"day": day, "obstacle": _obstacle(refusal), "first": getattr(refusal, "day", None)}
    if not isinstance(refusal, MixedCurrencies):
        try:
            figures = totals_of_day(here.tenant, day)
        except MixedCurrencies as mixed:
            context["obstacle"] = _obstacle(mixed)
        else:
            context |= {"tables": figures_of(figures.totals, figures.net_lines), **_late(figures)}
    return render(request, "kasse/close_blocked.html", context)


def _close(request: HttpRequest, here: Here, day: date) -> HttpResponse:
    """Check the count, or close the day for ever."""
    at = timezone.now()
    checking = "check" in request.POST
    try:
        form = CloseForm(request.POST, seen=preview(tenant=here.tenant, day=day, at=at), checking=checking)
        if not form.is_valid():
            return _show(request, form.seen, form)
        if checking:
            seen = preview(tenant=here.tenant, day=day, at=at, first_float=form.first_float)
            return _show(request, seen, form, counted=form.counted.amount, variance=_variance(form, seen))
        return _closed(request, here, day, at, form)
    except AlreadyClosed:
        messages.info(request, _("This day has been closed already."))
        return redirect("close-day", day=day.isoformat())
    except (NotClosed, MixedCurrencies) as refusal:
        return _blocked(request, here, day, refusal)


def _variance(form: CloseForm, seen: Preview) -> Decimal:
    return form.counted.amount - seen.drawer.expected


def _closed(request: HttpRequest, here: Here, day: date, at: datetime, form: CloseForm) -> HttpResponse:
    """Close it; or show again what was typed in, and what is wrong with it."""
    try:
        close = close_day(
            tenant=here.tenant,
            day=day,
            by=here.user,
            counted=form.counted,
            at=at,
            float_left=form.cleaned_data["float_left"],
            variance_reason=form.cleaned_data["variance_reason"],
            first_float=form.first_float,
            expected_seen=form.expected_seen,
        )
    except (ReasonMissing, FloatNotCounted, FiguresMoved, InOtherHands) as refusal:
        field, text = _complaint(refusal)
        form.add_error(field, text)
        seen = preview(tenant=here.tenant, day=day, at=at, first_float=form.first_float)
        return _show(request, seen, form, counted=form.counted.amount, variance=_variance(form, seen))
    messages.success(request, _("The day is closed: Z-report no. %(number)s.") % {"number": close.z_number})
    return redirect("close-day", day=day.isoformat())


def _complaint(refusal: ReasonMissing | FloatNotCounted | FiguresMoved | InOtherHands) -> tuple[str | None, str]:
    """Beside which field, and in which words."""
    match refusal:
        case ReasonMissing():
            text = _("Counted differs from expected by %(amount)s. Say why, or count again.")
            return "variance_reason", text % {"amount": money_text(refusal.variance)}
        case FloatNotCounted():
            text = _("No more can stay in the drawer than the %(amount)s that were counted.")
            return "float_left", text % {"amount": money_text(refusal.counted)}
        case FiguresMoved():
            text = _("A sale in cash came in meanwhile: %(amount)s are expected now. Look at it again, then close.")
            return None, text % {"amount": money_text(refusal.expected)}
        case InOtherHands():
            return None, _("Somebody else is closing a day at this moment. Look at it again, then close.")


def _obstacle(refusal: NotClosed | MixedCurrencies) -> str:
    """Why this day cannot be closed."""
    match refusal:
        case DayToCome():
            return _("This day has not begun yet.")
        case AlreadyClosed():
            text = _("A later day is closed already: %(day)s. What still comes for this day is late.")
            return text % {"day": day_text(refusal.close.business_date)}
        case EarlierDayOpen():
            return _("%(day)s has sales and has to be closed first.") % {"day": day_text(refusal.day)}
        case _:
            return _("There are sales in more than one currency: %(currencies)s.") % {"currencies": refusal}


def day_or_404(text: str) -> date:
    """A day in an address, such as 2026-04-29."""
    return _within(lambda: date.fromisoformat(text))


def monday_or_404(text: str) -> date:
    """The first day of a week in an address, such as 2026-W18."""
    year, _week, week = text.partition("-W")
    return _within(lambda: date.fromisocalendar(int(year), int(week), 1))


def _within(read: Any) -> date:
    try:
        day: date = read()
    except ValueError:
        raise Http404 from None
    if day.year not in YEARS:
        raise Http404
    return day
