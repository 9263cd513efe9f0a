"""All published codes of errors; a code never changes its meaning.

Source: wire contract, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

RETRYABLE = frozenset({408, 429, 500, 501, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Kind:
    """A published code: its status, its title, and what a till maker should do."""

    status: HTTPStatus
    title: str
    advice: str


KINDS: dict[str, Kind] = {
    "validation_error": Kind(
        HTTPStatus.BAD_REQUEST,
        "The transaction was refused.",
        "Mend the fields named in `errors` and send again, under the same reference.",
    ),
    "total_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "The lines do not add up to the total.",
        "Σ `line_total` + `rounding_amount` must be `total_amount`, to the Rappen; see `difference`.",
    ),
    "payments_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "The payments do not add up to the total.",
        "Send amounts net of change; their sum must be `total_amount`.",
    ),
    "tip_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "The tips of the payments are not the tip.",
        "Leave `tip_amount` out, or send the sum of the payments' tips.",
    ),
    "occurred_at_in_future": Kind(
        HTTPStatus.BAD_REQUEST,
        "The sale lies in the future.",
        "Set the till's clock; `server_time` is ours.",
    ),
    "currency_mismatch": Kind(
        HTTPStatus.BAD_REQUEST,
        "This campground counts in another currency.",
        "Leave `currency` out, or send the campground's.",
    ),
    "unknown_parameter": Kind(
        HTTPStatus.BAD_REQUEST,
        "A query parameter is unknown.",
        "Check its spelling: a filter that were ignored would fake a reconciliation.",
    ),
    "parse_error": Kind(
        HTTPStatus.BAD_REQUEST,
        "The body could not be read.",
        "Send one JSON object in UTF-8; `errors` says what is wrong with this one.",
    ),
    "too_many": Kind(
        HTTPStatus.BAD_REQUEST,
        "The list is longer than one call may bring.",
        "Send it in several calls; `most` says how many rows fit into one.",
    ),
    "bad_request": Kind(HTTPStatus.BAD_REQUEST, "The request is malformed.", "Check the host name and the headers."),
    "invalid_key": Kind(
        HTTPStatus.UNAUTHORIZED,
        "No valid API key.",
        "Check the token and the host name; if the token is lost, have a new key minted.",
    ),
    "key_inactive": Kind(
        HTTPStatus.UNAUTHORIZED,
        "This API key is revoked or has expired.",
        "Ask the campground's staff for a new key.",
    ),
    "insufficient_scope": Kind(
        HTTPStatus.FORBIDDEN,
        "This API key may not do that.",
        "Use a key that holds `required_scope`.",
    ),
    "https_required": Kind(
        HTTPStatus.FORBIDDEN,
        "Only by HTTPS.",
        "The key has been shown to everyone on the way: let the till call by `https`, and have the key replaced.",
    ),
    "address_not_allowed": Kind(
        HTTPStatus.FORBIDDEN,
        "This API key may not be used from here.",
        "Call from a network that the campground has allowed for the key; `address` is where you call from, or empty "
        "if that cannot be told.",
    ),
    "pos_bridge_disabled": Kind(
        HTTPStatus.FORBIDDEN,
        "The campground has switched the bridge off.",
        "Keep the sales; send them when staff have switched it on again.",
    ),
    "not_found": Kind(HTTPStatus.NOT_FOUND, "There is no such thing.", "Check the path and the reference."),
    "method_not_allowed": Kind(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "This path does not take that method.",
        "The `Allow` header names those it takes.",
    ),
    "not_acceptable": Kind(
        HTTPStatus.NOT_ACCEPTABLE, "Answers are JSON.", "Accept `application/json`, or leave the header out."
    ),
    "external_ref_conflict": Kind(
        HTTPStatus.CONFLICT,
        "This reference belongs to another sale.",
        "Do not repeat it: the stored sale stays, yours is parked for staff to decide. "
        "A receipt counter that began again is the usual cause.",
    ),
    "payload_too_large": Kind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "The body is too large.",
        "A sale has at most 256 KiB, a batch or a reconciliation 2 MiB; send less at once.",
    ),
    "unsupported_media_type": Kind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "Bodies are JSON in UTF-8.",
        "Send `Content-Type: application/json`, without a content coding.",
    ),
    "throttled": Kind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "The key's budget for this hour is used up.",
        "Wait `Retry-After` seconds; calls made meanwhile count too.",
    ),
    "server_error": Kind(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side.", "Send again later, the same bytes."
    ),
    "busy": Kind(HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once.", "Send again after `Retry-After` seconds."),
    "unavailable": Kind(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database is away.",
        "Send again after `Retry-After` seconds, the same bytes.",
    ),
}
