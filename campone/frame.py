"""What the frame round every page shows: where one is, where one can go, and in which appearance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.pages import asks_for_a_part
from tenants.views import APPEARANCES


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the menu; ``below`` is the path that its pages have in common."""

    label: str | Promise
    view: str
    below: str


MENU: tuple[tuple[str | Promise, tuple[Place, ...]], ...] = (
    (
        _("Cash desk"),
        (
            Place(_("Overview"), "home", "/"),
            Place(_("Transactions"), "transactions-page", "/kasse/transaktionen"),
            Place(_("Day totals"), "day-totals", "/kasse/tagestotale"),
            Place(_("Daily close"), "closes", "/kasse/abschluss"),
        ),
    ),
    (_("Books"), (Place(_("Journal"), "journals", "/buchhaltung/journal"),)),
    (
        _("Settings"),
        (
            Place(_("Integrations"), "integrations", "/einstellungen/integrationen"),
            Place(_("SAP"), "sap-settings", "/einstellungen/sap"),
        ),
    ),
)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: campground, menu with the current place marked, appearance."""
    here = getattr(request, "here", None)
    appearance = request.COOKIES.get("appearance")
    return {
        "here": here,
        "menu": [(title, [_entry(place, request.path) for place in places]) for title, places in MENU] if here else [],
        "appearance": appearance if appearance in APPEARANCES else "system",
        "is_partial": asks_for_a_part(request),
    }


def _entry(place: Place, path: str) -> dict[str, Any]:
    current = path == "/" if place.below == "/" else path == place.below or path.startswith(f"{place.below}/")
    return {"label": place.label, "url": reverse(place.view), "current": current}
