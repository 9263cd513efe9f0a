"""What is sold: sale number N is the same in every process and at every time, so nobody has to remember it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from bench.shop import CAMPGROUNDS as ALL_CAMPGROUNDS

CAMPGROUNDS = ALL_CAMPGROUNDS[:2]
DAYS = ("2026-04-27", "2026-04-28", "2026-04-29")
METHODS = ("CASH", "CARD", "TWINT")
ARTICLES = (("Croissant", 120), ("Kaffee", 550), ("Brot", 480), ("Gasflasche 5 kg", 2890), ("Ansichtskarte", 150))
ONE_IN_SO_MANY_BY_TWINS = 10


@dataclass(frozen=True, slots=True)
class Sale:
    """One sale; amounts in Rappen. Both campgrounds use the same references."""

    number: int
    campground: str
    reference: str
    day: str
    method: str
    total: int
    lines: int
    payments: int
    body: bytes

    @property
    def is_sent_by_twins(self) -> bool:
        """Whether two tills send it at the same moment."""
        return self.number % ONE_IN_SO_MANY_BY_TWINS == 3


def sale_numbered(number: int, *, seed: int) -> Sale:
    """Refunds and mixed payments among them; the seed decides amounts, the number all else."""
    rng = Random(f"{seed}/{number}")
    sign = -1 if number % 50 == 49 else 1
    lines = [_line(rng, sign) for _ in range(rng.randint(1, 4))]
    total = sum(_cents(line["line_total"]) for line in lines)
    method, payments = METHODS[number % 3], []
    if number % 20 == 10:
        in_cash = total // 3
        method, payments = "MIXED", [_paid("CASH", in_cash), _paid("CARD", total - in_cash)]
    day, reference = DAYS[number // 7 % 3], f"T-{number // len(CAMPGROUNDS)}"
    document = {
        "external_ref": reference,
        "payment_method": method,
        "total_amount": money(total),
        "items": lines,
        "occurred_at": f"{day}T10:14:32+02:00",
        **({"payments": payments} if payments else {}),
    }
    return Sale(
        number=number,
        campground=CAMPGROUNDS[number % len(CAMPGROUNDS)],
        reference=reference,
        day=day,
        method=method,
        total=total,
        lines=len(lines),
        payments=len(payments) or 1,
        body=json.dumps(document).encode(),
    )


def number_of(campground: str, reference: str) -> int | None:
    """Whose reference it is; None if it is none of ours."""
    head, _, digits = reference.partition("-")
    if head != "T" or not digits.isdecimal() or campground not in CAMPGROUNDS:
        return None
    return int(digits) * len(CAMPGROUNDS) + CAMPGROUNDS.index(campground)


def _line(rng: Random, sign: int) -> dict[str, Any]:
    name, price = rng.choice(ARTICLES)
    quantity = sign * rng.randint(1, 3)
    return {
        "description": name,
        "quantity": quantity,
        "unit_price": money(price),
        "line_total": money(quantity * price),
    }


def _paid(method: str, amount: int) -> dict[str, str]:
    return {"method": method, "amount": money(amount)}


def money(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def _cents(amount: str) -> int:
    return int(amount.replace(".", ""))
