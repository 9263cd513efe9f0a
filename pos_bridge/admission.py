"""Who calls, and on what terms: one read for a call, by the public start of its token.

Key, campground, settings card and VAT rates are read together, and on every call: what staff change holds
from the very next one, on every worker, and a sale needs no second look. Whether the token opens anything is
for ``apikeys.verification`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, cast

import msgspec
from django.db import InterfaceError, OperationalError, connection, models
from rest_framework.request import Request

from apikeys.authentication import ApiKeyAuthentication
from apikeys.models import ApiKey
from catalogue.exact_decimals import number_of
from catalogue.vat import DatedRate, DatedRates
from kasse.sqlite import from_json, in_utc, on_sqlite
from pos_bridge.models import BridgeSettings
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Admission:
    """A till's key with its campground loaded, and what the campground has set."""

    key: ApiKey
    bridge: BridgeSettings
    rates: DatedRates


class TillAuthentication(ApiKeyAuthentication):
    """Bearer tokens of tills; keeps what was read beside the key for the view."""

    admission: Admission | None = None

    def find_key(self, prefix: str) -> ApiKey | None:
        """The key with this prefix, and the rest of its admission."""
        self.admission = admission_of(prefix)
        return self.admission.key if self.admission else None


def authenticator_of(request: Request) -> TillAuthentication:
    """The one way in that there is."""
    return cast(TillAuthentication, cast("list[Any]", request.authenticators)[0])


def admission_to(request: Request) -> Admission:
    """What was read when an authenticated request came in."""
    return cast(Admission, authenticator_of(request).admission)


def admission_of(prefix: str) -> Admission | None:
    """The admission of the key with this prefix, proven or not."""
    try:
        row = _read(prefix)
    except (OperationalError, InterfaceError):
        # The first word on a connection that was kept: if that has died meanwhile, a new one may do. Where there was
        # none to be had, we have waited for it already.
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        _leave_the_dead()
        row = _read(prefix)
    return _admission(row) if row else None


def _leave_the_dead() -> None:
    """Give the dead connection up, and with it all others of the pool that died of the same."""
    connection.close()
    pool = getattr(connection, "pool", None)
    if pool is not None:
        pool.check()


def _read(prefix: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [prefix])
        (text,) = cursor.fetchone() or (None,)
    return cast("str | None", text)


@cache
def _statement() -> str:
    """One row, as JSON; the same on both engines, but for the names of two functions."""
    collect, pack = ("json_group_array", "json_array") if on_sqlite() else ("json_agg", "json_build_array")
    text = f"""
        SELECT CAST({pack}({_columns(ApiKey, "k")}, {_columns(Tenant, "t")}, b.enabled, b.default_vat_rate,
            (SELECT {collect}({pack}(rate, valid_from, valid_until)) FROM catalogue_vatrate WHERE tenant_id = t.id)
            ) AS text)
        FROM apikeys_apikey AS k
        JOIN tenants_tenant AS t ON t.id = k.tenant_id
        LEFT JOIN pos_bridge_bridgesettings AS b ON b.tenant_id = t.id
        WHERE k.prefix = %s
    """
    return " ".join(text.split())


def _columns(model: type[models.Model], alias: str) -> str:
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


@lru_cache(maxsize=1024)
def _admission(text: str) -> Admission:
    """The row as values. It is read on every call; only for an equal row are they not made again."""
    row = msgspec.json.decode(text)
    key = _row_of(ApiKey, row)
    row = row[len(ApiKey._meta.concrete_fields) :]
    key.tenant = _row_of(Tenant, row)
    enabled, default_vat_rate, rates = row[len(Tenant._meta.concrete_fields) :]
    bridge = BridgeSettings(tenant=key.tenant)
    if enabled is not None:
        bridge.enabled = bool(enabled)
        bridge.default_vat_rate = None if default_vat_rate is None else number_of(default_vat_rate, 2)
    return Admission(key, bridge, tuple(_rate(*each) for each in from_json(rates) or ()))


def _row_of(model: type[Any], row: list[Any]) -> Any:
    """A model's row out of the first columns of a statement's."""
    fields = model._meta.concrete_fields
    values = [_value(field, value) for field, value in zip(fields, row, strict=False)]
    return model.from_db(connection.alias, [field.attname for field in fields], values)


def _value(field: models.Field[Any, Any], value: Any) -> Any:
    """SQLite knows neither instants nor JSON nor truth: it has texts in UTC, texts, and 0 and 1."""
    if isinstance(field, models.DateTimeField) and value is not None:
        return in_utc(datetime.fromisoformat(value))
    if isinstance(field, models.JSONField):
        return from_json(value)
    return bool(value) if isinstance(field, models.BooleanField) else value


def _rate(rate: int, first: str, last: str | None) -> DatedRate:
    return DatedRate(number_of(rate, 2), date.fromisoformat(first), date.fromisoformat(last) if last else None)
