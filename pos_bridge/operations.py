"""What each call of the API asks and answers: the table from which its description is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from pos_bridge import api, batch_api, examples, gaps_api, many_examples, reconciling_api
from pos_bridge.contract import SaleSerializer
from pos_bridge.examples import Body
from pos_bridge.gaps_api import GapsQuery
from pos_bridge.kinds import KINDS
from pos_bridge.paging import Pages
from pos_bridge.queries import ProductQuery, TransactionQuery
from pos_bridge.reconciling_api import SummaryQuery
from pos_bridge.request_shapes import ReferenceShape, ref
from pos_bridge.request_words import BatchSerializer
from pos_bridge.telling import DaySerializer
from pos_bridge.till_view import TillView

Sent: TypeAlias = Callable[[], dict[str, tuple[str, Body]]]
"""Bodies that a till may send, by name, each with a title."""
Examples: TypeAlias = Callable[[], dict[str, Body]]
"""Example bodies by name; built when the description is, since the code that answers builds them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: in words, its shape and examples, and the headers it carries beside ``X-Request-Id``."""

    words: str
    schema: str = ""
    examples: Examples = dict
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path; ``problems`` names examples of ``problem_examples``."""

    view: type[TillView]
    method: str
    name: str
    summary: str
    words: str
    answers: Mapping[int, Answer]
    problems: tuple[str, ...]
    query: type[serializers.Serializer[Any]] | None = None
    parameters: tuple[OpenApiParameter, ...] = ()
    headers: tuple[str, ...] = ()
    request: type[serializers.Serializer[Any]] | None = None
    sent: Sent = dict

    @property
    def problems_by_status(self) -> dict[int, list[str]]:
        """The names of the problem examples under each status, from 400 up, in the order of ``KINDS``."""
        found: dict[int, list[str]] = {}
        for name in sorted(self.problems, key=lambda name: (status_of(name), [*KINDS].index(code_of(name)))):
            found.setdefault(status_of(name), []).append(name)
        return found


def code_of(problem: str) -> str:
    """The code of a problem example; its name may say after a dot which of several is meant."""
    return problem.partition(".")[0]


def status_of(problem: str) -> int:
    """The status of a problem example."""
    return int(KINDS[code_of(problem)].status)


# Whatever is called, and however.
ANY_CALL = (
    "bad_request",
    "invalid_key",
    "key_inactive",
    "https_required",
    "address_not_allowed",
    "pos_bridge_disabled",
    "method_not_allowed",
    "not_acceptable",
    "payload_too_large",
    "throttled",
    "server_error",
    "busy",
    "unavailable",
)
READING = (*ANY_CALL, "insufficient_scope.read")
LISTING = (*READING, "unknown_parameter", "not_found")
POSTING = (
    *ANY_CALL,
    "validation_error",
    "total_mismatch",
    "payments_mismatch",
    "tip_mismatch",
    "occurred_at_in_future",
    "currency_mismatch",
    "parse_error",
    "insufficient_scope.write",
    "external_ref_conflict",
    "unsupported_media_type",
)
# What may be wrong with many sales at once.
MANY = {
    "batch": ("validation_error.batch", "too_many.batch"),
    "day": ("validation_error.day", "too_many.day"),
}

PAGING = (
    OpenApiParameter(
        "page",
        {"type": "integer", "minimum": 1, "default": 1},
        description="Past the end: 404.",
    ),
    OpenApiParameter(
        str(Pages.page_size_query_param),
        {"type": "integer", "minimum": 1, "maximum": Pages.max_page_size, "default": Pages.page_size},
        description="Rows on a page.",
    ),
)
DRY_RUN = OpenApiParameter(
    "dry_run",
    {"type": "string", "enum": ["1", "0"], "default": "0"},
    description="`1`: say what would happen, and store nothing. A call like any other, and logged as a dry run.",
)
REFERENCE = OpenApiParameter(
    "external_ref",
    ref("schemas", ReferenceShape.name),
    OpenApiParameter.PATH,
    description="The till's own reference, percent-encoded as UTF-8: a slash inside it becomes `%2F`, a blank `%20`.",
)

LIST_TRANSACTIONS = Operation(
    view=api.TransactionsView,
    method="get",
    name="list_transactions",
    summary="List what has arrived",
    words="For the evening: the sales of outside tills, in the order in which they arrived. All filters must hold; "
    "both ends of a range belong to it. A filter that is unknown, empty or stands twice is refused: to ignore it would "
    "fake a reconciliation.",
    query=TransactionQuery,
    parameters=PAGING,
    answers={200: Answer("One page.", "SalePage", lambda: {"evening": examples.sales_answer()}, ("Link",))},
    problems=(*LISTING, "validation_error.transactions"),
)
POST_TRANSACTION = Operation(
    view=api.TransactionsView,
    method="post",
    name="post_transaction",
    summary="Post a sale or a refund",
    words="Recorded once, however often it is sent: when an answer has not come, send the same again. 201 and 200 are "
    "answered only when the sale is safely stored. The same reference with other money or another day is 409: the "
    "stored sale stays as it is, and what was sent is parked for the campground's staff.",
    request=SaleSerializer,
    parameters=(DRY_RUN,),
    sent=lambda: {name: (examples.SALE_TITLES[name], sale) for name, sale in examples.SALES.items()},
    answers={
        201: Answer("A new sale, stored.", "Sale", examples.taken_answers, ("Location",)),
        200: Answer(
            "A sale that was stored before, as it was then; or, with `dry_run`, what would become of this one.",
            "SaleOrDryRun",
            lambda: examples.replayed_answers() | {"dry_run": many_examples.dry_run_answer()},
            ("Idempotent-Replayed",),
        ),
    },
    problems=POSTING,
)
GET_TRANSACTION = Operation(
    view=api.TransactionView,
    method="get",
    name="get_transaction",
    summary="Confirm that a sale has arrived",
    words="The stored sale. 404 means that it has not arrived, and may be sent.",
    parameters=(REFERENCE,),
    answers={200: Answer("The stored sale.", "Sale", lambda: {"stored": examples.answer_to(examples.FIVE_FIELDS)})},
    problems=(*READING, "not_found"),
)
LIST_PRODUCTS = Operation(
    view=api.ProductsView,
    method="get",
    name="list_products",
    summary="Refresh the till's catalogue",
    words="Active products, unless asked for more. Each page has its own `ETag`.",
    query=ProductQuery,
    parameters=PAGING,
    headers=("If-None-Match",),
    answers={
        200: Answer("One page.", "ProductPage", lambda: {"catalogue": examples.products_answer()}, ("ETag", "Link")),
        304: Answer("The page is still what the caller has; no body.", headers=("ETag",)),
    },
    problems=(*LISTING, "validation_error.products"),
)
PING = Operation(
    view=api.PingView,
    method="get",
    name="ping",
    summary="Test the connection",
    words="Who the caller is to the service, and what the service's clock says.",
    answers={200: Answer("The key is good.", "Pong", lambda: {"both_scopes": examples.pong()})},
    # A key without any scope cannot be minted.
    problems=ANY_CALL,
)

POST_BATCH = Operation(
    view=batch_api.BatchView,
    method="post",
    name="post_batch",
    summary="Post up to 100 sales at once",
    words="For a till that was offline. Each sale stands for itself, and is answered with the status and the body that "
    "it would have got alone; none keeps another out. One call of the budget. At most 2 MiB.",
    request=BatchSerializer,
    parameters=(DRY_RUN,),
    sent=lambda: {"two_sales": ("A sale, and one that does not add up", many_examples.BATCH)},
    answers={200: Answer("What became of each.", "BatchAnswer", lambda: {"two_sales": many_examples.batch_answer()})},
    problems=(*ANY_CALL, "insufficient_scope.write", "unsupported_media_type", "parse_error", *MANY["batch"]),
)
GET_SALE_CALLED_BATCH = Operation(
    view=batch_api.BatchView,
    method="get",
    name="get_transaction_called_batch",
    summary="Confirm that the sale with the reference batch has arrived",
    words="As for every other reference.",
    answers={200: Answer("The stored sale.", "Sale", lambda: {"stored": many_examples.sale_called_batch_answer()})},
    problems=(*READING, "not_found"),
)
GET_SUMMARY = Operation(
    view=reconciling_api.SummaryView,
    method="get",
    name="get_summary",
    summary="Look at what a day has come to",
    words="Count, sum, payment methods and VAT rates of outside sales, to compare with the till's own Z-report.",
    query=SummaryQuery,
    answers={200: Answer("The day so far.", "Summary", lambda: {"day": many_examples.summary_answer()})},
    problems=(*READING, "unknown_parameter.summary", "validation_error.summary"),
)
POST_RECONCILIATION = Operation(
    view=reconciling_api.ReconciliationsView,
    method="post",
    name="post_reconciliation",
    summary="Compare the till's day with ours",
    words="What is missing here, unknown to the till, different, or counted for another day. Compared is what came "
    "through this key. What was found is kept, and shown to whoever closes the day. At most 2 MiB.",
    request=DaySerializer,
    sent=lambda: {
        "sales": ("Each sale by its reference and total", many_examples.DAY_OF_SALES),
        "totals": ("What the Z-report says", many_examples.DAY_OF_TOTALS),
    },
    answers={200: Answer("What was found.", "Reconciliation", many_examples.reconciliation_answers)},
    problems=(*ANY_CALL, "insufficient_scope.write", "unsupported_media_type", "parse_error", *MANY["day"]),
)
LIST_GAPS = Operation(
    view=gaps_api.GapsView,
    method="get",
    name="list_gaps",
    summary="List receipts that are missing",
    words="Holes in `receipt_seq`, the last noticed first: send those sales again. Looked at are the last 35 days, by "
    "the till's clock. A hole is told 24 hours after the later of its neighbours came, and no longer once the "
    "campground has explained it. Where more than 500 numbers are left out at once, the till was probably given "
    "others: `leaps` counts such places, and they are not listed.",
    query=GapsQuery,
    parameters=PAGING,
    answers={200: Answer("One page.", "GapPage", lambda: {"a_hole": many_examples.gaps_answer()}, ("Link",))},
    problems=(*LISTING, "validation_error.gaps"),
)

OPERATIONS = (
    LIST_TRANSACTIONS,
    POST_TRANSACTION,
    GET_TRANSACTION,
    POST_BATCH,
    GET_SALE_CALLED_BATCH,
    GET_SUMMARY,
    POST_RECONCILIATION,
    LIST_GAPS,
    LIST_PRODUCTS,
    PING,
)
