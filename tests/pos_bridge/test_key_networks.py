"""A key that may be used from some networks alone: everywhere else its proven token is refused, and counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apikeys.minting import Minted
from apikeys.models import ApiKey
from apikeys.replacing import replace_key
from kasse.models import Transaction
from pos_bridge.models import InboundCall
from pos_bridge.throttling import calls_in_last_hour
from tenants.models import Tenant
from tests.factories import mint
from tests.till import Till, body_of, croissants_and_coffee

KIOSK = "203.0.113.9"
ELSEWHERE = "198.51.100.1"


@pytest.fixture
def fenced(seeblick: Tenant, waldrand: Tenant) -> Minted:
    return mint(seeblick, networks=["203.0.113.0/24", "2001:db8:5::/48"], budget=1000)


@pytest.fixture
def proxied(settings: Any) -> None:
    settings.PROXY_COUNT = 1


@pytest.mark.usefixtures("proxied")
class TestACall:
    def test_from_there_is_let_in(self, fenced: Minted) -> None:
        till = Till(fenced.token)

        assert till.post(croissants_and_coffee(), x_forwarded_for=KIOSK).status_code == 201
        assert till.get("/ping/", x_forwarded_for="2001:db8:5::17").status_code == 200

    def test_from_elsewhere_stores_nothing_counts_and_says_from_where(self, fenced: Minted) -> None:
        answer = Till(fenced.token).post(croissants_and_coffee(), x_forwarded_for=ELSEWHERE)

        body = body_of(answer)
        assert (answer.status_code, body["code"], body["address"]) == (403, "address_not_allowed", ELSEWHERE)
        assert not body["retryable"]
        assert not Transaction.objects.exists()
        assert calls_in_last_hour(fenced.key, at=timezone.now()) == 1
        row = InboundCall.objects.get()
        assert (row.status, row.error_code, row.api_key) == (403, "address_not_allowed", fenced.key)

    def test_from_elsewhere_is_refused_before_its_scope_is_asked_for(self, seeblick: Tenant) -> None:
        reader = mint(seeblick, networks=["203.0.113.0/24"], scopes=["pos:read"])

        answer = Till(reader.token).post(croissants_and_coffee(), x_forwarded_for=ELSEWHERE)

        assert body_of(answer)["code"] == "address_not_allowed"

    def test_from_elsewhere_with_a_wrong_token_hears_nothing_of_it(self, fenced: Minted, seeblick: Tenant) -> None:
        other = mint(seeblick)
        fenced.key.revoke(at=timezone.now())

        assert body_of(Till(fenced.token).get("/ping/", x_forwarded_for=ELSEWHERE))["code"] == "key_inactive"
        assert body_of(Till(other.token + "x").get("/ping/", x_forwarded_for=ELSEWHERE))["code"] == "invalid_key"

    def test_is_refused_from_the_next_one_on_when_the_networks_change(self, fenced: Minted) -> None:
        till = Till(fenced.token)
        for number in range(3):
            sale = croissants_and_coffee(external_ref=f"T-{number}")
            assert till.post(sale, x_forwarded_for=KIOSK).status_code == 201
        ApiKey.objects.filter(pk=fenced.key.pk).update(networks=["192.0.2.0/24"])

        answer = till.post(croissants_and_coffee(external_ref="T-9"), x_forwarded_for=KIOSK)

        assert (answer.status_code, Transaction.objects.count()) == (403, 3)

    def test_with_a_key_of_anywhere_or_of_the_neighbours_is_not_touched(self, waldrand: Tenant, fenced: Minted) -> None:
        assert Till(mint(waldrand).token).post(croissants_and_coffee(), x_forwarded_for=ELSEWHERE).status_code == 201

    def test_from_elsewhere_is_no_use_and_ends_no_older_key(self, seeblick: Tenant, fenced: Minted) -> None:
        new = replace_key(fenced.key, at=timezone.now())

        Till(new.token).get("/ping/", x_forwarded_for=ELSEWHERE)
        fenced.key.refresh_from_db()
        assert fenced.key.expires_at is not None
        assert fenced.key.expires_at > timezone.now() + timedelta(days=6)

        Till(new.token).get("/ping/", x_forwarded_for=KIOSK)
        fenced.key.refresh_from_db()
        assert fenced.key.expires_at < timezone.now() + timedelta(days=2)


class TestTheAddress:
    @pytest.mark.parametrize(
        ("proxies", "direct", "forwarded", "status"),
        [
            # Without a proxy, what the caller says of itself is nothing.
            (0, KIOSK, None, 200),
            (0, f"::ffff:{KIOSK}", None, 200),
            (0, "2001:db8:5::17", None, 200),
            (0, ELSEWHERE, KIOSK, 403),
            (0, "", KIOSK, 403),
            # Behind one, its word is the last; what stands before it is the caller's.
            (1, "10.0.0.2", KIOSK, 200),
            (1, "10.0.0.2", f"{ELSEWHERE}, {KIOSK}", 200),
            (1, "10.0.0.2", f"[2001:db8:5::17]:50123, {ELSEWHERE}", 403),
            (1, "10.0.0.2", f"{KIOSK}, {ELSEWHERE}", 403),
            (1, "10.0.0.2", f"{KIOSK}:50123", 200),
            (1, "10.0.0.2", "[2001:db8:5::17]:50123", 200),
            (1, "10.0.0.2", f"::ffff:{KIOSK}", 200),
            (1, "10.0.0.2", "unknown", 403),
            (1, "10.0.0.2", f"{KIOSK} {ELSEWHERE}", 403),
            # Past it: nobody has said from where.
            (1, KIOSK, None, 403),
            (1, KIOSK, " , ,", 403),
            # Behind two, the outer one's word is the last but one.
            (2, "10.0.0.2", f"{KIOSK}, 10.0.0.1", 200),
            (2, "10.0.0.2", f"{ELSEWHERE}, {KIOSK}, 10.0.0.1", 200),
            (2, "10.0.0.2", f"{KIOSK}, {ELSEWHERE}, 10.0.0.1", 403),
            (2, KIOSK, KIOSK, 403),
        ],
    )
    def test_is_what_the_trusted_proxies_say(  # noqa: PLR0917 (a table row each)
        self, fenced: Minted, settings: Any, proxies: int, direct: str, forwarded: str | None, status: int
    ) -> None:
        settings.PROXY_COUNT = proxies
        till = Till(fenced.token)
        till.client.defaults["REMOTE_ADDR"] = direct

        answer = till.get("/ping/", **({"x_forwarded_for": forwarded} if forwarded is not None else {}))

        assert answer.status_code == status

    def test_of_a_proxy_is_not_taken_for_that_of_a_caller_who_came_past_the_outer_one(
        self, seeblick: Tenant, settings: Any
    ) -> None:
        settings.PROXY_COUNT = 2
        till = Till(mint(seeblick, networks=["10.0.0.0/8"]).token)
        till.client.defaults["REMOTE_ADDR"] = "10.0.0.2"

        answer = till.get("/ping/", x_forwarded_for=ELSEWHERE)

        assert (answer.status_code, body_of(answer)["address"]) == (403, "")
        assert InboundCall.objects.get().remote_address == "10.0.0.2"

    def test_that_is_garbage_is_refused_and_cut(self, fenced: Minted, settings: Any) -> None:
        settings.PROXY_COUNT = 1

        answer = Till(fenced.token).get("/ping/", x_forwarded_for="\x1b" + "9" * 300)

        assert (answer.status_code, len(body_of(answer)["address"])) == (403, 64)


class TestTheEndOfAKey:
    """``X-Api-Key-Expires``, and what a ping says."""

    @pytest.mark.parametrize("path", ["/ping/", "/transactions/", "/transactions/T-1/", "/products/", "/nothing/"])
    def test_is_told_with_every_answer_of_its_last_30_days(self, seeblick: Tenant, path: str) -> None:
        ends = (timezone.now() + timedelta(days=29)).replace(microsecond=0)
        key = mint(seeblick, expires_at=ends)

        for _ in range(3):  # read, and remembered
            answer = Till(key.token).get(path)
            assert answer["X-Api-Key-Expires"] == ends.strftime("%Y-%m-%dT%H:%M:%SZ")

    @pytest.mark.parametrize(
        ("sale", "status"), [({}, 201), ({"items": []}, 400), ({"currency": "EUR"}, 400), ({"external_ref": ...}, 400)]
    )
    def test_is_told_with_a_sale_and_with_its_refusal(self, seeblick: Tenant, sale: Any, status: int) -> None:
        key = mint(seeblick, expires_at=timezone.now() + timedelta(hours=1))

        answer = Till(key.token).post(croissants_and_coffee(**sale))

        assert (answer.status_code, "X-Api-Key-Expires" in answer) == (status, True)

    @pytest.mark.parametrize("expires_in", [None, timedelta(days=31), timedelta(seconds=-1)])
    def test_is_not_told_before_nor_after(self, seeblick: Tenant, expires_in: timedelta | None) -> None:
        ends = timezone.now() + expires_in if expires_in else None

        assert "X-Api-Key-Expires" not in Till(mint(seeblick, expires_at=ends).token).get("/ping/")

    def test_is_told_once_it_is_replaced_and_not_of_the_successor(self, key: Minted) -> None:
        new = replace_key(key.key, at=timezone.now())

        assert "X-Api-Key-Expires" in Till(key.token).get("/ping/")
        assert "X-Api-Key-Expires" not in Till(new.token).get("/ping/")

    def test_stands_in_the_answer_to_a_ping(self, seeblick: Tenant, till: Till) -> None:
        ends = (timezone.now() + timedelta(days=400)).replace(microsecond=0)

        assert body_of(till.get("/ping/"))["expires_at"] is None
        told = body_of(Till(mint(seeblick, expires_at=ends).token).get("/ping/"))["expires_at"]
        assert told == ends.strftime("%Y-%m-%dT%H:%M:%SZ")
