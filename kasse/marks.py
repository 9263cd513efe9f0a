"""What makes a sale worth a second look, and what was said of it when it was taken."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kasse.models import Status, Transaction

REMARKS = {
    "rounding_booked": _("The till sent no rounding; the difference to its lines was booked as cash rounding."),
    "large_rounding": _("The rounding is larger than rounding to coins explains. It was booked as the till sent it."),
    "unknown_field": _("The till sent fields that are not known here. They were ignored."),
    "booked_from_parking": _("Its reference belonged to another sale. Staff booked it as a sale of its own."),
    "differs_from_stored": _("The till sent this sale again with other texts. What came first was kept."),
    "imported": _("It was imported out of a file."),
}
OUT_OF_A_FILE = "imported"


@dataclass(frozen=True, slots=True)
class Mark:
    """A badge beside a sale; ``kind`` is how it looks."""

    code: str
    label: str | Promise
    kind: str


def marks_of(sale: Transaction) -> list[Mark]:
    """The marks of a sale that was read ``with_late``."""
    found = []
    if sale.is_refund:
        found.append(Mark("refund", _("Refund"), "calm"))
    if getattr(sale, "late", False):
        found.append(Mark("late", _("Late"), "warn"))
    if sale.remarks and sale.remarks != OUT_OF_A_FILE:
        found.append(Mark("warned", _("Remark"), "warn"))
    if sale.status != Status.COMPLETED:
        found.append(Mark("status", Status(sale.status).label, "bad"))
    return found


def remarks_of(sale: Transaction) -> list[str | Promise]:
    """What was said when it was taken, as sentences; a code that nobody knows speaks for itself."""
    return [REMARKS.get(code, code) for code in sale.remarks.split()]
