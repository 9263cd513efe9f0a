"""The status pill: one colour for the whole bridge, and why, in words.

* grey: switched off
* red: switched on, but no active key may send sales and no other door is open; or the last five calls failed on our
  side
* yellow: in the last 24 hours calls, or sales of a batch, were refused (4xx, but for 401) or failed, sales came without
  a VAT rate that anybody knows or after their day was closed; parked sales wait, however long; a till is silent, or its
  clock is off; a key ends within seven days; receipts are missing that nobody has explained
* green: otherwise
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from pos_bridge.doors import is_any_open
from pos_bridge.drift import Drift
from pos_bridge.health import LAST_CALLS, BridgeNow, TillNow, bridge_now, tills_now
from pos_bridge.key_ends import key_ends
from pos_bridge.missing import gaps_remembered
from tenants import swiss
from tenants.models import Tenant

Colour = Literal["green", "yellow", "red", "grey"]

FIGURES = (
    (
        "parked",
        "parked_sales",
        ngettext_lazy(
            "%(count)d parked sale waits for a decision.", "%(count)d parked sales wait for a decision.", "count"
        ),
        "parked-sales",
        "",
    ),
    (
        "failed",
        "failed_calls",
        ngettext_lazy(
            "%(count)d call failed on our side in the last 24 hours.",
            "%(count)d calls failed on our side in the last 24 hours.",
            "count",
        ),
        "inbound-log",
        "?status=5xx",
    ),
    (
        "refused",
        "refused_calls",
        ngettext_lazy(
            "%(count)d call was refused in the last 24 hours.",
            "%(count)d calls were refused in the last 24 hours.",
            "count",
        ),
        "inbound-log",
        "?status=4xx",
    ),
    (
        "partly",
        "refused_in_batches",
        ngettext_lazy(
            "%(count)d call of the last 24 hours brought several sales, of which not all were taken.",
            "%(count)d calls of the last 24 hours brought several sales, of which not all were taken.",
            "count",
        ),
        "inbound-log",
        "?status=partly",
    ),
    (
        "unknown_vat",
        "unknown_vat",
        ngettext_lazy(
            "%(count)d sale of the last 24 hours has a line whose VAT rate nobody knows.",
            "%(count)d sales of the last 24 hours have a line whose VAT rate nobody knows.",
            "count",
        ),
        "integrations",
        "",
    ),
    (
        "late",
        "late_sales",
        ngettext_lazy(
            "%(count)d sale came in the last 24 hours for a day that was closed already.",
            "%(count)d sales came in the last 24 hours for a day that was closed already.",
            "count",
        ),
        "transactions-page",
        "?mark=late&date_from=",
    ),
)
"""Each figure of ``Lately`` that makes the pill yellow: its name, the reason's code and sentence, where it leads."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the pill is not green: a code that stays, a sentence in the language of the page, where to look further."""

    code: str
    sentence: str
    link: str


@dataclass(frozen=True, slots=True)
class Pill:
    """The colour, and its reasons, the gravest first; green has none."""

    colour: Colour
    reasons: tuple[Reason, ...] = ()

    @property
    def word(self) -> str:
        """The colour for whoever does not see it."""
        return {
            "green": _("In order"),
            "yellow": _("Needs a look"),
            "red": _("Not working"),
            "grey": _("Switched off"),
        }[self.colour]


def pill_of(tenant: Tenant, *, at: datetime, bridge: BridgeNow | None = None) -> Pill:
    """The pill of a campground at a moment, in the language that is active; ``bridge`` as seen then, if at hand.

    Source: the rule for the pill of an inbound bridge, docs/explanation/when-the-pill-turns.md.
    """
    bridge = bridge or bridge_now(tenant, at=at)
    if not bridge.settings.enabled:
        return Pill("grey", (_reason("switched_off", _("The bridge is switched off: every till is refused.")),))
    grave = tuple(_grave(tenant, bridge, at))
    tills = tills_now(tenant, bridge.selling_keys(at=at), at=at)
    of_tills = (reason for till in tills for reason in _of_till(till))
    light = (*_light(bridge, at), *_missing(tenant, bridge, at), *of_tills)
    return Pill("red" if grave else "yellow" if light else "green", grave + light)


def _grave(tenant: Tenant, bridge: BridgeNow, at: datetime) -> Iterator[Reason]:
    # Behind another door every till has a key for a name: without any key there is none.
    if not bridge.selling_keys(at=at) and not (bridge.keys and is_any_open(tenant)):
        yield _reason("no_writing_key", _("No active key may send sales: tills cannot get in."), view="api-keys")
    if bridge.lately.failed_last == LAST_CALLS:
        yield _reason(
            "failing",
            _("The last %(count)d calls failed on our side.") % {"count": LAST_CALLS},
            view="inbound-log",
            query="?status=5xx",
        )


def _light(bridge: BridgeNow, at: datetime) -> Iterator[Reason]:
    for end in key_ends(bridge.keys, at=at):
        if end.is_urgent:
            yield _reason("key_ends", end.sentence, view="api-keys")
    for name, code, sentence, view, query in FIGURES:
        if count := getattr(bridge.lately, name):
            yield _reason(code, str(sentence % {"count": count}), view=view, query=query)


def _missing(tenant: Tenant, bridge: BridgeNow, at: datetime) -> Iterator[Reason]:
    if bridge.lately.numbered and (count := gaps_remembered(tenant, at=at).count):
        sentence = ngettext("%(count)d receipt is missing.", "%(count)d receipts are missing.", count)
        yield _reason("missing_receipts", sentence % {"count": count}, view="missing-receipts")


def _of_till(till: TillNow) -> Iterator[Reason]:
    """What is to be said of one till; each leads to its line on the page of the tills."""
    names = {"till": till.key.name}
    if till.is_silent and till.last_sale:
        names["moment"] = swiss.moment_text(till.last_sale.astimezone(till.key.tenant.zone_info))
        yield _of_line(till, "silent_till", _("%(till)s usually sells at this hour: no sale since %(moment)s.") % names)
    if till.drift is not None and (till.may_change_day or till.is_nearly_refused):
        sentence = f"{_how_far_off(till.key.name, till.drift)} {_what_comes_of_it(till)}"
        yield _of_line(till, "clock_drift" if till.may_change_day else "clock_ahead", sentence)


def _how_far_off(name: str, drift: Drift) -> str:
    if drift.is_ahead:
        text = ngettext(
            "The clock of %(till)s is %(count)d minute ahead.",
            "The clock of %(till)s is %(count)d minutes ahead.",
            drift.minutes,
        )
    else:
        text = ngettext(
            "The clock of %(till)s is %(count)d minute behind.",
            "The clock of %(till)s is %(count)d minutes behind.",
            drift.minutes,
        )
    return text % {"till": name, "count": drift.minutes}


def _what_comes_of_it(till: TillNow) -> str:
    if till.may_change_day:
        return _("Sales around the change of day may count for the wrong one.")
    return _("From 5 minutes on its sales are refused.")


def _of_line(till: TillNow, code: str, sentence: str) -> Reason:
    return Reason(code, sentence, f"{reverse('tills')}#till-{till.key.pk}")


def _reason(code: str, sentence: str, *, view: str = "integrations", query: str = "") -> Reason:
    return Reason(code, sentence, reverse(view) + query)
