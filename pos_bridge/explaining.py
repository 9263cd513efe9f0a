"""What a logged call means, for people who have never seen an API: what the till did, what came of it, what to do.

``SENTENCES`` holds every code that may stand in the log: the published ones (``kinds.KINDS``), and what exactly a
body that could not be read suffered from (``strict_json``, ``intake``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from pos_bridge.activity import BASE_PATH
from pos_bridge.cashier import FIELDS, LANGUAGES, PROBLEMS
from pos_bridge.models import ANSWER_LOST, InboundCall, Outcome

Text: TypeAlias = str | Promise

LINE = re.compile(r"\[(\d+)\]")

OUTCOMES: dict[str, tuple[Text, str]] = {
    Outcome.CREATED: (_("Booked"), "good"),
    Outcome.REPLAYED: (_("Known already"), "calm"),
    Outcome.CONFLICT: (_("Parked"), "warn"),
    Outcome.READ: (_("Read"), ""),
    Outcome.REFUSED: (_("Refused"), "warn"),
    Outcome.THROTTLED: (_("Too many"), "warn"),
    Outcome.FAILED: (_("Failed"), "bad"),
}
"""What became of a call: a word, and the badge it wears."""

MEND: Text = _(
    "Nothing was booked. Whoever looks after the till mends this; then it sends the sale again, with the same number."
)
PROGRAMMER: Text = _("Nothing was booked. This is for whoever programs the till: show them this page.")
OURS: Text = _(
    "The till sends the sale again by itself, and it is booked once. If this goes on for an hour, tell the operator,"
    " with the call's number."
)

SENTENCES: dict[str, tuple[Text, Text]] = {
    "validation_error": (_("Something in the sale is missing, or is not as it must be."), MEND),
    "total_mismatch": (
        _("The lines of the sale do not add up to its total."),
        _("Nothing was booked. Look at the receipt at the till: a discount or a rounding was probably left out."),
    ),
    "payments_mismatch": (
        _("The payments of the sale do not add up to its total."),
        _("Nothing was booked. The till must send what was paid after change was given back."),
    ),
    "tip_mismatch": (_("The tips of the payments do not add up to the tip of the sale."), MEND),
    "occurred_at_in_future": (
        _("By the till's clock, the sale has not happened yet."),
        _("Set date, time and time zone of the till. Then send the sale again."),
    ),
    "currency_mismatch": (
        _("The till counts in another currency than the campground."),
        _("Set the till to the campground's currency. Then send the sale again."),
    ),
    "unknown_parameter": (_("The till asked for a list in a way that we do not know."), PROGRAMMER),
    "too_many": (_("The till sent more at once than fits into one call."), PROGRAMMER),
    "parse_error": (_("What the till sent could not be read."), PROGRAMMER),
    "not_an_object": (_("What the till sent is not one sale."), PROGRAMMER),
    "not_json": (
        _("What the till sent is not JSON: probably cut off on its way, or put together wrongly."),
        PROGRAMMER,
    ),
    "not_utf8": (_("Letters with accents or umlauts were sent in another encoding than UTF-8."), PROGRAMMER),
    "not_finite": (_("An amount was sent that is no number."), PROGRAMMER),
    "too_deep": (_("What the till sent is nested too deeply to be a sale."), PROGRAMMER),
    "duplicate_key": (_("A field stands twice in what the till sent, so nobody knows which one holds."), PROGRAMMER),
    "forbidden_character": (_("A text of the sale holds a character that cannot be shown."), PROGRAMMER),
    "bad_request": (
        _("The call is malformed."),
        _("Compare the API URL in the till with the one on the page Integrations, letter by letter."),
    ),
    "invalid_key": (
        _("The token that the till sent is no key of ours."),
        _("Paste the token into the till again, whole and without blanks. If it is lost, revoke the key and make one."),
    ),
    "key_inactive": (
        _("The key of this till is revoked, or has expired."),
        _("If the till should go on selling, create a new key for it and paste its token into the till."),
    ),
    "insufficient_scope": (
        _("The key of this till does not hold the scope for this."),
        _("Sending sales needs pos:write, reading needs pos:read. Create a new key that holds it; revoke this one."),
    ),
    "https_required": (
        _("The till called without encryption, so everyone on the way could read its token."),
        _("Let the API URL in the till begin with https, and replace the key: somebody may have its token."),
    ),
    "address_not_allowed": (
        _("The key of this till may not be used from where the till called."),
        _(
            "Look at the networks of the key. If the till has moved, or has another connection to the internet, add "
            "the address of this call. If it is not your till, replace the key: somebody has its token."
        ),
    ),
    "pos_bridge_disabled": (
        _("The bridge was switched off, so nothing is taken from any till."),
        _("Switch it on on the page Integrations. Tills that keep their sales send them then."),
    ),
    "not_found": (
        _("There is nothing under what the till asked for."),
        _("If it asked for a sale: that has not arrived; let the till send it. Else compare the API URL in the till."),
    ),
    "method_not_allowed": (_("The till asked for something that cannot be done at this address."), PROGRAMMER),
    "not_acceptable": (_("The till asks for answers in another format than JSON."), PROGRAMMER),
    "external_ref_conflict": (
        _("The reference of this sale belongs to another sale already."),
        _("The sale is parked: decide there what becomes of it. If the till began its numbering anew, have it mended."),
    ),
    "payload_too_large": (_("The till sent more at once than we take."), PROGRAMMER),
    "unsupported_media_type": (_("The till did not send its sale as JSON."), PROGRAMMER),
    "throttled": (
        _("The till has used up its calls for this hour."),
        _("Nothing is lost if the till waits and sends again. If this comes back, give it a key with more calls."),
    ),
    "server_error": (_("Something went wrong on our side."), OURS),
    "busy": (_("Too much was going on at once on our side."), OURS),
    "unavailable": (_("Our database could not be reached."), OURS),
}
"""What has happened, and what to do."""

NONE_TAKEN: tuple[Text, Text] = (
    _("The till sent several sales at once, and none of them could be taken."),
    _("Nothing was booked. The till was told of each sale why: whoever looks after the till finds it there."),
)
"""The same of a batch, whose sales have codes of their own: the call itself was answered 200, and has none."""

LOST_ON_PURPOSE: tuple[Text, Text] = (
    _("Done, and the answer was lost on purpose: the till has not heard of it."),
    _("Now the till must send the same again. It is then known already, and nothing is booked twice."),
)
"""Of a call with a test key."""

FIELD_RULES: dict[str, Text] = {
    "external_ref": _(
        "The till's own number for the sale: 1 to 255 characters, no blanks at its ends, never used twice."
    ),
    "payment_method": _(
        "One of CASH, CARD, TWINT, WORLDLINE, BANK, VOUCHER, ON_TAB, STRIPE, OTHER; or MIXED with payments."
    ),
    "total_amount": _("What the guest paid, with two places, such as 12.50. Negative for a refund."),
    "items": _("The lines of the sale: at least 1, at most 500."),
    "description": _("What was sold: 1 to 255 characters."),
    "quantity": _("How many: a number with at most three places, not 0. Negative for what was given back."),
    "unit_price": _("The price of one, VAT included, with at most four places."),
    "line_total": _("What the line came to, VAT included, with two places."),
    "occurred_at": _(
        "When it was sold: date, time and offset, such as 2026-04-29T10:14:32+02:00, and not before 2000."
    ),
    "sent_at": _("The till's clock when it sent this: date, time and offset."),
    "sku": _("The article number: at most 64 characters."),
    "vat_rate": _("The VAT rate in percent: one that the campground had on that day."),
    "category": _("The category: at most 80 characters."),
    "kind": _("SALE, DISCOUNT, SERVICE_CHARGE or VOUCHER_SALE."),
    "currency": _("The campground's currency, or nothing."),
    "rounding_amount": _("The rounding of the total to 5 Rappen, with two places."),
    "tip_amount": _("The tip beside the total: with two places, never negative."),
    "payments": _("How it was paid, if in several ways: method and amount of each. Their sum is the total."),
    "method": _("How this part was paid: CASH, CARD, TWINT and so on, not MIXED."),
    "amount": _("What was paid in this way, with two places."),
    "refund_of": _("The till's number of the original sale: at most 255 characters."),
    "till_id": _("Which of several devices sold it: at most 64 characters, no blanks at its ends."),
    "receipt_seq": _("The till's own running receipt number: a whole number from 1 on."),
    "metadata": _("Further facts as the till likes: at most 20 of them, and 2 KiB."),
    "business_date": _("A day, such as 2026-04-29."),
    "occurred_from": _("A moment: date, time and offset."),
    "occurred_to": _("A moment: date, time and offset."),
    "received_since": _("A moment: date, time and offset."),
    "updated_since": _("A moment: date, time and offset."),
    "include_inactive": _("true or false."),
    "mine": _("true or false."),
    "since": _("A moment: date, time and offset."),
    "page": _("A page number, from 1 on."),
    "page_size": _("How many on a page, from 1 on."),
}
"""What a field must be."""

DEEDS: tuple[tuple[str, str, Text], ...] = (
    ("POST", r"/transactions/?", _("The till sent a sale.")),
    ("GET", r"/transactions/?", _("The till asked for a list of sales.")),
    ("GET", r"/transactions/(?!summary/?\Z).+", _("The till read a sale back.")),
    ("GET", r"/products/?", _("The till fetched the catalogue.")),
    ("GET", r"/ping/?", _("The till tested the connection.")),
    ("POST", r"/transactions/batch/?", _("The till sent several sales at once.")),
    ("GET", r"/transactions/summary/?", _("The till asked what a day has come to.")),
    ("POST", r"/transactions(/|/batch/?)?\?dry_run=1", _("The till tried out what would become of its sales.")),
    ("POST", r"/reconciliations/?", _("The till compared its day with ours.")),
    ("GET", r"/gaps/?", _("The till asked which of its receipts are missing.")),
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a call was refused: ``happened`` and ``todo`` in words; ``label`` and ``rule`` of the field at fault.

    ``shown`` is what the cashier has read, if the till shows it.
    """

    happened: Text
    todo: Text
    field: str = ""
    label: str = ""
    rule: Text = ""
    shown: str = ""


def explain(call: InboundCall) -> Explanation | None:
    """The explanation of a refusal; None for a call that was answered as asked."""
    if call.error_code == ANSWER_LOST:
        return Explanation(*LOST_ON_PURPOSE)
    if call.status < 400:
        return Explanation(*NONE_TAKEN) if call.outcome == Outcome.REFUSED else None
    happened, todo = (
        SENTENCES.get(call.error_code) or SENTENCES["server_error" if call.status >= 500 else "bad_request"]
    )
    name = LINE.sub("", call.error_field).rpartition(".")[2]
    return Explanation(
        happened=happened,
        todo=todo,
        field=call.error_field,
        label=field_label(call.error_field),
        rule=FIELD_RULES.get(name, "") if call.error_code in {"validation_error", "currency_mismatch"} else "",
        shown=_shown(call.error_code),
    )


def field_label(field: str) -> str:
    """A field in words: ``items[1].quantity`` is the quantity of line 2. As it is, where there is no word for it."""
    *_before, last = field.split(".")
    name = LINE.sub("", last)
    word = FIELDS[name][_language()] if name in FIELDS else name
    line = LINE.search(field)
    return _t("%(field)s, line %(line)d") % {"field": word, "line": int(line[1]) + 1} if line else word


def deed_of(call: InboundCall) -> Text:
    """What the till did, in a sentence; with method and path where it is none of the known deeds."""
    path = call.path.removeprefix(BASE_PATH)
    method = "GET" if call.method == "HEAD" else call.method
    known = (deed for verb, pattern, deed in DEEDS if verb == method and re.fullmatch(pattern, path, re.DOTALL))
    return next(known, None) or _t("The till asked: %(call)s") % {"call": f"{call.method} {path or '/'}"}


def _shown(code: str) -> str:
    """The cashier's line, where the code alone decides it."""
    return PROBLEMS[code][_language()] if code in PROBLEMS and code != "validation_error" else ""


def _language() -> int:
    language = (get_language() or "").partition("-")[0]
    return LANGUAGES.index(language) if language in LANGUAGES else 0
