"""One figure for a whole ledger."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from kasse.digest import LedgerDigest, canonical_sales, digest_of
from tenants.models import Tenant
from tests.factories import mint
from tests.till import Till, croissants_and_coffee

OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class TestADigest:
    def test_of_an_empty_ledger_is_that_of_nothing(self, seeblick: Tenant) -> None:
        assert digest_of(seeblick) == LedgerDigest(0, OF_NOTHING)

    def test_stays_while_nothing_is_sold(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee())

        assert digest_of(seeblick) == digest_of(seeblick)
        assert digest_of(seeblick).sales == 1

    def test_is_another_one_with_each_sale(self, till: Till, seeblick: Tenant) -> None:
        seen = set()
        for number in range(3):
            till.post(croissants_and_coffee(external_ref=f"T-{number}"))
            seen.add(digest_of(seeblick))

        assert len(seen) == 3

    def test_knows_nothing_of_the_neighbour(self, till: Till, seeblick: Tenant, waldrand: Tenant) -> None:
        before = digest_of(seeblick)
        Till(mint(waldrand).token).post(croissants_and_coffee())

        assert digest_of(seeblick) == before

    def test_holds_every_line_and_every_column(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee(metadata={"z": 1, "a": "Zelt 7"}))

        [line] = canonical_sales(seeblick)
        assert line.count(b'"position"') == 3  # two lines and a payment
        for text in (b'"total_amount": "12.5"', b'"quantity": "2"', rb"{\"a\": \"Zelt 7\", \"z\": 1}", b"+00:00"):
            assert text in line


class TestTheCommand:
    def test_tells_a_line_for_each_campground(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee())
        said = StringIO()

        call_command("ledger_digest", stdout=said)

        assert said.getvalue() == f"{digest_of(seeblick).sha256}  1  seeblick\n{OF_NOTHING}  0  waldrand\n"

    def test_tells_of_one_alone(self, seeblick: Tenant, waldrand: Tenant) -> None:
        said = StringIO()

        call_command("ledger_digest", tenant="waldrand", stdout=said)

        assert said.getvalue() == f"{OF_NOTHING}  0  waldrand\n"

    def test_knows_no_other_campground(self, db: None) -> None:
        with pytest.raises(CommandError, match="nowhere"):
            call_command("ledger_digest", tenant="nowhere")
