"""Nested serializers: they validate what comes, create what is new, and write what goes out."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers

from bench.peers.textbook_drf.models import Payment, Product, Transaction, TransactionItem, VatRate

METHODS = ["CASH", "CARD", "TWINT", "WORLDLINE", "BANK", "VOUCHER", "ON_TAB", "STRIPE", "OTHER", "MIXED"]


class ItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = TransactionItem
        fields = ["description", "quantity", "unit_price", "line_total", "sku", "vat_rate", "category", "kind"]


class PaymentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Payment
        fields = ["method", "amount", "tip_amount"]


class TransactionSerializer(serializers.ModelSerializer):
    items = ItemSerializer(many=True)
    payments = PaymentSerializer(many=True, required=False)
    payment_method = serializers.ChoiceField(choices=METHODS)

    class Meta:
        model = Transaction
        fields = [
            "id",
            "external_ref",
            "source",
            "status",
            "payment_method",
            "currency",
            "total_amount",
            "rounding_amount",
            "tip_amount",
            "items",
            "payments",
            "refund_of",
            "occurred_at",
            "business_date",
            "received_at",
            "metadata",
        ]
        read_only_fields = ["source", "status", "currency", "business_date", "received_at"]

    def validate(self, attrs):
        """Sums, clock and VAT rates."""
        total = attrs["total_amount"]
        if sum(item["line_total"] for item in attrs["items"]) + attrs.get("rounding_amount", 0) != total:
            raise serializers.ValidationError({"total_amount": "The lines do not add up to the total."})
        payments = attrs.setdefault("payments", [{"method": attrs["payment_method"], "amount": total}])
        if sum(payment["amount"] for payment in payments) != total:
            raise serializers.ValidationError({"payments": "The payments do not add up to the total."})
        if attrs["occurred_at"] > timezone.now() + timedelta(minutes=5):
            raise serializers.ValidationError({"occurred_at": "In the future."})
        attrs["business_date"] = self._day_of(attrs["occurred_at"])
        self._check_rates(attrs)
        return attrs

    def _day_of(self, instant):
        tenant = self.context["request"].auth.tenant
        local = instant.astimezone(ZoneInfo(tenant.zone))
        return local.date() - timedelta(days=local.hour < tenant.cutoff_hour)

    def _check_rates(self, attrs):
        day = attrs["business_date"]
        holds = Q(valid_until=None) | Q(valid_until__gte=day)
        tenant = self.context["request"].auth.tenant
        rates = VatRate.objects.filter(holds, tenant=tenant, valid_from__lte=day)
        known = set(rates.values_list("rate", flat=True))
        if {item["vat_rate"] for item in attrs["items"] if item.get("vat_rate") is not None} - known:
            raise serializers.ValidationError({"items": "Unknown VAT rate."})

    def create(self, validated_data):
        """The sale with its lines and payments, or the one that has the reference already."""
        key = self.context["request"].auth
        items, payments = validated_data.pop("items"), validated_data.pop("payments")
        fingerprint = fingerprint_of(validated_data, items, payments)
        with transaction.atomic():
            sale, created = Transaction.objects.get_or_create(
                tenant=key.tenant,
                external_ref=validated_data.pop("external_ref"),
                defaults={
                    **validated_data,
                    "api_key": key,
                    "fingerprint": fingerprint,
                    "currency": key.tenant.currency,
                    "received_at": timezone.now(),
                },
            )
            if created:
                TransactionItem.objects.bulk_create(
                    TransactionItem(transaction=sale, position=position, **item) for position, item in enumerate(items)
                )
                Payment.objects.bulk_create(
                    Payment(transaction=sale, position=position, **each) for position, each in enumerate(payments)
                )
        self.created, self.same = created, sale.fingerprint == fingerprint
        return sale


def fingerprint_of(sale, items, payments):
    """A digest of what is money."""
    lines = sorted(f"{item['quantity'].normalize()}x{item['line_total']}" for item in items)
    tenders = sorted(f"{each['method']}{each['amount']}" for each in payments)
    facts = [sale["payment_method"], str(sale["total_amount"]), str(sale["business_date"]), *lines, *tenders]
    return hashlib.sha256("|".join(facts).encode()).hexdigest()


class ProductSerializer(serializers.ModelSerializer):
    currency = serializers.CharField(source="tenant.currency")

    class Meta:
        model = Product
        fields = [
            "id",
            "sku",
            "name",
            "category",
            "unit_price",
            "vat_rate",
            "currency",
            "active",
            "updated_at",
        ]
