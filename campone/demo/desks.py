"""Who sells what, when and how at the demo campgrounds: shop, bistro, front desk, and the neighbour's kiosk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from decimal import Decimal

from kasse.models import PaymentMethod, Source


@dataclass(frozen=True, slots=True)
class Article:
    """Something on the shelf; ``vat_rate`` in percent."""

    sku: str
    name: str
    category: str
    unit_price: Decimal
    vat_rate: Decimal


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of one kind: about how many sales, and which articles (the start of their SKU) are how much in demand."""

    begins: time
    ends: time
    sales: int
    demand: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Desk:
    """A place where sales are made; ``name`` is part of its receipt numbers, ``methods`` are payments by weight.

    ``counts``: it sends its running number, too.
    """

    name: str
    source: Source
    methods: Mapping[PaymentMethod, int]
    tip: float
    shifts: tuple[Shift, ...]
    counts: bool = False


IN_THE_SHOP = {
    PaymentMethod.CARD: 40,
    PaymentMethod.CASH: 28,
    PaymentMethod.TWINT: 20,
    PaymentMethod.ON_TAB: 5,
    PaymentMethod.VOUCHER: 3,
    PaymentMethod.MIXED: 4,
}
AT_THE_FRONT_DESK = {
    PaymentMethod.WORLDLINE: 45,
    PaymentMethod.TWINT: 18,
    PaymentMethod.CASH: 15,
    PaymentMethod.BANK: 8,
    PaymentMethod.STRIPE: 8,
    PaymentMethod.ON_TAB: 6,
}
NIGHTS = (
    Article("UEB-01", "Stellplatz mit Strom, 1 Nacht", "Service", Decimal("48.00"), Decimal("3.8")),
    Article("UEB-02", "Zeltplatz, 1 Nacht", "Service", Decimal("32.00"), Decimal("3.8")),
    Article("UEB-03", "Hund, 1 Nacht", "Service", Decimal("5.00"), Decimal("3.8")),
    Article("KUR-01", "Kurtaxe, 1 Nacht", "Service", Decimal("3.20"), Decimal(0)),
)
SHOP = Desk(
    "shop",
    Source.EXTERNAL_POS,
    IN_THE_SHOP,
    tip=0.0,
    counts=True,
    shifts=(
        Shift(time(7), time(10, 30), 18, {"BRO": 14, "MIL": 4, "LEB": 3, "ZEI": 5, "FRU": 2}),
        Shift(time(10, 30), time(16, 30), 9, {"EIS": 9, "GET": 5, "SON": 3, "CAM": 3, "FRU": 3, "GAS": 1}),
        Shift(time(16, 30), time(20), 10, {"GRI": 8, "GET": 7, "LEB": 4, "FRU": 2, "GAS": 2, "MIL": 2}),
    ),
)
BISTRO = Desk(
    "bistro",
    Source.EXTERNAL_POS,
    IN_THE_SHOP,
    tip=0.35,
    shifts=(
        Shift(time(11, 30), time(14), 6, {"RES": 6, "BAR": 4, "KAF": 5}),
        Shift(time(17, 30), time(22), 9, {"RES": 6, "BAR": 8, "KAF": 2}),
    ),
)
RECEPTION = Desk(
    "desk",
    Source.FRONT_DESK,
    AT_THE_FRONT_DESK,
    tip=0.0,
    shifts=(
        Shift(time(8), time(12), 5, {"UEB": 6, "KUR": 5, "WAS": 2, "DUS": 2}),
        Shift(time(14), time(20), 7, {"UEB": 4, "KUR": 3, "VEL": 3, "WAS": 2, "DUS": 2, "GAS": 2}),
    ),
)
KIOSK = Desk(
    "kiosk",
    Source.EXTERNAL_POS,
    IN_THE_SHOP,
    tip=0.0,
    shifts=(Shift(time(8), time(18), 4, {"BRO": 5, "MIL": 2, "GET": 3, "GRI": 2, "GAS": 1}),),
)
