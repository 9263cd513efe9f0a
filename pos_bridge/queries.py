"""What a list may be asked for. An unknown, repeated or empty parameter is refused, never ignored.

A filter that were silently dropped would fake a reconciliation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import QueryDict
from django.utils import translation
from rest_framework import serializers

from kasse.models import PaymentMethod
from pos_bridge.faults import Fault, Refused, faults_in
from pos_bridge.fields import DayField, InstantField, ReferenceField, StrictChoiceField
from pos_bridge.paging import WHOLE_NUMBER, Pages

PAGING = (Pages.page_query_param, str(Pages.page_size_query_param))


class QueryInstantField(InstantField):
    """An instant in a query string, where an unescaped ``+`` of its offset arrives as a blank."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(data.replace(" ", "+") if isinstance(data, str) else data)


class SwitchField(serializers.Field):  # type: ignore[type-arg]
    """``true`` or ``false``."""

    default_error_messages = {"invalid": "Must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if data not in {"true", "false"}:
            self.fail("invalid")
        return bool(data == "true")

    def to_representation(self, value: Any) -> Any:
        return value


class TransactionQuery(serializers.Serializer[Any]):
    """Filters of ``GET transactions/``; both ends of a range belong to it."""

    business_date = DayField(required=False)
    occurred_from = QueryInstantField(required=False)
    occurred_to = QueryInstantField(required=False)
    received_since = QueryInstantField(required=False)
    payment_method = StrictChoiceField(choices=PaymentMethod.choices, required=False)
    external_ref = ReferenceField(required=False)


class ProductQuery(serializers.Serializer[Any]):
    """Filters of ``GET products/``."""

    include_inactive = SwitchField(required=False)
    updated_since = QueryInstantField(required=False)


def read_query(
    query: QueryDict, serializer_class: type[serializers.Serializer[Any]], *, paged: bool = True
) -> dict[str, Any]:
    """The checked filters of a query string; ``paged`` where it asks for a page of a list.

    Raises:
        Refused: a parameter is unknown, stands twice, or has a value that is none.
    """
    known = {*serializer_class._declared_fields, *(PAGING if paged else ())}
    faults = [
        Fault((), "unknown_parameter", f"Not a parameter here: {name[:100]}") for name in query if name not in known
    ]
    faults += [
        Fault((name,), "repeated", "Stands twice.") for name in query if name in known and len(query.getlist(name)) > 1
    ]
    faults += _paging_faults(query) if paged else ()
    with translation.override("en"):
        # Django REST framework's stock sentences; the cashier's language is another matter.
        serializer = serializer_class(data=query.dict())
        if not serializer.is_valid():
            faults += faults_in(serializer.errors)
    if faults:
        raise Refused(faults)
    return dict(serializer.validated_data)


def _paging_faults(query: QueryDict) -> Iterator[Fault]:
    """A page that does not exist is not found; a size that is no size is at fault, and so is an empty page."""
    page, size = (query.get(name) for name in PAGING)
    if page == "":
        yield Fault((PAGING[0],), "blank", "This field may not be blank.")
    if size is not None and not WHOLE_NUMBER.fullmatch(size):
        yield Fault((PAGING[1],), "invalid", "Not a whole number from 1 on.")
