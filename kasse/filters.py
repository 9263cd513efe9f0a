"""What the list of sales may be asked for. All filters hold at once, and all of them stand in the address.

Days are business days. Who names no day at all gets today; a day left empty is no bound.

A payment method finds the sales of which at least one payment was made so: a mixed sale is found by each of its
methods, and by ``MIXED``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from apikeys.models import ApiKey
from kasse.closing_models import DailyClose
from kasse.late import came_late
from kasse.models import Payment, PaymentMethod, Source, Status, Transaction
from kasse.searching import matching, named, reads_texts
from tenants.models import Tenant

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
# A business day D holds no instant before D in the zone furthest ahead of UTC, and none from noon of D + 1 on in the
# one furthest behind it. The bounds are wide, never wrong: they lead an index by time to where the days are.
AHEAD, BEHIND = timedelta(hours=14), timedelta(days=2)
# Up to a week is summed up with the page; more days may hold a hundred thousand sales, and their sums come after it.
WIDE_DAYS = 7
MARKS = [("refund", _("Refund")), ("late", _("Late")), ("warned", _("With a remark"))]
DAY: Mapping[str, Any] = {
    "input_formats": ["%Y-%m-%d"],
    "widget": forms.DateInput(
        format="%Y-%m-%d", attrs={"type": "date", "min": FIRST_DAY.isoformat(), "max": LAST_DAY.isoformat()}
    ),
    "validators": [
        MinValueValidator(FIRST_DAY, _("Choose a day between 2000 and 2099.")),
        MaxValueValidator(LAST_DAY, _("Choose a day between 2000 and 2099.")),
    ],
    "error_messages": {"invalid": _("This is no day. Write it like 2026-04-29.")},
}


class FilterForm(forms.Form):
    """The filters as a form; what is wrong is said beside its field."""

    def clean(self) -> dict[str, Any]:
        """The end must not lie before the beginning."""
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("date_from"), cleaned.get("date_to")
        if first and last and last < first:
            self.add_error("date_to", ValidationError(_("The last day lies before the first."), code="reversed"))
        return cleaned


class TransactionFilter(FilterSet):  # type: ignore[misc]  # django-filter carries no types
    """The list of one campground; ``rows`` is what is asked for."""

    date_from = DateFilter(label=_("From"), method="since", **DAY)
    date_to = DateFilter(label=_("To"), method="until", **DAY)
    source = ChoiceFilter(label=_("Source"), choices=Source.choices, empty_label=_("All"))
    till = ChoiceFilter(label=_("Till"), field_name="api_key", empty_label=_("All"))
    method = ChoiceFilter(
        label=_("Payment method"), choices=PaymentMethod.choices, method="paid_with", empty_label=_("All")
    )
    status = ChoiceFilter(label=_("Status"), choices=Status.choices, empty_label=_("All"))
    mark = ChoiceFilter(label=_("Marked as"), choices=MARKS, method="marked", empty_label=_("All and none"))
    q = CharFilter(
        label=_("Search"),
        method="search",
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Reference, article or amount")}),
    )

    class Meta:
        model = Transaction
        fields: Sequence[str] = []
        form = FilterForm

    def __init__(self, data: Mapping[str, str], *, tenant: Tenant, tills: Sequence[ApiKey], today: date) -> None:
        """``data`` as it stands in the address, ``tills`` the campground's keys."""
        asked = {name: data[name] for name in self.base_filters if name in data}
        if "date_from" not in asked and "date_to" not in asked:
            asked |= {"date_from": today.isoformat(), "date_to": today.isoformat()}
        super().__init__(asked, queryset=Transaction.objects.of(tenant))
        self.tenant = tenant
        self.till_names = {key.pk: key.name for key in tills}
        self.filters["till"].extra["choices"] = [(str(key.pk), str(key)) for key in tills]

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for, each in its type; only of filters that are in order."""
        self.form.is_valid()
        return dict(self.form.cleaned_data)

    @property
    def of_any_method(self) -> QuerySet[Transaction]:
        """The sales asked for, were it not for the payment method."""
        rows: QuerySet[Transaction] = self.queryset
        for name, value in self.asked.items():
            if name != "method":
                rows = self.filters[name].filter(rows, value)
        return rows if self.is_valid() else rows.none()

    @property
    def rows(self) -> QuerySet[Transaction]:
        """The sales asked for; none while something asked for makes no sense."""
        rows = self.of_any_method
        return rows.filter(paid_by(self.wanted_method)) if self.wanted_method else rows

    @property
    def wanted_method(self) -> str:
        """The payment method that is asked for, or nothing."""
        return self.asked.get("method") or ""

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day, None for no bound."""
        return self.asked.get("date_from"), self.asked.get("date_to")

    @property
    def is_wide(self) -> bool:
        """Whether there may be very many sales: sums come after the page then."""
        first, last = self.days
        return first is None or last is None or last - first >= timedelta(days=WIDE_DAYS)

    @property
    def finds_whole_references_only(self) -> bool:
        """Whether the search leaves out texts and amounts, since the days are too many."""
        return bool(self.asked.get("q")) and not reads_texts(*self.days)

    def address(self, **changes: str) -> str:
        """The filters as the query of an address; a day that is no bound is named too, or it would become today."""
        asked = {**{name: self.data.get(name, "") for name in self.base_filters}, **changes}
        return urlencode({name: value for name, value in asked.items() if value or name.startswith("date_")})

    def since(self, rows: QuerySet[Transaction], name: str, day: date) -> QuerySet[Transaction]:
        """From a business day on."""
        return rows.filter(business_date__gte=day, occurred_at__gte=_midnight(day) - AHEAD)

    def until(self, rows: QuerySet[Transaction], name: str, day: date) -> QuerySet[Transaction]:
        """Up to a business day, the day itself too."""
        return rows.filter(business_date__lte=day, occurred_at__lt=_midnight(day) + BEHIND)

    def marked(self, rows: QuerySet[Transaction], name: str, mark: str) -> QuerySet[Transaction]:
        """Refunds, late sales, or those of which something was said."""
        if mark == "late":
            return self._late(rows)
        return rows.filter(Q(total_amount__lt=0) if mark == "refund" else ~Q(remarks=""))

    def _late(self, rows: QuerySet[Transaction]) -> QuerySet[Transaction]:
        """Late sales lie between the first and the last day that was closed; other days are not read for them."""
        first, last = DailyClose.objects.of(self.tenant).aggregate(Min("business_date"), Max("business_date")).values()
        if first is None:
            return rows.none()
        return self.until(self.since(rows, "", first), "", last).filter(came_late())

    def search(self, rows: QuerySet[Transaction], name: str, words: str) -> QuerySet[Transaction]:
        """What the words may mean; only whole references where the days are many."""
        return rows.filter(matching(words) if reads_texts(*self.days) else named(words))


def paid_by(method: str) -> Q:
    """Sales of which at least one payment was made so; only a mixed sale's payments need a look."""
    if method == PaymentMethod.MIXED:
        return Q(payment_method=PaymentMethod.MIXED)
    payments = Payment.objects.of(OuterRef("tenant")).filter(transaction=OuterRef("pk"), method=method)
    return Q(payment_method=method) | (Q(payment_method=PaymentMethod.MIXED) & Q(Exists(payments)))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)
