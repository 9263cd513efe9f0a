"""Who calls, and on what terms: one read for a call, by the public start of its token.

Key, campground, settings card and VAT rates are read together, and on every call: what staff change holds
from the very next one, on every worker, and a sale needs no second look. Whether the token opens anything is
for ``apikeys.verification`` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import cache, lru_cache
from typing import Any, cast

import msgspec
from django.db import InterfaceError, OperationalError, connection, models
from rest_framework.request import Request

from apikeys.authentication import ApiKeyAuthentication
from apikeys.models import ApiKey
from catalogue.exact_decimals import number_of
from catalogue.vat import DatedRate, DatedRates
from kasse.sqlite import on_sqlite
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
        # The first word on a connection that was kept: if that has died meanwhile, a new one may do.
        if connection.in_atomic_block or connection.is_usable():
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


def _read(prefix: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [prefix])
        return cast("tuple[Any, ...] | None", cursor.fetchone())


@cache
def _statement() -> str:
    """The same on both engines, but for the names of two functions."""
    collect, pack = ("json_group_array", "json_array") if on_sqlite() else ("json_agg", "json_build_array")
    text = f"""
        SELECT {_columns(ApiKey, "k")}, {_columns(Tenant, "t")}, b.enabled, b.default_vat_rate,
            (SELECT CAST({collect}({pack}(rate, valid_from, valid_until)) AS text)
             FROM catalogue_vatrate WHERE tenant_id = t.id)
        FROM apikeys_apikey AS k
        JOIN tenants_tenant AS t ON t.id = k.tenant_id
        LEFT JOIN pos_bridge_bridgesettings AS b ON b.tenant_id = t.id
        WHERE k.prefix = %s
    """
    return " ".join(text.split())


def _columns(model: type[models.Model], alias: str) -> str:
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


@lru_cache(maxsize=1024)
def _admission(row: tuple[Any, ...]) -> Admission:
    """The row as values. It is read on every call; only for an equal row are they not made again."""
    key = _row_of(ApiKey, row)
    row = row[len(ApiKey._meta.concrete_fields) :]
    key.tenant = _row_of(Tenant, row)
    enabled, default_vat_rate, rates = row[len(Tenant._meta.concrete_fields) :]
    key.scopes = msgspec.json.decode(key.scopes)
    bridge = BridgeSettings(tenant=key.tenant)
    if enabled is not None:
        bridge.enabled = bool(enabled)
        bridge.default_vat_rate = None if default_vat_rate is None else number_of(default_vat_rate, 2)
    return Admission(key, bridge, _rates(rates))


def _row_of(model: type[Any], row: tuple[Any, ...]) -> Any:
    """A model's row out of the first columns of a statement's."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(connection.alias, names, [_in_utc(value) for value in row[: len(names)]])


def _in_utc(value: Any) -> Any:
    """SQLite knows no zones; all instants in it are UTC."""
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) and value.tzinfo is None else value


def _rates(column: str | None) -> DatedRates:
    """NULL where the campground has none."""
    rows = msgspec.json.decode(column) if column else []
    return tuple(
        DatedRate(number_of(rate, 2), date.fromisoformat(first), date.fromisoformat(last) if last else None)
        for rate, first, last in rows
    )
