"""What the journal's pages show: a row for each journal, a colour for each state, the keys that want an account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Aggregate, Count, Max, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast

from catalogue.models import Product, VatRate
from journal.accounts import ANY, DEFAULTS, rate_word, vat_key, word_of
from journal.models import Journal, Revision, State
from journal.opening import unjournalled_sales
from journal.postings import sums_of
from journal.settings_models import AccountMapping, JournalSettings
from kasse.models import TENDERS
from tenants.models import Tenant

RECENT = 100
COLOURS = {
    State.POSTED: "green",
    State.BLOCKED: "yellow",
    State.UNKNOWN: "yellow",
    State.REVERSAL_UNKNOWN: "yellow",
    State.FAILED: "red",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A journal and its latest revision."""

    journal: Journal
    revision: Revision

    @property
    def pill(self) -> str:
        return pill_of(self.revision)

    @property
    def debit(self) -> Decimal:
        """What was posted on one side."""
        return sums_of(self.revision.postings)[0]


def pill_of(revision: Revision) -> str:
    """Green is in order, yellow wants a look, red does not work, grey is nothing to worry about."""
    colour = COLOURS.get(State(revision.state), "grey")
    return "yellow" if colour == "green" and revision.is_unmapped else colour


@dataclass(frozen=True, slots=True)
class Standing:
    """How the books stand: the journals that want somebody, and the latest day that is posted."""

    red: int
    yellow: int
    last_posted: date | None

    @property
    def colour(self) -> str:
        """The worst of them; grey where nothing was posted lately."""
        if self.red:
            return "red"
        if self.yellow:
            return "yellow"
        return "green" if self.last_posted else "grey"


def standing_columns(tenant: Tenant, *, since: date) -> dict[str, Subquery]:
    """What a ``Standing`` is made of, as columns for somebody's statement: whatever did not work, however old it is,
    and what was posted for ``since`` and later.
    """
    rows = Revision.objects.of(tenant).order_by()
    lately = rows.filter(state=State.POSTED, journal__business_date__gte=since)
    waiting = Q(state__in=[state for state, colour in COLOURS.items() if colour == "yellow"])
    unclear = Q(
        pk__in=lately.annotate(text=Cast("lines", TextField())).filter(text__contains='"unmapped": true').values("pk")
    )
    return {
        "red": _aggregate(rows.filter(state=State.FAILED), Count("pk")),
        "yellow": _aggregate(rows.filter(waiting | unclear), Count("pk")),
        "last_posted": _aggregate(lately, Max("journal__business_date")),
    }


def _aggregate(rows: QuerySet[Revision], figure: Aggregate) -> Subquery:
    return Subquery(rows.values("tenant").annotate(figure=figure).values("figure"))


def rows_of(journals: Iterable[Journal], tenant: Tenant) -> list[Row]:
    """The journals, each with its latest revision, in one more query."""
    journals = list(journals)
    revisions = Revision.objects.of(tenant).filter(journal__in=[each.pk for each in journals]).order_by("revision")
    latest = {revision.journal_id: revision for revision in revisions}
    return [Row(journal, latest[journal.pk]) for journal in journals]


def waiting_days(settings: JournalSettings) -> list[date]:
    """The days with sales that no journal has yet, the last ones first; they are gathered in the night."""
    sales = unjournalled_sales(settings.tenant).filter(business_date__gte=settings.first_date)
    return list(sales.values_list("business_date", flat=True).distinct().order_by("-business_date")[:RECENT])


def keys_to_map(tenant: Tenant) -> list[str]:
    """The keys that a campground may want an account for: the defaults', its own, and those its sales bring up."""
    own = AccountMapping.objects.of(tenant).values_list("key", flat=True)
    categories = Product.objects.of(tenant).exclude(category="").values_list("category", flat=True).distinct()
    rates = VatRate.objects.of(tenant).filter(valid_until=None).values_list("rate", flat=True)
    keys = {*DEFAULTS, *own, *_of_recent_lines(tenant), "revenue.*.unknown", "tender.external_pos.cash"}
    keys |= {f"revenue.{word_of(category)}.*" for category in categories}
    keys |= {f"tender.{method.lower()}" for method in TENDERS}
    keys |= {vat_key(rate) for rate in rates if rate} | {f"revenue.{ANY}.{rate_word(rate)}" for rate in rates}
    return sorted(keys, key=_place)


def _of_recent_lines(tenant: Tenant) -> set[str]:
    """Keys that went to the account for unclear amounts."""
    last = Revision.objects.of(tenant).order_by().values("tenant").annotate(last=Max("pk")).values("last")
    recent = Revision.objects.of(tenant).filter(pk__gt=Subquery(last) - RECENT)
    return {line["key"] for lines in recent.values_list("lines", flat=True) for line in lines if line["unmapped"]}


def _place(key: str) -> tuple[int, str]:
    kinds = ["tender", "revenue", "vat", "vouchers", "tips", "rounding", "unmapped"]
    return kinds.index(key.partition(".")[0]), key
