"""From a journal to its postings, with the campground's accounts as they are now."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.utils import translation
from django.utils.translation import gettext as _

from journal.accounts import Chart
from journal.doors import Entry
from journal.labels import label_of
from journal.models import Journal, Revision
from journal.postings import Posting, post_takings
from journal.takings import takings_of
from tenants.swiss import day_text


def draft(journal: Journal, chart: Chart) -> tuple[Posting, ...]:
    """The postings of a journal, in the books' language.

    Raises:
        journal.postings.Unbalanced: the ledger's parts do not add up.
    """
    takings = takings_of(journal.day_totals, earlier=journal.earlier_gross)
    with translation.override(django_settings.LANGUAGE_CODE):
        return post_takings(takings, chart, text_of=label_of)


def entry_of(revision: Revision) -> Entry:
    """What SAP is told, or asked about."""
    journal = revision.journal
    with translation.override(django_settings.LANGUAGE_CODE):
        title = _("Cash desk %s") % day_text(journal.business_date)
    number = f"/{journal.supplement}" if journal.supplement else ""
    return Entry(
        reference=revision.reference,
        business_date=journal.business_date,
        currency=journal.currency,
        title=f"{title}{number} {journal.tenant.name}",
        lines=revision.postings,
    )
