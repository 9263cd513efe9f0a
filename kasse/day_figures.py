"""What a business day came to, for pages: a closed day as it was closed, an open one as it is now."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from kasse.closing_models import DailyClose
from kasse.late import is_behind_us, late_sales
from kasse.net import NetLine, net_of
from kasse.totals import DayTotals, day_totals
from tenants.models import Tenant


class DayFigures(NamedTuple):
    """``totals`` of a closed day are those of its close, never counted again; ``late`` is what came since, or None.

    A day that was passed over has no close: its totals are nothing, and all its sales are late.
    """

    totals: DayTotals
    close: DailyClose | None
    late: DayTotals | None

    @property
    def net_lines(self) -> tuple[NetLine, ...]:
        """The lines of ``totals`` with VAT taken out, as it was closed or as it would be."""
        return self.close.net_lines if self.close else net_of(self.totals.lines)

    @property
    def late_lines(self) -> tuple[NetLine, ...]:
        """The late lines with VAT taken out, rounded by themselves."""
        return net_of(self.late.lines) if self.late else ()


def totals_of_day(tenant: Tenant, day: date) -> DayFigures:
    """What a business day came to.

    Raises:
        MixedCurrencies: the campground has changed its currency within the open day, or between its late sales.
    """
    if not is_behind_us(tenant, day):
        return DayFigures(day_totals(tenant, day), None, None)
    close = DailyClose.objects.of(tenant).filter(business_date=day).first()
    return DayFigures(
        totals=close.day_totals if close else DayTotals(business_date=day, currency=tenant.currency),
        close=close,
        late=late_of_day(tenant, day),
    )


def late_of_day(tenant: Tenant, day: date) -> DayTotals | None:
    """What came for a business day that was behind us by then; None if nothing did.

    Raises:
        MixedCurrencies: the campground has changed its currency between the late sales.
    """
    late = list(late_sales(tenant, day).values_list("pk", flat=True))
    return day_totals(tenant, day, only=late) if late else None
