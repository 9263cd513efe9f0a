"""Generic views, one for each path."""

from __future__ import annotations

from django.utils import timezone
from rest_framework import generics, status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.peers.textbook_drf.models import Product, Transaction
from bench.peers.textbook_drf.serializers import ProductSerializer, TransactionSerializer


class Conflict(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "external_ref_conflict"


class TransactionsView(generics.CreateAPIView):
    serializer_class = TransactionSerializer
    required_scopes = {"POST": "pos:write"}

    def create(self, request, *args, **kwargs):
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        request._request.external_ref = serializer.validated_data["external_ref"]
        serializer.save()
        if not serializer.same:
            raise Conflict
        return Response(serializer.data, status=201 if serializer.created else 200)


class TransactionView(generics.RetrieveAPIView):
    serializer_class = TransactionSerializer
    required_scopes = {"GET": "pos:read"}
    lookup_field = "external_ref"

    def get_queryset(self):
        return Transaction.objects.filter(tenant=self.request.auth.tenant).prefetch_related("items", "payments")


class ProductsView(generics.ListAPIView):
    serializer_class = ProductSerializer
    required_scopes = {"GET": "pos:read"}

    def get_queryset(self):
        rows = Product.objects.filter(tenant=self.request.auth.tenant, active=True)
        return rows.select_related("tenant").order_by("sku", "id")


class PingView(APIView):
    required_scopes = {}

    def get(self, request):
        key = request.auth
        return Response(
            {
                "tenant": {"slug": key.tenant.slug, "name": key.tenant.name, "zone": key.tenant.zone},
                "currency": key.tenant.currency,
                "key_prefix": key.prefix,
                "scopes": sorted(key.scopes),
                "server_time": timezone.now(),
            }
        )
