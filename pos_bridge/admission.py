"""Who calls, and on what terms: one row for a call, by the public start of its token.

Key, campground, settings card and VAT rates are one row, and the database is asked for it on every call: what
staff change holds from the very next one, on every worker. Of a test key all but the key is its campground's, and only
whose rows are written is the rehearsal. Whether the token opens anything is for ``apikeys.verification`` to say.

The row can be asked for first (``admission_of()``). Or a call goes ahead with the row that this process remembers
(``recall()``), and its one statement that stores anything compares it in the database (``CONFIRMED``): it stores
nothing if a letter of it has changed, and the call begins anew. PostgreSQL only, where it saves a round trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

import msgspec
from django.db import InterfaceError, OperationalError, connection, models
from rest_framework.request import Request

from apikeys.authentication import ApiKeyAuthentication
from apikeys.models import ApiKey
from apikeys.verification import is_use_due
from catalogue.exact_decimals import number_of
from catalogue.vat import DatedRate, DatedRates
from kasse.sqlite import from_json, in_utc, on_sqlite
from kasse.statements import do_without_connection, execute, leave_the_dead
from pos_bridge.models import BridgeSettings
from tenants.fence import is_standing, side_of, stand
from tenants.models import Tenant
from tenants.rehearsals import rehearsal_of


@dataclass(frozen=True, slots=True)
class Admission:
    """A till's key with its campground loaded, and what the campground has set; ``row`` is where that stood."""

    key: ApiKey
    bridge: BridgeSettings
    rates: DatedRates
    row: str = ""


class OutOfDate(Exception):
    """The row that is remembered of a key is not what the database holds; nothing was stored or counted."""


class TillAuthentication(ApiKeyAuthentication):
    """Bearer tokens of tills; keeps what was read beside the key for the view.

    ``recalls_at`` is when the call came, if it will have the database confirm what is remembered; ``recalled`` says
    that it has to.
    """

    admission: Admission | None = None
    recalls_at: datetime | None = None
    recalled = False

    def find_key(self, prefix: str) -> ApiKey | None:
        """The key with this prefix, and the rest of its admission; from now on the call is within its campground."""
        # Not for whoever has only a prefix: that it is remembered would be told by the time that it saves.
        self.admission = recall(prefix, at=self.recalls_at) if self.recalls_at and self.proven else None
        self.recalled = self.admission is not None
        self.admission = self.admission or admission_of(prefix)
        key = self.admission.key if self.admission else None
        if key and is_standing():
            stand(side_of(key.tenant))
        # Who is about to wait for a hash holds no connection meanwhile: tills would wait for it.
        if not self.proven:
            do_without_connection()
        return key


def authenticator_of(request: Request) -> TillAuthentication:
    """The one way in that there is."""
    return cast(TillAuthentication, cast("list[Any]", request.authenticators)[0])


def admission_of(prefix: str) -> Admission | None:
    """The admission of the key with this prefix, proven or not."""
    try:
        row = _read(prefix)
    except (OperationalError, InterfaceError):
        # The first word on a connection that was kept: if that has died meanwhile, a new one may do. Where there was
        # none to be had, we have waited for it already.
        if connection.connection is None or connection.in_atomic_block or connection.is_usable():
            raise
        leave_the_dead()
        row = _read(prefix)
    if row is None:
        return None
    if len(_REMEMBERED) >= MOST_REMEMBERED:
        _REMEMBERED.clear()
    _REMEMBERED[prefix] = row
    return _admission(row)


def recall(prefix: str, *, at: datetime) -> Admission | None:
    """What this process remembers of a key, for whoever has it confirmed; None if the row is to be read first.

    It is if the key's use has to be noted, which changes the row.
    """
    row = _REMEMBERED.get(prefix)
    if row is None:
        return None
    admission = _admission(row)
    return None if is_use_due(admission.key, at) else admission


def _read(prefix: str) -> str | None:
    found = execute(ROW_ON_SQLITE if on_sqlite() else ROW, {"prefix": prefix}).fetchone()
    return cast(str, found[0]) if found else None


def _columns(model: type[models.Model], alias: str) -> str:
    return ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)


_TEXT = " ".join(
    f"""
    SELECT CAST({{pack}}({_columns(ApiKey, "k")}, {_columns(Tenant, "t")},
        (SELECT enabled FROM pos_bridge_bridgesettings WHERE tenant_id = t.id),
        (SELECT default_vat_rate FROM pos_bridge_bridgesettings WHERE tenant_id = t.id),
        (SELECT {{collect}}({{pack}}(rate, valid_from, valid_until)) FROM catalogue_vatrate WHERE tenant_id = t.id)
        ) AS text)
    FROM apikeys_apikey AS k
    JOIN tenants_tenant AS t ON t.id = abs(k.tenant_id)
    WHERE k.prefix = %(prefix)s
""".split()
)
ROW = _TEXT.format(pack="json_build_array", collect="json_agg")
ROW_ON_SQLITE = _TEXT.format(pack="json_array", collect="json_group_array")
CONFIRMED = f"""
    admitted AS MATERIALIZED (
        SELECT * FROM told WHERE call_row IS NULL OR call_row = ({ROW.replace("%(prefix)s", "told.call_prefix")})
    )
"""
"""A ``WITH`` part for PostgreSQL: of the calls in ``told`` those of which the key's row is still what the database
holds, if it is only remembered, and handed over as ``call_row``.
"""

_REMEMBERED: dict[str, str] = {}
MOST_REMEMBERED = 10_000


@lru_cache(maxsize=1024)
def _admission(text: str) -> Admission:
    """The row as values. It is read on every call; only for an equal row are they not made again."""
    row = msgspec.json.decode(text)
    key = _row_of(ApiKey, row)
    row = row[len(ApiKey._meta.concrete_fields) :]
    tenant = _row_of(Tenant, row)
    key.tenant = rehearsal_of(tenant) if key.is_test else tenant
    enabled, default_vat_rate, rates = row[len(Tenant._meta.concrete_fields) :]
    bridge = BridgeSettings(tenant=key.tenant)
    if enabled is not None:
        bridge.enabled = bool(enabled)
        bridge.default_vat_rate = None if default_vat_rate is None else number_of(default_vat_rate, 2)
    return Admission(key, bridge, tuple(_rate(*each) for each in from_json(rates) or ()), text)


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
