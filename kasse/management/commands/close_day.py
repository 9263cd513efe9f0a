"""``close_day``: close a business day from the command line."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.utils import timezone

from kasse.cash import DENOMINATIONS, CountedCash
from kasse.closing import (
    AlreadyClosed,
    DayToCome,
    EarlierDayOpen,
    FloatNotCounted,
    InOtherHands,
    NotClosed,
    ReasonMissing,
    close_day,
)
from kasse.money import ZERO
from kasse.totals import MixedCurrencies
from tenants.access import tenants_of
from tenants.fence import within
from tenants.management.campgrounds import campground_named
from tenants.models import Role, Tenant, User
from tenants.swiss import money_text

PIECES = re.compile("[0-9]{1,5}")


def read_day(text: str) -> date:
    """A day such as 2026-04-29."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"not a day such as 2026-04-29: {text}") from None


def read_amount(text: str) -> Decimal:
    """An amount such as 523.40, not below zero."""
    try:
        amount = Decimal(text)
        if amount.is_finite() and 0 <= amount < 10**8 and amount == round(amount, 2):
            return round(amount, 2)
    except InvalidOperation:
        pass
    raise ArgumentTypeError(f"not an amount such as 523.40: {text}")


def read_counted(text: str) -> CountedCash:
    """A sum, or notes and coins such as 100x3,20x5,0.05x7."""
    if "x" not in text:
        return CountedCash(other=read_amount(text))
    pieces: dict[Decimal, int] = {}
    for part in text.split(","):
        value, _, count = part.partition("x")
        if not PIECES.fullmatch(count) or read_amount(value) in pieces:
            raise ArgumentTypeError(f"not notes and coins such as 100x3,20x5,0.05x7: {text}")
        pieces[read_amount(value)] = int(count)
    return CountedCash.of(pieces)


class Command(BaseCommand):
    help = "Close a business day for ever: its Z number is printed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--date", required=True, type=read_day, metavar="DAY", help="such as 2026-04-29")
        parser.add_argument(
            "--counted",
            type=read_counted,
            default=CountedCash(),
            metavar="CASH",
            help="a sum such as 523.40, or notes and coins such as 100x3,20x5,0.05x7; nothing if left out",
        )
        parser.add_argument("--float-left", type=read_amount, metavar="AMOUNT", help="what stays in the drawer")
        parser.add_argument(
            "--first-float", type=read_amount, default=ZERO, metavar="AMOUNT", help="at the first close"
        )
        parser.add_argument("--reason", default="", help="why counted is not what was expected")
        parser.add_argument("--by", metavar="USERNAME", help="who closes it: an admin of the campground")

    @no_translations
    def handle(self, *args: Any, tenant: str, **options: Any) -> None:
        """Close it, or say in one sentence why not."""
        found = campground_named(tenant)
        unknown = {value for value, _ in options["counted"].pieces} - set(DENOMINATIONS.get(found.currency, ()))
        if unknown:
            raise CommandError(f"There is no {', '.join(map(money_text, sorted(unknown)))} in {found.currency}.")
        try:
            with within(found):
                close = close_day(
                    tenant=found,
                    day=options["date"],
                    by=admin_named(options["by"], found),
                    counted=options["counted"],
                    at=timezone.now(),
                    float_left=options["float_left"],
                    first_float=options["first_float"],
                    variance_reason=options["reason"],
                )
        except (NotClosed, MixedCurrencies) as refusal:
            raise CommandError(sentence(refusal)) from None
        self.stdout.write(
            f"Z{close.z_number}: {close.business_date}, {close.sale_count} sales, expected "
            f"{money_text(close.expected_amount)}, counted {money_text(close.counted_amount)}."
        )


def admin_named(username: str | None, tenant: Tenant) -> User | None:
    """Who closes; the command line itself if nobody is named."""
    if username is None:
        return None
    user = User.objects.filter(username=username).first()
    if user is None or tenant not in tenants_of(user, Role.TENANT_ADMIN):
        raise CommandError(f"{username!r} is no admin of {tenant.slug}.")
    return user


def sentence(refusal: NotClosed | MixedCurrencies) -> str:
    """Why the day was not closed."""
    match refusal:
        case DayToCome():
            said = f"That day has not begun; today is {refusal.today}."
        case AlreadyClosed():
            said = f"That day is behind us: {refusal.close} is closed."
        case EarlierDayOpen():
            said = f"{refusal.day} has sales and comes first."
        case ReasonMissing():
            said = f"Counted differs from expected by {money_text(refusal.variance)}: say why with --reason."
        case FloatNotCounted():
            said = f"No more than the {money_text(refusal.counted)} that were counted can be left."
        case InOtherHands():
            said = "Somebody else is closing a day at this moment: try again."
        case _:
            said = f"That day has sales in more than one currency: {refusal}."
    return said
