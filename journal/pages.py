"""The pages of the journal: what was posted, what waits, and the deeds of those who answer for it."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from journal.drafting import draft
from journal.exports import as_csv, as_xlsx, reversed_lines
from journal.forms import ConfirmForm, SettleForm
from journal.hands import Hands
from journal.labels import label_of
from journal.models import UNSENT, Journal, Revision, State
from journal.opening import last_finished_day, open_journal
from journal.opening_doors import open_door
from journal.overview import pill_of, rows_of, waiting_days
from journal.posting import post
from journal.postings import Posting, Unbalanced, post_takings, sums_of
from journal.reversing import reverse
from journal.settings_models import Flavor, JournalSettings, chart_of
from journal.settling import NotNow, begin_again, settle_posting, settle_reversal
from journal.takings import takings_of
from kasse.totals import MixedCurrencies, day_totals
from tenants.pages import Here, admin_page, staff_page
from tenants.trail_models import trace

PAGE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_safe
@staff_page
def journals(request: HttpRequest, here: Here) -> HttpResponse:
    """All journals, the latest day first, and the days that wait for the night."""
    settings = JournalSettings.objects.filter(tenant=here.tenant).select_related("tenant").first()
    listed = Journal.objects.of(here.tenant).order_by("-business_date", "-supplement")
    page = Paginator(listed, PAGE).get_page(request.GET.get("seite"))
    context = {
        "settings": settings,
        "page": page,
        "rows": rows_of(page.object_list, here.tenant),
        "waiting": waiting_days(settings) if settings else [],
    }
    return render(request, "journal/journals.html", context)


@require_safe
@staff_page
def journal(request: HttpRequest, here: Here, day: str, supplement: str) -> HttpResponse:
    """One journal with all its revisions; of a day that has none yet, what it would be."""
    found = _journal(here, day, supplement)
    if found is None:
        return _preview(request, here, _day(day))
    return render(request, "journal/journal.html", _context(here, found))


@require_POST
@admin_page
def post_now(request: HttpRequest, here: Here, day: str, supplement: str) -> HttpResponse:
    """Post it now instead of in the night; gather it first if that has not been done."""
    settings = _settings(here)
    found = _journal(here, day, supplement)
    try:
        if found is None:
            found = _gather_now(settings, _day(day))
        revision = _latest(found)
        trace(here.tenant, "journal.posted", revision)
        with open_door(settings, clock=timezone.now) as door:
            after = post(revision, Hands(settings, door, timezone.now, by=here.user))
        _say_how_it_went(request, after)
    except MixedCurrencies as error:
        messages.error(request, str(error))
    except NotNow:
        messages.error(request, _("This day has not ended yet."))
    return redirect("journal", day=day, supplement=supplement)


@require_POST
@admin_page
def reverse_now(request: HttpRequest, here: Here, day: str, supplement: str) -> HttpResponse:
    """Reverse what was posted, once the person has said that they mean it."""
    settings, found = _settings(here), _existing(here, day, supplement)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return render(request, "journal/journal.html", {**_context(here, found), "confirm": form}, status=422)
    trace(here.tenant, "journal.reversed", _latest(found))
    with open_door(settings, clock=timezone.now) as door:
        after = reverse(_latest(found), Hands(settings, door, timezone.now, by=here.user))
    _say_how_it_went(request, after)
    return redirect("journal", day=day, supplement=supplement)


@require_POST
@admin_page
def again(request: HttpRequest, here: Here, day: str, supplement: str) -> HttpResponse:
    """Begin the next revision of a journal that was reversed."""
    try:
        begin_again(_existing(here, day, supplement), _settings(here), at=timezone.now())
        messages.success(request, _("A new revision is ready to be posted."))
    except NotNow:
        messages.error(request, _("This journal is not reversed."))
    return redirect("journal", day=day, supplement=supplement)


@require_POST
@admin_page
def settle(request: HttpRequest, here: Here, day: str, supplement: str) -> HttpResponse:
    """Take a person's word for what SAP has under our reference."""
    settings, found = _settings(here), _existing(here, day, supplement)
    form, revision = SettleForm(request.POST), _latest(found)
    if not form.is_valid():
        return render(request, "journal/journal.html", {**_context(here, found), "settle": form}, status=422)
    number, company = form.number_found, settings.company
    try:
        if revision.state == State.REVERSAL_UNKNOWN:
            settle_reversal(revision, number=number, clock=timezone.now, by=here.user)
        else:
            settle_posting(revision, number=number, company=company, clock=timezone.now, by=here.user)
        messages.success(request, _("Noted."))
    except NotNow:
        messages.error(request, _("Nobody's answer is missing here any more."))
    return redirect("journal", day=day, supplement=supplement)


@require_GET
@staff_page
def download(request: HttpRequest, here: Here, day: str, supplement: str, file: str) -> HttpResponse:
    """A revision as a file: ``1.csv``, ``1.xlsx``, or what undoes it, ``1-storno.csv``."""
    found = _existing(here, day, supplement)
    named = re.fullmatch(r"([0-9]{1,4})(-storno)?\.(csv|xlsx)", file)
    if not named:
        raise Http404
    revision = get_object_or_404(Revision.objects.of(here.tenant), journal=found, revision=int(named[1]))
    lines, reference = revision.postings, revision.reference
    if not lines or revision.state in UNSENT or (named[2] and revision.state != State.REVERSED):
        raise Http404
    if named[2]:
        lines, reference = reversed_lines(lines), f"{reference}-S"
    write, kind = (as_csv, "text/csv; charset=utf-8") if named[3] == "csv" else (as_xlsx, XLSX)
    answer = HttpResponse(write(found, reference, lines), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="journal-{reference}.{named[3]}"'
    return answer


def _context(here: Here, found: Journal) -> dict[str, Any]:
    """What the page of a journal shows; forms are for those who may fill them in."""
    may_act = here.is_admin and JournalSettings.objects.filter(tenant=here.tenant).exists()
    revisions = list(found.revisions.order_by("-revision").prefetch_related("attempts__by"))
    latest = revisions[0]
    latest.journal = found
    lines, trouble = _lines(latest, found)
    debit, credit = sums_of(lines)
    return {
        "journal": found,
        "revisions": revisions,
        "latest": latest,
        "pill": pill_of(latest),
        "lines": lines,
        "trouble": trouble,
        "debit": debit,
        "credit": credit,
        "may_post": may_act and latest.state in {*UNSENT, State.UNKNOWN, State.SENDING},
        "may_reverse": may_act and latest.state in {State.POSTED, State.REVERSAL_UNKNOWN},
        "may_begin_again": may_act and latest.state == State.REVERSED,
        "may_settle": may_act and latest.state in {State.UNKNOWN, State.REVERSAL_UNKNOWN},
        "is_files": latest.flavor == Flavor.FILES,
        "has_file": bool(latest.lines) and latest.state not in UNSENT,
        "confirm": ConfirmForm(),
        "settle": SettleForm(),
    }


def _lines(revision: Revision, found: Journal) -> tuple[tuple[Posting, ...], str]:
    """The lines as they were sent, or as they would be now; and what keeps them from being sent."""
    if revision.state not in UNSENT:
        return revision.postings, ""
    try:
        return draft(found, chart_of(found.tenant)), ""
    except Unbalanced as error:
        return (), str(error)


def _preview(request: HttpRequest, here: Here, day: date) -> HttpResponse:
    """What a day's journal would be as it stands, with the accounts as they are."""
    try:
        totals = day_totals(here.tenant, day)
        lines = post_takings(takings_of(totals, earlier={}), chart_of(here.tenant), text_of=label_of)
        trouble = ""
    except (MixedCurrencies, Unbalanced) as error:
        totals, lines, trouble = None, (), str(error)
    debit, credit = sums_of(lines)
    settings = JournalSettings.objects.filter(tenant=here.tenant).select_related("tenant").first()
    context = {
        "day": day,
        "currency": totals.currency if totals else here.tenant.currency,
        "lines": lines,
        "trouble": trouble,
        "debit": debit,
        "credit": credit,
        "may_post": here.is_admin and settings and _has_ended(settings, day),
    }
    return render(request, "journal/preview.html", context)


def _has_ended(settings: JournalSettings, day: date) -> bool:
    """Whether the night's run would take it by now."""
    return settings.first_date <= day <= last_finished_day(settings, now=timezone.now())


def _gather_now(settings: JournalSettings, day: date) -> Journal:
    if not _has_ended(settings, day):
        raise NotNow
    opened = open_journal(settings, day, at=timezone.now(), even_empty=True)
    return opened or Journal.objects.of(settings.tenant).get(business_date=day, supplement=0)


def _say_how_it_went(request: HttpRequest, after: Revision) -> None:
    """The state a deed has led to, in a sentence."""
    said = f"{after.get_state_display()}. {after.sentence}".strip()
    is_good = after.state in {State.POSTED, State.REVERSED, State.NOTHING} and not after.sentence
    (messages.success if is_good else messages.warning)(request, said)


def _settings(here: Here) -> JournalSettings:
    return get_object_or_404(JournalSettings.objects.select_related("tenant"), tenant=here.tenant)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Http404 from None


def _journal(here: Here, day: str, supplement: str) -> Journal | None:
    """The journal; None for a day that has no main one yet."""
    rows = Journal.objects.of(here.tenant).select_related("tenant")
    found = rows.filter(business_date=_day(day), supplement=int(supplement)).first()
    if found is None and int(supplement):
        raise Http404
    return found


def _existing(here: Here, day: str, supplement: str) -> Journal:
    found = _journal(here, day, supplement)
    if found is None:
        raise Http404
    return found


def _latest(found: Journal) -> Revision:
    return Revision.objects.of(found.tenant).select_related("tenant").filter(journal=found).order_by("-revision")[0]
