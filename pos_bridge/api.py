"""The public API for tills, version 1: post, read back, list, products, ping.

Source: product page; wire contract, sections 1 to 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import Error
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from rest_framework.authentication import get_authorization_header
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apikeys.authentication import InvalidKeyAnswer, KeyInactiveAnswer, key_of, may_be_a_till
from apikeys.models import ApiKey, Scope
from apikeys.permissions import Scopes
from catalogue.models import Product
from kasse.models import Source, Transaction
from pos_bridge.activity import BASE_PATH, call_of
from pos_bridge.answers import instant_text, product_body, remark_body, sale_body
from pos_bridge.fields import fault_in_reference
from pos_bridge.intake import take_in
from pos_bridge.models import BridgeSettings
from pos_bridge.paging import Pages
from pos_bridge.queries import ProductQuery, TransactionQuery, read_query
from pos_bridge.strict_json import Malformed
from pos_bridge.throttling import COUNTED, charge_budget, refund_budget
from pos_bridge.wire import PayloadTooLarge, read_body
from tenants.models import Tenant

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
    bridge: BridgeSettings
    _charged: int | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in English, Django REST framework's stock sentences; the cashier's language is another matter."""
        with translation.override("en"):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let a call in, or raise what refuses it."""
        if not may_be_a_till(get_authorization_header(request)):
            # Before the body: whoever sends one slowly holds a thread for as long.
            raise InvalidKeyAnswer
        complete = read_body(request)
        self.perform_authentication(request)
        self._refuse_free_of_charge(request, complete)
        self._charged = charge_budget(key_of(request), at=timezone.now())
        self.check_permissions(request)
        self.bridge = bridge_of(key_of(request).tenant)
        if not self.bridge.enabled:
            raise BridgeDisabled

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
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._charged is not None and response.status_code not in COUNTED:
            # With the database away, one call of the budget is the smaller loss.
            with suppress(Error):
                refund_budget(key_of(request), second=self._charged)
        return response

    def page_of(self, request: Request, rows: QuerySet[Any], body: Any) -> Response:
        """One page of ``rows``, each turned into a body."""
        pages = Pages()
        found = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([body(row) for row in found])


class TransactionsView(TillView):
    """``transactions/``: post a sale, or list what has arrived."""

    required_scopes: Scopes = {**READS, "POST": (Scope.POS_WRITE,)}

    def post(self, request: Request) -> Response:
        """Record a sale once, however often it is sent."""
        taken = take_in(
            key=key_of(request),
            bridge=self.bridge,
            document=_object(request.data),
            call=call_of(request),
            received_at=timezone.now(),
        )
        body = sale_body(taken.transaction)
        if taken.remarks:
            body["warnings"] = [remark_body(remark) for remark in taken.remarks]
        if not taken.created:
            return Response(body, headers={"Idempotent-Replayed": "true"})
        return Response(body, status=201, headers={"Location": address_of(taken.transaction)})

    def get(self, request: Request) -> Response:
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
        return self.page_of(request, rows.order_by("received_at", "id"), sale_body)


class TransactionView(TillView):
    """``transactions/<external_ref>/``: confirm that a sale has arrived."""

    required_scopes: Scopes = READS

    def get(self, request: Request, external_ref: str) -> Response:
        """The stored sale, as it was answered when it came."""
        call_of(request).external_ref = external_ref
        if len(external_ref) > 255 or fault_in_reference(external_ref):
            raise Http404
        sale = external_sales(key_of(request)).filter(external_ref=external_ref).first()
        if sale is None:
            raise Http404
        return Response(sale_body(sale))


class ProductsView(TillView):
    """``products/``: what can be sold, with its price and VAT rate."""

    required_scopes: Scopes = READS

    def get(self, request: Request) -> Response:
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

    def get(self, request: Request) -> Response:
        """Who the caller is to us, and what our clock says."""
        return Response(ping_body(key_of(request), timezone.now()))


class NothingHere(TillView):
    """Every other path below the base path: the key is asked for all the same, then 404."""

    def check_permissions(self, request: Request) -> None:
        """No scope opens what does not exist."""
        raise Http404

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Never reached; see ``check_permissions()``."""
        raise Http404

    post = get


def bridge_of(tenant: Tenant) -> BridgeSettings:
    """The settings card of a campground, or the one that holds where it has none."""
    return BridgeSettings.objects.filter(tenant=tenant).first() or BridgeSettings(tenant=tenant)


def external_sales(key: ApiKey) -> QuerySet[Transaction]:
    """The sales that a key may see: its campground's, from outside tills. Front-desk sales never leave here."""
    return Transaction.objects.of(key.tenant).filter(source=Source.EXTERNAL_POS).prefetch_related("items", "payments")


def address_of(sale: Transaction) -> str:
    """Where a sale can be read back."""
    return f"{settings.PUBLIC_URL}{BASE_PATH}/transactions/{quote(sale.external_ref or '', safe='')}/"


def ping_body(key: ApiKey, now: datetime) -> dict[str, Any]:
    """The answer to a ping."""
    return {
        "tenant": {"slug": key.tenant.slug, "name": key.tenant.name, "zone": key.tenant.zone},
        "currency": key.tenant.currency,
        "key_prefix": key.prefix,
        "scopes": sorted(key.scopes),
        "server_time": instant_text(now),
    }


def with_etag(request: Request, response: Response) -> Response:
    """The same answer with a strong ``ETag``, or 304 without a body if the caller has it already."""
    body = request.accepted_renderer.render(response.data, request.accepted_media_type)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = [tag.strip() for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known or f"W/{etag}" in known or "*" in known:
        return Response(status=304, headers={"ETag": etag})
    response["ETag"] = etag
    return response


def _object(document: Any) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise Malformed("not_an_object", "The body is not a JSON object.")
    return document
