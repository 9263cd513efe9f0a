"""How far a new till has come: what it has shown that it can do, read from what it has done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey, Scope
from kasse.models import Source, Transaction
from pos_bridge.activity import BASE_PATH
from pos_bridge.explaining import Text
from pos_bridge.models import ANSWER_LOST, InboundCall, Outcome

WINDOW = timedelta(days=30)
"""How far back is looked: a new till is younger, and the page of an old one stays quick."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a till should have done before it is relied upon; ``done_at`` is when it first has."""

    code: str
    title: Text
    hint: Text
    done_at: datetime | None

    @property
    def done(self) -> bool:
        """Whether it has."""
        return self.done_at is not None


TITLES: tuple[tuple[str, Scope, Text, Text], ...] = (
    ("created", Scope.POS_WRITE, _("First sale booked"), _("Ring up a sale at the till, or run one of the programs.")),
    (
        "replayed",
        Scope.POS_WRITE,
        _("The same sale sent again, and booked once"),
        _("Let the till send a sale again, or run the program a second time."),
    ),
    (
        "refunded",
        Scope.POS_WRITE,
        _("First refund booked"),
        _("Give something back at the till: its total is negative."),
    ),
    ("read_back", Scope.POS_READ, _("A sale read back"), _("The till asks whether a sale has arrived.")),
    ("catalogue", Scope.POS_READ, _("Catalogue fetched"), _("The till reads your products and their prices.")),
)


REHEARSED: tuple[tuple[str, Scope, Text, Text], ...] = (
    (
        "lost",
        Scope.POS_WRITE,
        _("An answer lost on purpose"),
        _("Switch it on under “Try it”, and ring up a sale. The sale is taken, and the till hears nothing of it."),
    ),
    (
        "survived",
        Scope.POS_WRITE,
        _("The same sale sent again after that, and booked once"),
        _("The till sends again by itself. One that does not has lost the sale, or would book it twice."),
    ),
)
"""What only a test key can show."""


def steps_of(key: ApiKey, *, at: datetime) -> list[Step]:
    """The steps that the key's scopes allow, each with the moment since which it is done."""
    since = max(key.created_at, at - WINDOW)
    done: dict[str, datetime | None] = {**_in_the_log(key, since), "refunded": _first_refund(key, since)}
    told = [*TITLES, *REHEARSED] if key.is_test else TITLES
    return [Step(code, title, hint, done[code]) for code, scope, title, hint in told if scope in key.scopes]


def _in_the_log(key: ApiKey, since: datetime) -> dict[str, datetime | None]:
    calls = InboundCall.objects.filter(tenant=key.tenant_id, api_key=key, at__gte=since, status__lt=400)
    read = Q(outcome=Outcome.READ, method__in=("GET", "HEAD"))  # a sale that is only tried out is posted
    products = f"{BASE_PATH}/products"
    return calls.aggregate(
        created=Min("at", filter=Q(outcome=Outcome.CREATED)),
        replayed=Min("at", filter=Q(outcome=Outcome.REPLAYED)),
        read_back=Min("at", filter=read & ~Q(external_ref="")),
        catalogue=Min("at", filter=read & Q(path__in=[products, f"{products}/"])),
        **(_lost_answers(calls) if key.is_test else {}),
    )


def _lost_answers(calls: QuerySet[InboundCall]) -> dict[str, Min]:
    """When an answer was lost first, and when one came through that was lost before."""
    lost = calls.filter(error_code=ANSWER_LOST, external_ref=OuterRef("external_ref"), at__lt=OuterRef("at"))
    again = Q(Exists(lost), outcome=Outcome.REPLAYED, error_code="")
    return {"lost": Min("at", filter=Q(error_code=ANSWER_LOST)), "survived": Min("at", filter=again)}


def _first_refund(key: ApiKey, since: datetime) -> datetime | None:
    """Along ``transaction_by_arrival``."""
    sales = Transaction.objects.of(key.tenant).filter(source=Source.EXTERNAL_POS, received_at__gte=since)
    refunds = sales.filter(api_key=key, total_amount__lt=0).order_by("received_at", "id")
    return refunds.values_list("received_at", flat=True).first()
