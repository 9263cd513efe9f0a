"""Whatever form Lightspeed gives an account, however it delivers it: one account is one sale, the sums agree."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.lightspeed.mapping import map_event
from adapters.neutral import NeutralSale, Terms
from adapters.payloads import document_in, read_body, text_of
from kasse.models import Transaction
from tests.adapters.vendors_tills import LightspeedTill

TERMS = Terms(currency="CHF", scope="seeblick-restaurant")
RAPPEN = st.integers(1, 50_000)
IDS = st.integers(1, 2**48).flatmap(lambda number: st.sampled_from([number, str(number)]))
OPTIONAL = ("name", "openDate", "covers", "ownerId", "deviceId", "receiptId", "identifier", "initialAccountId")
NUMBERS = count(1)


def sale_in(account: Any) -> NeutralSale:
    """The one sale of an account, by the way every account goes."""
    (sale,) = map_event(document_in(text_of(read_body(json.dumps(account).encode()))), TERMS)
    return sale


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    """A line whose price holds its tax, in any of the documented forms."""
    rappen, rate = draw(RAPPEN), draw(st.sampled_from([1.081, 1.026, 1.038, 1, "1.081", 8.1, 0.081]))
    tax = {"taxId": draw(IDS), "taxRate": rate, "taxIncluded": True, "taxAmount": 0.1}
    line = {
        "description": draw(st.sampled_from(["Rösti", "Fondue", "Rivella", "Glace"])),
        "unitAmount": rappen / 100,
        "amount": draw(st.sampled_from([rappen / 100, f"{rappen / 100:.2f}"])),
        "quantity": draw(st.sampled_from([1, 1.0, "1", None])),
        "taxRate": rate,
        "taxId": draw(IDS),
        "groupId": draw(IDS),
        "taxIncluded": draw(st.sampled_from([True, None])),
        "taxLines": draw(st.sampled_from([None, tax, [tax], []])),
        "type": draw(st.sampled_from(["Sale", None, "Unheard"])),
    }
    return {name: value for name, value in line.items() if value is not None or draw(st.booleans())}


@st.composite
def accounts(draw: st.DrawFn) -> dict[str, Any]:
    """An account paid to the Rappen, in one to three parts, with tips."""
    sold = draw(st.lists(lines(), min_size=1, max_size=5))
    whole = sum(round(float(line["amount"]) * 100) for line in sold)
    cuts = sorted(draw(st.lists(st.integers(0, whole), max_size=2)))
    parts = [after - before for before, after in zip([0, *cuts], [*cuts, whole], strict=True)]
    uuid = draw(st.uuids())
    account = {
        "businessExternalReference": "seeblick-restaurant",
        "uuid": in_base64(uuid, random.Random(draw(st.integers(0, 99)))),
        "fiscId": draw(st.sampled_from([f"A{uuid.int % 9999}.7", None])),
        "closeDate": draw(
            st.sampled_from(["2026-04-29T18:27:33Z", "2026-04-29T18:27:33.266", "2026-04-29T20:27:33+02:00"])
        ),
        "transactions": sold,
        "payments": [
            {"amount": part / 100, "gratuity": draw(st.integers(0, 900)) / 100, "methodCode": "CARD"} for part in parts
        ],
        **{name: draw(IDS) for name in draw(st.sets(st.sampled_from(OPTIONAL)))},
    }
    return dict(draw(st.permutations(list(account.items()))))


def in_base64(uuid: UUID, dice: random.Random) -> str:
    """Sixteen bytes in either alphabet, with or without the padding."""
    text = (b64encode if dice.random() < 0.5 else urlsafe_b64encode)(uuid.bytes).decode()
    return text if dice.random() < 0.5 else text.rstrip("=")


class TestAnAccount:
    @given(accounts())
    def test_adds_up_whatever_its_form(self, account: dict[str, Any]) -> None:
        sale = sale_in(account)

        paid = sum(round(payment["amount"] * 100) for payment in account["payments"])
        assert sale.total == Decimal(paid) / 100
        assert sum(line.line_total for line in sale.lines) + sale.rounding == sale.total
        assert sum(tender.amount for tender in sale.tenders) == sale.total
        assert sale.tip == sum(Decimal(str(payment["gratuity"])) for payment in account["payments"])
        assert not sale.review

    @given(accounts(), st.randoms(use_true_random=False))
    def test_is_known_by_the_same_names_in_every_spelling(self, account: dict[str, Any], dice: random.Random) -> None:
        first = sale_in(account)
        raw = UUID(first.names[-1].rpartition(":")[2])

        for uuid in (in_base64(raw, dice), str(raw), str(raw).upper()):
            assert sale_in({**account, "uuid": uuid}).names == first.names

    @given(accounts(), st.randoms(use_true_random=False))
    def test_is_the_same_without_what_nobody_needs(self, account: dict[str, Any], dice: random.Random) -> None:
        left_out = {name for name in OPTIONAL if name in account and dice.random() < 0.5}
        bare = {name: value for name, value in account.items() if name not in left_out}

        one, other = sale_in(account), sale_in(bare)

        assert (one.names, one.lines, one.tenders, one.total) == (other.names, other.lines, other.tenders, other.total)

    @given(accounts())
    def test_negated_takes_back_exactly_what_it_brought(self, account: dict[str, Any]) -> None:
        sale, back = sale_in(account), sale_in(negated(account))

        assert sale.total + back.total == 0
        assert sale.tip + back.tip == 0
        assert sum(line.line_total for line in (*sale.lines, *back.lines)) + sale.rounding + back.rounding == 0


def negated(account: dict[str, Any]) -> dict[str, Any]:
    """The void of an account: its lines and payments negated."""
    lines = [{**line, "amount": -float(line["amount"]), "quantity": -1} for line in account["transactions"]]
    payments = [
        {**payment, "amount": -payment["amount"], "gratuity": -payment["gratuity"]} for payment in account["payments"]
    ]
    return {**account, "fiscId": "A1.void", "transactions": lines, "payments": payments}


class TestDeliveries:
    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.lists(accounts(), min_size=1, max_size=3), st.randoms(use_true_random=False))
    def test_in_any_order_and_number_are_one_sale_each(
        self, lightspeed: LightspeedTill, drawn: list[dict[str, Any]], dice: random.Random
    ) -> None:
        """With a fiscal number, without, the first to come or the last, once or again."""
        business = f"seeblick-{next(NUMBERS)}"
        before = Transaction.objects.count()
        fresh = [
            {**account, "fiscId": f"A{business}.{place}", "businessExternalReference": "seeblick-restaurant"}
            | {"uuid": in_base64(UUID(int=dice.getrandbits(128)), dice)}
            for place, account in enumerate(drawn)
        ]
        deliveries = [form for account in fresh for form in (account, {**account, "fiscId": None}, account)]
        dice.shuffle(deliveries)

        for number, account in enumerate(deliveries):
            assert (
                lightspeed.charge(account, delivery=dice.choice(["", f"LS1_{business}_{number % 3}"])).status_code
                == 200
            )

        assert Transaction.objects.count() - before == len(fresh)
        newest = Transaction.objects.order_by("-received_at", "-pk")[: len(fresh)]
        assert sum(sale.total_amount for sale in newest) == sum(sale_in(account).total for account in fresh)
