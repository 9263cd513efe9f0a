"""The public API for tills, version 1: post, read back, list, products, ping.

Source: product page; wire contract, sections 1 to 4.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.db import Error
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apikeys.authentication import KeyInactiveAnswer, key_of
from apikeys.models import ApiKey, Scope
from apikeys.permissions import Scopes
from catalogue.models import Product
from kasse.models import Payment, Source, Transaction, TransactionItem
from kasse.reading import as_stored, sales_under
from kasse.sales import StoredSale
from pos_bridge.activity import BASE_PATH, call_of
from pos_bridge.admission import Admission, admission_to, authenticator_of
from pos_bridge.answers import instant_text, product_body, remark_body, sale_body
from pos_bridge.fields import fault_in_reference
from pos_bridge.intake import take_in
from pos_bridge.paging import Pages
from pos_bridge.problems import problem_of
from pos_bridge.queries import ProductQuery, TransactionQuery, read_query
from pos_bridge.throttling import COUNTED, BudgetUsedUp, Charge
from pos_bridge.wire import JSONBytesParser, JSONNegotiation, PayloadTooLarge, body_of, json_answer, read_body

PARTS = {"items": TransactionItem, "payments": Payment}
_PARSERS: list[BaseParser] = [JSONBytesParser()]
_RENDERERS: list[BaseRenderer] = [JSONRenderer()]
_NEGOTIATION = JSONNegotiation()
READS: Scopes = {"GET": (Scope.POS_READ,)}


class BridgeDisabled(PermissionDenied):
    """403 ``pos_bridge_disabled``."""

    default_code = "pos_bridge_disabled"


class TillView(APIView):
    """What every path has in common: who calls, what it may cost, what it may do.

    The order is that of the contract. The key is asked for before anything else is looked at; what does not
    count against the budget (405, 406, 413, 415) is refused before the call is counted.
    """

    http_method_names = ["get", "head", "post"]
    required_scopes: Scopes = {}
    format_kwarg = None
    admission: Admission
    charge: Charge | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let a call in, or raise what refuses it."""
        # Strangers before the body: whoever sends one slowly holds a thread for as long.
        authenticator_of(request).look_at(request)
        complete = read_body(request)
        self.perform_authentication(request)
        self._refuse_free_of_charge(request, complete)
        self.admission = admission_to(request)
        self.charge = Charge(self.admission.key, at=call_of(request).at)
        if request.method != "POST":
            # A sale is counted by the statement that stores it; a read must not begin beyond the budget.
            self.charge.pay()
        self.check_permissions(request)
        if not self.admission.bridge.enabled:
            raise BridgeDisabled

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # no Response of the framework's
        """Count a refusal that has not been counted yet; beyond the budget, that is what is answered."""
        if self.charge and not self.charge.counted and problem_of(exc).status in COUNTED:
            try:
                self.charge.pay()
            except (BudgetUsedUp, Error) as instead:
                exc = instead
        answer = super().handle_exception(exc)
        if isinstance(exc, MethodNotAllowed):
            answer["Allow"] = ", ".join(self.allowed_methods)
        return answer

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, and tell the activity log whose call this is."""
        try:
            super().perform_authentication(request)
        except KeyInactiveAnswer as refused:
            call_of(request).api_key = refused.key
            raise
        call_of(request).api_key = key_of(request)

    def _refuse_free_of_charge(self, request: Request, complete: bool) -> None:
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(str(request.method))
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if not complete:
            raise PayloadTooLarge
        if method == "post" and not self._parser_for(request):
            raise UnsupportedMediaType(request.content_type)

    def _parser_for(self, request: Request) -> BaseParser | None:
        return self.get_content_negotiator().select_parser(request, self.get_parsers())

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Give back what was charged for an answer that does not count."""
        if self.charge and self.charge.counted and response.status_code not in COUNTED:
            # With the database away, one call of the budget is the smaller loss.
            with suppress(Error):
                self.charge.refund()
        return response

    def get_renderers(self) -> list[BaseRenderer]:
        """For the negotiation; answers are written by ``json_answer()``."""
        return _RENDERERS

    def get_parsers(self) -> list[BaseParser]:
        """They keep nothing of a call, so one of each is enough."""
        return _PARSERS

    def get_content_negotiator(self) -> JSONNegotiation:
        return _NEGOTIATION

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: ``Allow`` goes with 405, and answers vary with nothing."""
        return {}

    def page_of(self, request: Request, rows: QuerySet[Any], body: Any) -> HttpResponse:
        """One page of ``rows``, each turned into a body."""
        pages = Pages()
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.answer([body(row) for row in found])


class TransactionsView(TillView):
    """``transactions/``: post a sale, or list what has arrived."""

    required_scopes: Scopes = {**READS, "POST": (Scope.POS_WRITE,)}

    def post(self, request: Request) -> HttpResponse:
        """Record a sale once, however often it is sent."""
        taken = take_in(
            admission=self.admission,
            body=body_of(request),
            charge=cast(Charge, self.charge),  # made in initial()
            call=call_of(request),
            received_at=timezone.now(),
        )
        body = sale_body(taken.stored)
        if taken.remarks:
            body["warnings"] = [remark_body(remark) for remark in taken.remarks]
        if not taken.created:
            return json_answer(body, headers={"Idempotent-Replayed": "true"})
        return json_answer(body, status=201, headers={"Location": address_of(taken.stored)})

    def get(self, request: Request) -> HttpResponse:
        """External sales in the order in which they arrived."""
        query = read_query(request.query_params, TransactionQuery)
        names = {
            "business_date": "business_date",
            "occurred_from": "occurred_at__gte",
            "occurred_to": "occurred_at__lte",
            "received_since": "received_at__gte",
            "payment_method": "payment_method",
            "external_ref": "external_ref",
        }
        rows = external_sales(key_of(request)).filter(**{names[name]: value for name, value in query.items()})
        call_of(request).external_ref = query.get("external_ref", "")
        return self.page_of(request, rows.order_by("received_at", "id"), lambda row: sale_body(as_stored(row)))


class TransactionView(TillView):
    """``transactions/<external_ref>/``: confirm that a sale has arrived."""

    required_scopes: Scopes = READS

    def get(self, request: Request, external_ref: str) -> HttpResponse:
        """The stored sale, as it was answered when it came."""
        call_of(request).external_ref = external_ref
        if len(external_ref) > 255 or fault_in_reference(external_ref):
            raise Http404
        stored = sales_under(self.admission.key.tenant, [external_ref]).get(external_ref)
        if stored is None:
            raise Http404
        return json_answer(sale_body(stored))


class ProductsView(TillView):
    """``products/``: what can be sold, with its price and VAT rate."""

    required_scopes: Scopes = READS

    def get(self, request: Request) -> HttpResponse:
        """Active products; with ``updated_since`` also those switched off since."""
        query = read_query(request.query_params, ProductQuery)
        rows = Product.objects.of(key_of(request).tenant)
        if "updated_since" in query:
            rows = rows.filter(updated_at__gte=query["updated_since"])
        elif not query.get("include_inactive"):
            rows = rows.filter(active=True)
        currency = key_of(request).tenant.currency
        response = self.page_of(request, rows.order_by("sku", "id"), lambda row: product_body(row, currency))
        return with_etag(request, response)


class PingView(TillView):
    """``ping/``: the "test connection" of a till."""

    required_scopes: Scopes = {"GET": (Scope.POS_READ, Scope.POS_WRITE)}

    def get(self, request: Request) -> HttpResponse:
        """Who the caller is to us, and what our clock says."""
        return json_answer(ping_body(key_of(request), timezone.now()))


class NothingHere(TillView):
    """Every other path below the base path: the key is asked for all the same, then 404."""

    def check_permissions(self, request: Request) -> None:
        """No scope opens what does not exist."""
        raise Http404

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Never reached; see ``check_permissions()``."""
        raise Http404

    post = get


def external_sales(key: ApiKey) -> QuerySet[Transaction]:
    """The sales that a key may see: its campground's, from outside tills. Front-desk sales never leave here."""
    # Lines and payments are found by campground and sale, in this order: without the campground, all would be read.
    parts = [Prefetch(each, model.objects.of(key.tenant)) for each, model in PARTS.items()]
    return Transaction.objects.of(key.tenant).filter(source=Source.EXTERNAL_POS).prefetch_related(*parts)


def address_of(stored: StoredSale) -> str:
    """Where a sale can be read back."""
    return f"{settings.PUBLIC_URL}{BASE_PATH}/transactions/{quote(stored.sale.external_ref or '', safe='')}/"


def ping_body(key: ApiKey, now: datetime) -> dict[str, Any]:
    """The answer to a ping."""
    return {
        "tenant": {"slug": key.tenant.slug, "name": key.tenant.name, "zone": key.tenant.zone},
        "currency": key.tenant.currency,
        "key_prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "server_time": instant_text(now),
    }


def with_etag(request: Request, answer: HttpResponse) -> HttpResponse:
    """The same answer with a strong ``ETag``, or 304 without a body if the caller has it already."""
    etag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known or f"W/{etag}" in known or "*" in known:
        answer = json_answer(None, status=304)
        del answer["Content-Type"]
    answer["ETag"] = etag
    return answer
