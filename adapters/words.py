"""What the codes of this room mean, in a sentence for staff: why an event is parked, what ails a connection."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from adapters.models import Standing

REASONS: Mapping[str, StrOrPromise] = {
    "no_identity": _("The till sent no number for this bill. Enter it by hand, then set it aside."),
    "other_business": _("It comes from another business than the one entered here. Check the business reference."),
    "foreign_currency": _("It counts in another currency than the campground."),
    "not_a_number": _("An amount is no number."),
    "too_large": _("An amount is larger than any sale can be."),
    "not_a_list": _("Something else stands where a list should be."),
    "not_a_rate": _("A VAT rate is below 0 or above 100 per cent."),
    "not_an_instant": _("The time of the sale is none."),
    "in_future": _("The till's clock is ahead. It is booked by itself once that time has come."),
    "too_many_lines": _("It has more than 500 lines."),
    "conflict": _("Another sale is booked under its number already; that one stays."),
    "forbidden_character": _("A text holds a character that cannot be stored."),
    "duplicate_key": _("A field stands in it twice."),
    "not_finite": _("An amount is no number."),
    "too_deep": _("It is nested too deep."),
    "not_json": _("It cannot be read."),
    "not_an_object": _("It cannot be read."),
    "refund_unclear": _("Something was given back, and the vendor does not say what. It is asked again by itself."),
    "details_missing": _("The vendor does not give the details of this payment. Look it up there."),
    "mapping_failed": _("We cannot read it yet. It is kept; please tell your support."),
}

REMARKS: Mapping[str, StrOrPromise] = {
    "does_not_reconcile": _("Its lines are not what was paid. The total is what was paid; the difference is a line."),
    "unknown_payment_method": _("Nobody has said what its way of paying means. It can be named at the connection."),
    "unknown_vat_rate": _("It has a VAT rate that is none of the campground's on that day."),
    "no_instant": _("The till gave no time; it is that of its arrival."),
    "negative_tip": _("The till sent a tip below 0 with a sale. It was left out."),
}
"""What was said of a sale when it was taken; the ledger's own pages show it."""

TROUBLES: Mapping[str, StrOrPromise] = {
    "unreachable": _("The vendor's service does not answer. It is asked again by itself."),
    "throttled": _("The vendor has asked us to wait. It is asked again by itself."),
    "not_understood": _("The vendor's service gave an answer we do not understand. It is asked again."),
    "secret_refused": _("The vendor refuses the key: it is wrong, has expired, or was taken back. Enter a new one."),
    "secret_lost": _("A key is missing, or can no longer be read since the server's secret changed. Enter it again."),
    "right_missing": _("The key lacks a right at the vendor. Make a new one with all rights that are named here."),
    "access_ended": _("The merchant has ended the access at the vendor. Enter a new key."),
    "subscription_failing": _("The vendor cannot deliver its messages here. What is missed is fetched meanwhile."),
}

OUTCOMES: Mapping[str, StrOrPromise] = {
    **{standing.value: standing.label for standing in Standing},
    "read": _("asked"),
    "tested": _("test message"),
    "hinted": _("hint"),
    "not_needed": _("hint, asked just now"),
    "pulled": _("fetched"),
    "unreachable": _("not reached"),
    "throttled": _("asked to wait"),
    "not_understood": _("not understood"),
    "secret_refused": _("key refused"),
    "secret_lost": _("key missing"),
    "right_missing": _("right missing"),
    "access_ended": _("access ended"),
    "subscription_failing": _("cannot deliver"),
    "invalid_key": _("wrong key"),
    "key_inactive": _("key revoked or expired"),
    "https_required": _("called without encryption"),
    "address_not_allowed": _("key may not be used from there"),
    "insufficient_scope": _("key may not send sales"),
    "pos_bridge_disabled": _("switched off"),
    "parse_error": _("not readable"),
    "payload_too_large": _("too large"),
    "method_not_allowed": _("not possible here"),
    "busy": _("too much at once"),
    "unavailable": _("database away"),
    "server_error": _("fault of ours"),
    "bad_request": _("malformed"),
}

BADGES: Mapping[str, str] = {
    Standing.RECORDED: "good",
    Standing.PARKED: "warn",
    Standing.RECEIVED: "warn",
    Standing.IGNORED: "calm",
    Standing.SET_ASIDE: "calm",
}


def reason_text(code: str) -> str:
    """The sentence for why an event is parked; the code itself where there is none."""
    return str(REASONS.get(code, code))


def trouble_text(code: str) -> str:
    """The sentence for what keeps a connection from working."""
    return str(TROUBLES.get(code, code))
