"""The public API for tills, version 1: post, read back, list, products, ping.

Source: product page; wire contract, sections 1 to 4.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from apikeys.authentication import key_of
from apikeys.models import ApiKey, Scope
from apikeys.permissions import Scopes
from kasse.models import Source, Transaction
from kasse.reading import sales_under
from kasse.sales import StoredSale
from pos_bridge.activity import BASE_PATH
from pos_bridge.answers import instant_text, product_body, remark_body, sale_body
from pos_bridge.batch import take_in_many
from pos_bridge.dry_runs import dry_run_body, is_dry_run
from pos_bridge.fields import LONGEST_REFERENCE, fault_in_reference
from pos_bridge.intake import take_in
from pos_bridge.paging import Pages
from pos_bridge.product_list import ProductPage
from pos_bridge.queries import ProductQuery, TransactionQuery, read_query
from pos_bridge.throttling import Charge
from pos_bridge.till_view import READING, READS, TillView
from pos_bridge.wire import body_of, json_answer


class TransactionsView(TillView):
    """``transactions/``: post a sale, or list what has arrived."""

    required_scopes: Scopes = {**READS, "POST": (Scope.POS_WRITE,)}
    counted_last = frozenset({"POST"})

    def post(self, request: Request) -> HttpResponse:
        """Record a sale once, however often it is sent; or say what would become of it."""
        if request.META.get("QUERY_STRING") and is_dry_run(request):
            return self._dry_run(request)
        taken = take_in(
            admission=self.admission,
            body=body_of(request),
            charge=cast(Charge, self.charge),  # made in initial()
            call=self.call,
            received_at=timezone.now(),
        )
        body = sale_body(taken.stored)
        if taken.remarks:
            body["warnings"] = [remark_body(remark) for remark in taken.remarks]
        if not taken.created:
            return json_answer(body, headers={"Idempotent-Replayed": "true"})
        return json_answer(body, status=201, headers={"Location": address_of(taken.stored)})

    def _dry_run(self, request: Request) -> HttpResponse:
        (each,) = take_in_many(
            admission=self.admission,
            documents=[body_of(request)],
            call=self.call,
            received_at=timezone.now(),
            stays=False,
        )
        self.call.external_ref = each.external_ref or ""
        return json_answer(dry_run_body(request, each))

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
        rows = external_sales(self.admission.key).filter(**{names[name]: value for name, value in query.items()})
        self.call.external_ref = query.get("external_ref", "")
        references = rows.order_by("received_at", "id").values_list("external_ref", flat=True)
        return self.page_of(request, references, self._sales)

    def _sales(self, references: list[str]) -> list[dict[str, Any]]:
        stored = sales_under(self.admission.key.tenant, references)
        return [sale_body(stored[reference]) for reference in references]


class TransactionView(TillView):
    """``transactions/<external_ref>/``: confirm that a sale has arrived."""

    required_scopes: Scopes = READS
    counted_last = READING

    def get(self, request: Request, external_ref: str) -> HttpResponse:
        """The stored sale, as it was answered when it came."""
        self.call.external_ref = external_ref
        if len(external_ref) > LONGEST_REFERENCE or fault_in_reference(external_ref):
            raise Http404
        stored = sales_under(self.admission.key.tenant, [external_ref]).get(external_ref)
        if stored is None:
            raise Http404
        return json_answer(sale_body(stored))


class ProductsView(TillView):
    """``products/``: what can be sold, with its price and VAT rate."""

    required_scopes: Scopes = READS
    counted_last = READING

    def get(self, request: Request) -> HttpResponse:
        """Active products; with ``updated_since`` also those switched off since."""
        query = read_query(request.query_params, ProductQuery) if request.META.get("QUERY_STRING") else {}
        tenant = self.admission.key.tenant
        size, first = Pages().span_of(request)
        listed = ProductPage(tenant, query, size=size, first=first)
        answer = self.page_of(request, listed, lambda found: [product_body(row, tenant.currency) for row in found])
        return with_etag(request, answer)


class PingView(TillView):
    """``ping/``: the "test connection" of a till."""

    required_scopes: Scopes = {"GET": (Scope.POS_READ, Scope.POS_WRITE)}
    counted_last = READING

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
    return Transaction.objects.of(key.tenant).filter(source=Source.EXTERNAL_POS)


def address_of(stored: StoredSale) -> str:
    """Where a sale can be read back."""
    return f"{settings.PUBLIC_URL}{BASE_PATH}/transactions/{quote(stored.sale.external_ref or '', safe='')}/"


def ping_body(key: ApiKey, now: datetime) -> dict[str, Any]:
    """The answer to a ping."""
    return {
        "tenant": {"slug": key.tenant.slug, "name": key.tenant.name, "zone": key.tenant.zone},
        "currency": key.tenant.currency,
        "key_prefix": key.prefix,
        "test": key.is_test,
        "scopes": sorted(key.scopes),
        "expires_at": instant_text(key.expires_at) if key.expires_at else None,
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
