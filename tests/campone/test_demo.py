from __future__ import annotations

import io
import json
import re
import shlex
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from apikeys.models import ApiKey
from campone.demo.access import renew_access
from campone.demo.campgrounds import LOGINS, PLANS, SEEBLICK, WALDRAND, NotOurs, Plan, goods_of, open_campgrounds
from campone.demo.desks import RECEPTION
from campone.demo.history import fill_days, park_a_conflict
from campone.demo.season import Sold, sales_of_day
from catalogue.models import Product
from catalogue.vat import SWISS_RATES
from kasse.models import LineKind, PaymentMethod, Source, Transaction, TransactionItem
from kasse.money import FIVE_RAPPEN, is_multiple_of
from kasse.sales import NewSale
from pos_bridge.contract import Terms, check_sale
from pos_bridge.models import InboundCall, Outcome, ParkedSale
from tenants.models import Membership, Role, Tenant, User
from tests.factories import TenantFactory, UserFactory
from tests.kasse.listed import record
from tests.till import BASE, Till, body_of

ZURICH = ZoneInfo("Europe/Zurich")
EVENING = datetime(2026, 7, 15, 21, 30, tzinfo=timezone.utc)
MORNING = datetime(2026, 7, 15, 7, 0, tzinfo=timezone.utc)


def opens(username: str, password: str) -> bool:
    """Whether a person signs in by that."""
    return User.objects.get(username=username).check_password(password)


def run(*words: str) -> str:
    """What ``demo`` prints."""
    output = io.StringIO()
    call_command("demo", *words, stdout=output)
    return output.getvalue()


def refusal(*words: str) -> str:
    """The one sentence with which ``demo`` refuses."""
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def start(*, at: datetime, days: int = 2, seed: int = 1) -> int:
    """What ``demo`` does, at an instant that is handed in; how many sales that added."""
    tenants = open_campgrounds(at=at)
    added = sum(fill_days(plan, tenants[plan.slug], days=days, at=at, seed=seed) for plan in PLANS)
    park_a_conflict(SEEBLICK, tenants["seeblick"], at=at)
    return added


def rows_of_everything() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def season(plan: Plan, *, first: date = date(2026, 7, 1), days: int = 14, seed: str = "1") -> list[Sold]:
    goods = goods_of(plan)
    dates = [first + timedelta(days=number) for number in range(days)]
    return [each for day in dates for each in sales_of_day(plan.desks, goods, day=day, zone=ZURICH, seed=seed)]


def day_of(instant: datetime) -> date:
    return instant.astimezone(ZURICH).date()


@pytest.fixture
def development(settings: Settings) -> None:
    settings.ENVIRONMENT = replace(settings.ENVIRONMENT, development=True)


@pytest.fixture
def demo(db: None) -> dict[str, Tenant]:
    """Both campgrounds with two days of sales."""
    start(at=EVENING)
    return {tenant.slug: tenant for tenant in Tenant.objects.all()}


@pytest.mark.django_db
class TestTheCommand:
    def test_refuses_outside_development(self) -> None:
        assert "--outside-development" in refusal()
        assert not Tenant.objects.exists()
        assert not User.objects.exists()

    def test_runs_outside_development_if_told(self) -> None:
        run("--outside-development", "--days", "0")

        assert Tenant.objects.count() == 2

    def test_opens_two_campgrounds_and_says_so(self, development: None) -> None:
        said = run("--days", "3")

        added = Transaction.objects.count()
        assert said == f"Camping Seeblick and Camping Waldrand are open; {added} sales added.\n"
        assert added > 100
        assert ParkedSale.objects.count() == 1

    def test_run_twice_adds_nothing(self, development: None) -> None:
        run("--days", "2")
        before = rows_of_everything()

        assert "; 0 sales added." in run("--days", "2")

        assert rows_of_everything() == before

    @pytest.mark.parametrize(
        ("words", "named"),
        [
            (["--days", "-1"], "--days"),
            (["--days", "367"], "--days"),
            (["--days", "two"], "--days"),
            (["--days", "\N{SUPERSCRIPT TWO}"], "--days"),
            (["--seed", "x"], "--seed"),
            (["--url", "127.0.0.1:8000"], "--url"),
            (["--url", "ftp://127.0.0.1"], "--url"),
            (["--url", "https://[::1"], "--url"),
            (["--url", "http://127.0.0.1:8000/api"], "--url"),
        ],
    )
    def test_refuses_what_it_cannot_use(self, development: None, words: list[str], named: str) -> None:
        assert named in refusal(*words)
        assert not Tenant.objects.exists()

    def test_leaves_a_campground_of_that_name_alone(self, development: None) -> None:
        TenantFactory.create(slug="waldrand", name="Camping Waldrand")
        before = rows_of_everything()

        assert "waldrand" in refusal("--print-access")

        assert rows_of_everything() == before

    @pytest.mark.parametrize("username", LOGINS)
    def test_leaves_a_person_of_that_name_alone(self, development: None, username: str) -> None:
        UserFactory.create(username=username, email="anna@campone.example", password="!")
        before = rows_of_everything()

        assert username in refusal("--print-access")

        assert rows_of_everything() == before
        assert User.objects.get().password == "!"


class TestTheCampgrounds:
    def test_have_products_as_a_campground_shop_has(self, demo: dict[str, Tenant]) -> None:
        of_seeblick = Product.objects.of(demo["seeblick"])

        assert 40 <= of_seeblick.filter(active=True).count() <= 50
        assert set(of_seeblick.values_list("category", flat=True)) == {"Shop", "Service", "Restaurant"}
        assert set(of_seeblick.values_list("vat_rate", flat=True)) == {Decimal("2.6"), Decimal("8.1")}
        assert of_seeblick.filter(active=False).count() == 1
        assert 5 <= Product.objects.of(demo["waldrand"]).count() <= 10
        assert Product.objects.of(demo["waldrand"]).filter(active=False).count() == 1

    def test_have_people_who_cannot_sign_in_yet(self, demo: dict[str, Tenant]) -> None:
        roles = Membership.objects.values_list("user__username", "tenant__slug", "role")

        assert set(roles) == {
            ("seeblick", "seeblick", Role.TENANT_ADMIN),
            ("seeblick-staff", "seeblick", Role.STAFF),
            ("waldrand", "waldrand", Role.TENANT_ADMIN),
        }
        assert set(User.objects.values_list("username", flat=True)) == set(LOGINS)
        assert [person.username for person in User.objects.filter(is_superuser=True)] == ["admin"]
        assert not [person for person in User.objects.all() if person.has_usable_password()]

    def test_have_keys_one_of_them_revoked(self, demo: dict[str, Tenant]) -> None:
        keys = ApiKey.objects.of(demo["seeblick"])

        assert sorted(key.name for key in keys.filter(revoked_at=None)) == ["Bistro till", "Shop till"]
        assert keys.exclude(revoked_at=None).count() == 1
        assert [key.name for key in ApiKey.objects.of(demo["waldrand"])] == ["Kiosk till"]

    def test_keep_what_staff_have_changed(self, demo: dict[str, Tenant]) -> None:
        Product.objects.of(demo["seeblick"]).filter(sku="BRO-04").update(unit_price=Decimal("3.80"))
        Tenant.objects.filter(slug="seeblick").update(name="Camping Seeblick am See")

        start(at=EVENING + timedelta(days=1))

        assert Product.objects.of(demo["seeblick"]).get(sku="BRO-04").unit_price == Decimal("3.80")
        assert Tenant.objects.get(slug="seeblick").name == "Camping Seeblick am See"

    def test_are_both_opened_or_none(self, db: None) -> None:
        UserFactory.create(username="waldrand")

        with pytest.raises(NotOurs):
            open_campgrounds(at=EVENING)

        assert not Tenant.objects.exists()


class TestTheHistory:
    def test_of_the_neighbour_is_its_own(self, demo: dict[str, Tenant]) -> None:
        def desks(tenant: Tenant) -> set[str]:
            rows = Transaction.objects.of(tenant).values_list("external_ref", "metadata")
            receipts = [ref or metadata["receipt"] for ref, metadata in rows]
            return {receipt.split("-")[1] for receipt in receipts}

        assert desks(demo["seeblick"]) == {"shop", "bistro", "desk"}
        assert desks(demo["waldrand"]) == {"kiosk"}
        for tenant in demo.values():
            assert set(TransactionItem.objects.filter(transaction__tenant=tenant).values_list("tenant", flat=True)) == {
                tenant.pk
            }
            keys = Transaction.objects.of(tenant).exclude(api_key=None).values("api_key__tenant")
            assert {row["api_key__tenant"] for row in keys} == {tenant.pk}

    def test_comes_from_both_sources(self, demo: dict[str, Tenant]) -> None:
        front_desk = Transaction.objects.of(demo["seeblick"]).filter(source=Source.FRONT_DESK)
        tills = Transaction.objects.of(demo["seeblick"]).filter(source=Source.EXTERNAL_POS)

        assert front_desk.count() > 15
        assert tills.count() > 50
        assert not front_desk.exclude(external_ref=None, api_key=None).exists()
        assert not tills.filter(api_key=None).exists()
        assert tills.filter(external_ref="demo-shop-2026-07-14-0007").exists()

    def test_adds_the_days_that_have_passed_and_no_others(self, demo: dict[str, Tenant]) -> None:
        before = set(Transaction.objects.values_list("pk", flat=True))

        added = start(at=EVENING + timedelta(days=2))

        new = Transaction.objects.exclude(pk__in=before)
        assert {sale.business_date for sale in new} == {date(2026, 7, 16), date(2026, 7, 17)}
        assert new.count() == added > 50

    def test_of_a_day_cut_short_is_completed_the_day_after(self, db: None) -> None:
        def sales_of(day: date) -> int:
            return Transaction.objects.filter(business_date=day).count()

        start(at=MORNING, days=1)
        at_nine = sales_of(MORNING.date())
        assert start(at=MORNING + timedelta(hours=3), days=1) == 0

        start(at=MORNING + timedelta(days=1), days=2)

        planned = sum(len(season(plan, first=MORNING.date(), days=1, seed=f"1/{plan.slug}")) for plan in PLANS)
        assert 0 < at_nine < sales_of(MORNING.date()) == planned

    @pytest.mark.parametrize("hour", [0, 3, 5, 8, 12, 17, 21])
    def test_has_a_sale_of_today_at_any_hour_and_no_more_until_tomorrow(self, db: None, hour: int) -> None:
        local = datetime(2026, 7, 15, hour, 1, tzinfo=ZURICH)

        start(at=local, days=1)
        again = start(at=local + timedelta(hours=2), days=1)

        assert again == 0
        for tenant in Tenant.objects.all():
            assert Transaction.objects.of(tenant).filter(business_date=local.date()).exists()

    @pytest.mark.parametrize("at", [MORNING, datetime(2026, 7, 15, 0, 0, 1, tzinfo=ZURICH)])
    def test_lies_in_the_past(self, db: None, at: datetime) -> None:
        start(at=at, days=5)

        assert not Transaction.objects.filter(received_at__gt=at).exists()
        assert not Transaction.objects.filter(occurred_at__gt=at).exists()

    def test_lets_what_was_on_its_way_over_midnight_arrive(self, db: None) -> None:
        sold = season(SEEBLICK, days=300, seed="1/seeblick")
        late = next(each for each in sold if day_of(each.received_at) > day_of(each.sale.occurred_at))
        midnight = datetime.combine(day_of(late.received_at), time(0, 0, 1), tzinfo=ZURICH)

        start(at=midnight)

        assert Transaction.objects.get(external_ref=late.sale.external_ref).received_at == midnight

    def test_is_not_doubled_by_another_seed(self, demo: dict[str, Tenant]) -> None:
        before = {sale.pk: sale.total_amount for sale in Transaction.objects.all()}

        start(at=EVENING, seed=7)

        after = {sale.pk: sale.total_amount for sale in Transaction.objects.all()}
        assert {pk: after[pk] for pk in before} == before
        # A day that is over may have a few more receipts by another seed, today has none.
        assert len(after) - len(before) < 30
        assert not Transaction.objects.exclude(pk__in=before).filter(business_date=EVENING.date()).exists()

    def test_leaves_a_sale_alone_that_took_one_of_its_references(self, db: None) -> None:
        tenant = open_campgrounds(at=EVENING)["seeblick"]
        record(tenant, external_ref="demo-shop-2026-07-15-0001", occurred_at=MORNING)

        assert fill_days(SEEBLICK, tenant, days=2, at=EVENING + timedelta(days=1), seed=1) > 0
        assert fill_days(SEEBLICK, tenant, days=2, at=EVENING + timedelta(days=1), seed=1) == 0

    def test_adds_up_day_by_day(self, demo: dict[str, Tenant]) -> None:
        yesterday = Transaction.objects.of(demo["seeblick"]).filter(business_date=date(2026, 7, 14))

        total = yesterday.aggregate(sum=Sum("total_amount"))["sum"]
        lines = TransactionItem.objects.filter(transaction__in=yesterday).aggregate(sum=Sum("line_total"))["sum"]
        rounding = yesterday.aggregate(sum=Sum("rounding_amount"))["sum"]

        assert lines + rounding == total
        assert 1000 < total < 6000
        assert not TransactionItem.objects.filter(vat_rate=None).exists()


class TestTheConflict:
    def test_is_parked_as_a_tills_would_be(self, demo: dict[str, Tenant]) -> None:
        parked = ParkedSale.objects.get()

        assert (parked.tenant, parked.api_key.name, parked.times_received) == (demo["seeblick"], "Shop till", 1)
        assert parked.stored.external_ref == parked.external_ref == json.loads(parked.payload)["external_ref"]
        assert {"total_amount", "business_date"} <= {name for name, _stored, _sent in parked.differences}
        assert parked.stored.total_amount != Decimal("58.00")
        assert parked.stored.business_date == date(2026, 7, 14)

    def test_stands_in_the_activity_log_once(self, demo: dict[str, Tenant]) -> None:
        start(at=EVENING + timedelta(days=1))

        call = InboundCall.objects.get()
        assert (call.outcome, call.status, call.error_code) == (Outcome.CONFLICT, 409, "external_ref_conflict")
        assert (call.tenant, call.external_ref) == (demo["seeblick"], ParkedSale.objects.get().external_ref)

    def test_is_the_same_under_the_policy_that_replays(self, db: None, settings: Settings) -> None:
        settings.POS_CONFLICT_POLICY = "replay"

        start(at=EVENING)

        assert ParkedSale.objects.count() == 1
        assert InboundCall.objects.get().status == 200

    def test_waits_until_there_is_a_sale_to_meet(self, db: None) -> None:
        start(at=EVENING, days=0)
        assert not ParkedSale.objects.exists()

        start(at=EVENING, days=2)
        assert ParkedSale.objects.count() == 1


@dataclass(frozen=True)
class Printed:
    """What ``--print-access`` says, taken apart as a newcomer would."""

    text: str

    def after(self, label: str) -> str:
        [value] = re.findall(rf"^{label} +(\S+)", self.text, re.MULTILINE)
        return str(value)

    @property
    def commands(self) -> list[list[str]]:
        return [shlex.split(line) for line in self.text.splitlines() if line.startswith("curl ")]


def paste(command: list[str]) -> HttpResponse:
    """Send what curl would send."""
    curl, *words = command
    assert curl == "curl"
    headers: dict[str, str] = {}
    url, data = "", None
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name.lower()] = value
        elif word == "-d":
            data = words.pop(0)
        elif word != "-i":
            url = word
    parts = urlsplit(url)
    assert parts.path.startswith(BASE)
    till = Till(None, host=parts.netloc)
    path = parts.path.removeprefix(BASE)
    if data is None:
        return till.get(path, **headers)
    return till.call("POST", path, body=data.encode(), headers=headers)


@pytest.mark.django_db
class TestTheAccess:
    WORDS = ("--days", "0", "--url", "http://127.0.0.1:8000/", "--print-access")

    @pytest.fixture
    def printed(self, development: None) -> Printed:
        return Printed(run(*self.WORDS))

    def test_names_the_service_and_its_login(self, printed: Printed) -> None:
        assert printed.after("Service") == "http://127.0.0.1:8000"
        assert printed.after("Staff") == "http://127.0.0.1:8000/"
        assert Client().get("/", headers={"host": "127.0.0.1:8000"}, follow=True).status_code == 200

    @pytest.mark.parametrize("username", LOGINS)
    def test_opens_every_login_of_the_demo(self, printed: Printed, username: str) -> None:
        assert username in printed.text
        assert opens(username, printed.after("Password"))

    def test_signs_the_printed_person_in(self, printed: Printed) -> None:
        client = Client(headers={"host": "127.0.0.1:8000"})
        form = {"username": printed.after("User"), "password": printed.after("Password"), "next": "/"}

        assert client.post("/anmelden", form).headers["Location"] == "/"

    def test_pastes_as_a_sale_that_is_new_once_and_then_replayed(self, printed: Printed) -> None:
        post, read_back = printed.commands

        answers = [paste(post), paste(post), paste(read_back)]

        assert [answer.status_code for answer in answers] == [201, 200, 200]
        assert {body_of(answer)["external_ref"] for answer in answers} == {"lightspeed-2026-04-29-T-1234"}
        assert {body_of(answer)["total_amount"] for answer in answers} == {"12.50"}
        sale = Transaction.objects.get()
        assert (sale.tenant.slug, sale.source) == ("seeblick", Source.EXTERNAL_POS)

    def test_pastes_the_product_pages_own_example(self, printed: Printed) -> None:
        post, _read_back = printed.commands

        assert json.loads(post[post.index("-d") + 1]) == {
            "external_ref": "lightspeed-2026-04-29-T-1234",
            "payment_method": "CASH",
            "total_amount": "12.50",
            "items": [
                {"description": "Croissant", "quantity": 2, "unit_price": "3.50", "line_total": "7.00"},
                {"description": "Coffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50"},
            ],
            "occurred_at": "2026-04-29T08:14:32Z",
        }

    def test_is_new_with_each_start_and_the_one_before_is_shut(self, printed: Printed) -> None:
        again = Printed(run(*self.WORDS))

        assert again.after("Password") != printed.after("Password")
        assert again.after("API key") != printed.after("API key")
        assert not opens("seeblick", printed.after("Password"))
        assert Till(printed.after("API key")).get("/ping/").status_code == 401
        assert Till(again.after("API key")).get("/ping/").status_code == 200
        assert json.loads(Till(again.after("Test key")).get("/ping/").content)["test"]
        living = ApiKey.objects.across_tenants().filter(name="Demo till", revoked_at=None)
        assert sorted(key.is_test for key in living) == [False, True]

    def test_stays_as_it_is_unless_it_is_asked_for(self, printed: Printed) -> None:
        said = run("--days", "0")

        assert len(said.splitlines()) == 1
        assert opens("seeblick", printed.after("Password"))
        assert Till(printed.after("API key")).get("/ping/").status_code == 200

    def test_is_kept_nowhere_in_clear(self, printed: Printed) -> None:
        secrets = (printed.after("Password"), printed.after("API key")[11:])
        stored = [str(row) for model in apps.get_models() for row in model._default_manager.values()]

        assert not [row for row in stored for secret in secrets if secret in row]

    def test_reaches_nobody_but_the_demos_own_people(self, printed: Printed) -> None:
        other = UserFactory.create(username="anna", email="anna@campone.example", password="!")

        run(*self.WORDS)

        other.refresh_from_db()
        assert other.password == "!"

    def test_is_not_given_to_a_person_who_is_no_longer_the_demos(self, demo: dict[str, Tenant]) -> None:
        User.objects.filter(username="waldrand").update(email="anna@campone.example", password="!")

        access = renew_access(demo["seeblick"], at=EVENING)

        assert User.objects.get(username="waldrand").password == "!"
        assert opens("seeblick", access.password)
        assert access.password not in repr(access)
        assert access.token not in repr(access)
        assert access.test_token not in repr(access)

    def test_leads_to_the_public_url_unless_told(self, development: None) -> None:
        assert Printed(run("--days", "0", "--print-access")).after("Service") == "https://api.campone.example"


def document_of(sale: NewSale) -> dict[str, Any]:
    """A sale as its till would have sent it."""
    return {
        "external_ref": sale.external_ref,
        "payment_method": sale.payment_method.value,
        "currency": sale.currency,
        "total_amount": str(sale.total_amount),
        "rounding_amount": str(sale.rounding_amount),
        "tip_amount": str(sale.tip_amount),
        "items": [
            {
                "description": item.description,
                "quantity": str(item.quantity),
                "unit_price": str(item.unit_price),
                "line_total": str(item.line_total),
                "sku": item.sku,
                "vat_rate": str(item.vat_rate),
                "category": item.category,
                "kind": item.kind.value,
            }
            for item in sale.items
        ],
        "payments": [
            {"method": each.method.value, "amount": str(each.amount), "tip_amount": str(each.tip_amount)}
            for each in sale.payments
        ],
        "occurred_at": sale.occurred_at.isoformat(),
        "refund_of": sale.refund_of,
        "receipt_seq": None if sale.receipt_seq is None else str(sale.receipt_seq),
    }


class TestASeason:
    SEEBLICKS = season(SEEBLICK)
    BOTH = SEEBLICKS + season(WALDRAND)

    def test_is_the_same_from_the_same_seed(self) -> None:
        assert season(SEEBLICK, days=3) == season(SEEBLICK, days=3)
        assert season(SEEBLICK, days=3) != season(SEEBLICK, days=3, seed="2")

    def test_has_a_number_of_its_own_for_every_receipt(self) -> None:
        receipts = Counter(sold.receipt for sold in self.BOTH)

        assert set(receipts.values()) == {1}
        assert all(re.fullmatch(r"demo-[a-z]+-2026-07-\d\d-\d{4}", receipt) for receipt in receipts)

    def test_numbers_the_receipts_of_the_shop_and_loses_one_a_week(self) -> None:
        numbers: dict[date, list[int]] = {}
        for sold in season(SEEBLICK):
            if sold.desk.counts:
                numbers.setdefault(sold.sale.occurred_at.date(), []).append(sold.sale.receipt_seq or 0)

        lost = {day: set(range(1, max(found) + 1)) - set(found) for day, found in numbers.items()}
        assert {day: each for day, each in lost.items() if each} == {date(2026, 7, 5): {17}, date(2026, 7, 12): {17}}

    def test_keeps_every_rule_of_the_contract(self) -> None:
        rates = [rate for rate, _first, last, _label in SWISS_RATES if last is None]
        terms = Terms(
            "CHF", datetime(2026, 8, 1, tzinfo=timezone.utc), lambda instant: instant.date(), lambda day: rates
        )

        for sold in self.BOTH:
            if sold.desk.source is Source.EXTERNAL_POS:
                checked = check_sale(document_of(sold.sale), terms)
                assert checked.sale == sold.sale
                assert checked.remarks == ()

    def test_adds_up_at_the_front_desk_too(self) -> None:
        for sold in self.BOTH:
            sale = sold.sale
            assert sum(item.line_total for item in sale.items) + sale.rounding_amount == sale.total_amount
            assert sum(payment.amount for payment in sale.payments) == sale.total_amount

    def test_names_front_desk_receipts_beside_the_sale(self) -> None:
        front_desk = [sold for sold in self.SEEBLICKS if sold.desk is RECEPTION]

        assert all(sold.sale.external_ref is None for sold in front_desk)
        assert all(sold.sale.metadata == {"receipt": sold.receipt} for sold in front_desk)

    def test_is_paid_in_every_way(self) -> None:
        tills = Counter(sold.sale.payment_method for sold in self.SEEBLICKS if sold.desk is not RECEPTION)
        front_desk = {sold.sale.payment_method for sold in self.SEEBLICKS if sold.desk is RECEPTION}

        assert {PaymentMethod.CASH, PaymentMethod.CARD, PaymentMethod.TWINT} <= {
            each for each, _ in tills.most_common(3)
        }
        assert {PaymentMethod.VOUCHER, PaymentMethod.ON_TAB, PaymentMethod.MIXED} <= set(tills)
        assert {PaymentMethod.WORLDLINE, PaymentMethod.BANK, PaymentMethod.STRIPE} <= front_desk

    def test_rounds_cash_to_what_there_are_coins_for(self) -> None:
        rounded = [sold.sale for sold in self.BOTH if sold.sale.rounding_amount]

        assert rounded
        for sale in rounded:
            assert sale.payment_method is PaymentMethod.CASH
            assert abs(sale.rounding_amount) <= Decimal("0.02")
        for sold in self.BOTH:
            if sold.sale.payment_method is PaymentMethod.CASH:
                assert is_multiple_of(sold.sale.total_amount, FIVE_RAPPEN)

    def test_has_tips_refunds_and_discounts(self) -> None:
        sales = {sold.receipt: sold.sale for sold in self.SEEBLICKS}
        refunds = [sale for sale in sales.values() if sale.refund_of]

        assert [sale for sale in sales.values() if sale.tip_amount]
        assert [sale for sale in sales.values() for item in sale.items if item.kind is LineKind.DISCOUNT]
        assert 5 < len(refunds) < 60
        for refund in refunds:
            original = sales[refund.refund_of]
            assert refund.total_amount < 0
            assert refund.occurred_at >= original.occurred_at
            assert -refund.total_amount <= original.total_amount + Decimal("0.02")
            assert refund.payment_method is original.payment_method

    def test_sells_its_bread_in_the_morning(self) -> None:
        hours = Counter(
            sold.sale.occurred_at.astimezone(ZURICH).hour < 11
            for sold in self.SEEBLICKS
            for item in sold.sale.items
            if item.sku.startswith("BRO") and not sold.sale.refund_of
        )

        assert hours[True] > 20 * hours[False]

    def test_brings_in_what_a_campground_may_take(self) -> None:
        days = Counter[date]()
        for sold in self.SEEBLICKS:
            days[sold.sale.occurred_at.date()] += int(sold.sale.total_amount)

        assert len(days) == 14
        assert all(1000 < total < 6000 for total in days.values())

    def test_reaches_us_after_it_happened_and_now_and_then_hours_later(self) -> None:
        ways = [sold.received_at - sold.sale.occurred_at for sold in self.BOTH]

        assert all(timedelta(0) <= way < timedelta(hours=3) for way in ways)
        assert [way for way in ways if way > timedelta(minutes=20)]
