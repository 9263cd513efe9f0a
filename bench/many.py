"""Many sales through the ledger's door at once, in one process and without HTTP: what the list form saves.

``python -m bench.many SALES``, with the product's environment, prints how many were recorded, and the CPU.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import django

from bench import shop

if TYPE_CHECKING:
    from kasse.sales import NewSale

AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Many:
    """Recorded sales, and CPU seconds of the process and of the database."""

    sales: int
    process_cpu: float
    database_cpu: float

    @property
    def both(self) -> float:
        """CPU seconds for a thousand sales."""
        return 1000 * (self.process_cpu + self.database_cpu) / self.sales


def measure(sales: int, *, run: Callable[[list[str]], str], database_cpu: Callable[[], float]) -> Many:
    """Have another process record so many; ``run`` starts it with arguments and hands over what it printed."""
    run([str(AT_ONCE)])  # once before, so that what a first run costs is in nobody's books
    before = database_cpu()
    told: Mapping[str, float] = json.loads(run([str(sales)]))
    return Many(int(told["sales"]), float(told["cpu"]), database_cpu() - before)


def record(number: int) -> dict[str, float]:
    """Record so many sales of the shop, a hundred at a time."""
    from django.utils import timezone  # Django is not ready before ``django.setup()``

    from apikeys.models import ApiKey
    from kasse.models import Source
    from kasse.recording import ExternalRefConflict, record_transactions

    key = ApiKey.objects.across_tenants().select_related("tenant").order_by("pk")[0]
    now = timezone.now()
    run, recorded, began = now.strftime("%H%M%S%f"), 0, time.process_time()
    for first in range(0, number, AT_ONCE):
        outcomes = record_transactions(
            tenant=key.tenant,
            sales=[new_sale(f"{run}-{first + place:08}", now) for place in range(min(AT_ONCE, number - first))],
            source=Source.EXTERNAL_POS,
            received_at=now,
            api_key=key,
        )
        recorded += sum(not isinstance(each, ExternalRefConflict) and each.created for each in outcomes)
    return {"sales": recorded, "cpu": time.process_time() - began}


def new_sale(reference: str, now: datetime) -> NewSale:
    """The sale of the shop, checked already."""
    from kasse.models import PaymentMethod
    from kasse.sales import NewItem, NewPayment, NewSale

    document = shop.sale(reference, now - timedelta(minutes=1))
    return NewSale(
        external_ref=reference,
        payment_method=PaymentMethod.CASH,
        currency="CHF",
        total_amount=Decimal(document["total_amount"]),
        rounding_amount=Decimal("0.00"),
        tip_amount=Decimal("0.00"),
        items=tuple(
            NewItem(
                description=each["description"],
                quantity=Decimal(each["quantity"]),
                unit_price=Decimal(each["unit_price"]),
                line_total=Decimal(each["line_total"]),
                sku=each["sku"],
                vat_rate=Decimal(each["vat_rate"]),
                category=each["category"],
            )
            for each in document["items"]
        ),
        payments=(NewPayment(method=PaymentMethod.CASH, amount=Decimal(document["total_amount"])),),
        occurred_at=now - timedelta(minutes=1),
    )


if __name__ == "__main__":
    django.setup()
    json.dump(record(int(sys.argv[1])), sys.stdout)
