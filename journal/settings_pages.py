"""How a campground's books are kept: SAP, the accounts, and a test that posts nothing."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from journal.accounts import Account
from journal.forms import MappingForm, SettingsForm
from journal.models import Revision, State
from journal.opening_doors import open_door
from journal.overview import keys_to_map
from journal.settings_models import AccountMapping, JournalSettings, chart_of
from kasse.business_day import business_date
from tenants.models import Tenant
from tenants.pages import Here, admin_page, staff_page
from tenants.trail_models import trace


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def sap_settings(request: HttpRequest, here: Here) -> HttpResponse:
    """The settings: staff see them, admins change them; the password is seen by nobody."""
    stored = JournalSettings.objects.filter(tenant=here.tenant).first()
    form = SettingsForm(_posted(request, here), instance=stored or _fresh(here.tenant))
    if form.is_bound and form.is_valid():
        with transaction.atomic():
            form.save()
            trace(here.tenant, "journal.settings_changed", here.tenant, fields=sorted(form.changed_data))
        messages.success(request, _("Saved."))
        return redirect("sap-settings")
    if not here.is_admin:
        for field in form.fields.values():
            field.disabled = True
    status = 422 if form.is_bound else 200
    return render(request, "journal/settings.html", {"form": form, "stored": stored}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_page
def accounts(request: HttpRequest, here: Here) -> HttpResponse:
    """Which account each amount goes to; what is left empty has its default."""
    form = MappingForm(keys_to_map(here.tenant), chart_of(here.tenant).own, _posted(request, here))
    if form.is_bound and form.is_valid():
        keep_mapping(here.tenant, form.mapping())
        messages.success(request, _("Saved. Journals that wait for an account are tried again."))
        return redirect("sap-accounts")
    if not here.is_admin:
        for field in form.fields.values():
            field.disabled = True
    return render(request, "journal/accounts.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
@admin_page
def test_connection(request: HttpRequest, here: Here) -> HttpResponse:
    """Try the way to SAP; nothing is posted."""
    settings = get_object_or_404(JournalSettings.objects.select_related("tenant"), tenant=here.tenant)
    with open_door(settings, clock=timezone.now) as door:
        tested = door.test()
    JournalSettings.objects.filter(pk=settings.pk).update(
        tested_at=timezone.now(), test_passed=tested.passed, test_sentence=tested.sentence
    )
    (messages.success if tested.passed else messages.error)(request, tested.sentence)
    return redirect("sap-settings")


def keep_mapping(tenant: Tenant, mapping: dict[str, Account]) -> None:
    """Make these a campground's own accounts; journals that wait for one are due at once."""
    with transaction.atomic():
        AccountMapping.objects.of(tenant).delete()
        AccountMapping.objects.bulk_create(
            [
                AccountMapping(tenant=tenant, key=key, account=account.number, tax_code=account.tax_code)
                for key, account in mapping.items()
            ]
        )
        waiting = Revision.objects.of(tenant).filter(state__in=[State.BLOCKED, State.FAILED])
        waiting.update(next_try_at=None)
        accounts = {key: f"{account.number} {account.tax_code}".strip() for key, account in mapping.items()}
        trace(tenant, "journal.accounts_changed", tenant, **accounts)


def _posted(request: HttpRequest, here: Here) -> QueryDict | None:
    """What was sent, if whoever sent it may change things."""
    if request.method != "POST":
        return None
    if not here.is_admin:
        raise PermissionDenied
    return request.POST


def _fresh(tenant: Tenant) -> JournalSettings:
    """Settings to begin with: from today on, in files, switched off."""
    today = business_date(timezone.now(), zone=tenant.zone_info, cutoff_hour=tenant.cutoff_hour)
    return JournalSettings(tenant=tenant, first_date=today, company_currency=tenant.currency)
