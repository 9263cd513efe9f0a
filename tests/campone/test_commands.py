from __future__ import annotations

import io
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.timezone import now

from apikeys.models import ApiKey
from apikeys.replacing import replace_key
from apikeys.tokens import is_well_formed
from apikeys.verification import verify_token
from catalogue.models import Product, VatRate
from catalogue.vat import SWISS_RATES
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.till import Till, body_of

pytestmark = pytest.mark.django_db


def run(*words: Any) -> str:
    """What a command writes to standard output."""
    output = io.StringIO()
    call_command(*map(str, words), stdout=output, stderr=io.StringIO())
    return output.getvalue()


def refusal(*words: Any) -> str:
    """The one sentence with which a command refuses."""
    output = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command(*map(str, words), stdout=output, stderr=io.StringIO())
    said = str(refused.value)
    assert output.getvalue() == ""
    assert said.strip() == said != ""
    assert "\n" not in said
    return said


class TestMintKey:
    WORDS = ("mint_key", "--tenant", "seeblick", "--name", "Lightspeed shop till")

    def test_prints_the_token_alone(self, seeblick: Tenant, waldrand: Tenant) -> None:
        printed = run(*self.WORDS, "--scope", "pos:read", "--scope", "pos:write")

        token = printed.removesuffix("\n")
        assert is_well_formed(token)
        key = verify_token(token, named_tenant=None, at=NOON)
        assert (key.tenant, key.name, key.scopes) == (seeblick, "Lightspeed shop till", ["pos:read", "pos:write"])
        assert (key.budget, key.expires_at) == (1000, None)

    def test_makes_a_test_key_if_asked_to(self, seeblick: Tenant, waldrand: Tenant) -> None:
        token = run(*self.WORDS, "--scope", "pos:read", "--test").strip()

        assert token.startswith("ckt_")
        assert body_of(Till(token).get("/ping/"))["test"] is True

    def test_opens_the_api(self, seeblick: Tenant) -> None:
        token = run(*self.WORDS, "--scope", "pos:read").strip()

        assert body_of(Till(token).get("/ping/"))["scopes"] == ["pos:read"]

    @pytest.mark.parametrize(("text", "budget"), [("none", None), ("1", 1), ("5000", 5000)])
    def test_takes_a_budget_or_none(self, seeblick: Tenant, text: str, budget: int | None) -> None:
        run(*self.WORDS, "--scope", "pos:write", "--budget", text)

        assert ApiKey.objects.get().budget == budget

    @pytest.mark.parametrize("text", ["2027-01-01T00:00:00Z", "2027-01-01T01:00:00+01:00"])
    def test_takes_an_instant_of_expiry(self, seeblick: Tenant, text: str) -> None:
        run(*self.WORDS, "--scope", "pos:write", "--expires", text)

        assert ApiKey.objects.get().expires_at == datetime(2027, 1, 1, tzinfo=timezone.utc)

    def test_takes_networks_each_as_it_is_kept(self, seeblick: Tenant) -> None:
        run(*self.WORDS, "--scope", "pos:write", "--network", "192.0.2.7", "--network", "2001:DB8::/48")

        assert ApiKey.objects.get().networks == ["192.0.2.7/32", "2001:db8::/48"]

    @pytest.mark.parametrize(
        ("words", "named"),
        [
            (["--scope", "pos:read", "--network", "192.0.2.7/24"], "--network"),
            (["--scope", "pos:read", "--network", "192.0.2.7", "--network", "192.0.2.7/32"], "networks"),
            (["--scope", "pos:delete"], "pos:read"),
            (["--scope", "pos:read", "--scope", "pos:read"], "pos:read"),
            (["--scope", "pos:read", "--budget", "0"], "--budget"),
            (["--scope", "pos:read", "--budget", "-5"], "--budget"),
            (["--scope", "pos:read", "--budget", "many"], "--budget"),
            (["--scope", "pos:read", "--expires", "2027-01-01"], "--expires"),
            (["--scope", "pos:read", "--expires", "2027-01-01T00:00:00"], "--expires"),
            (["--scope", "pos:read", "--expires", "2027-02-30T00:00:00Z"], "--expires"),
            (["--scope", "pos:read", "--expires", "never"], "--expires"),
            (["--scope", "pos:read", "--name", "x" * 121], "120"),
            (["--scope", "pos:read", "--name", ""], ""),
            (["--scope", "pos:read", "--tenant", "nobody"], "nobody"),
            ([], "--scope"),
        ],
    )
    def test_refuses_in_one_sentence(self, seeblick: Tenant, words: list[str], named: str) -> None:
        assert named in refusal(*self.WORDS, *words)
        assert not ApiKey.objects.exists()

    def test_takes_the_smallest_budget_that_is_one(self, seeblick: Tenant) -> None:
        assert "--budget" in refusal(*self.WORDS, "--scope", "pos:read", "--budget", "\N{SUPERSCRIPT TWO}")


class TestRevokeKey:
    def test_ends_a_key_and_no_other(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine, theirs = mint(seeblick), mint(waldrand)

        said = run("revoke_key", mine.key.prefix)

        assert mine.key.prefix in said
        assert [Till(token).get("/ping/").status_code for token in (mine.token, theirs.token)] == [401, 200]

    def test_leaves_an_earlier_revocation_as_it_was(self, seeblick: Tenant) -> None:
        key = mint(seeblick).key
        key.revoke(at=NOON)

        run("revoke_key", key.prefix)

        assert ApiKey.objects.get().revoked_at == NOON

    def test_takes_a_whole_token_for_its_prefix_and_does_not_repeat_it(self, seeblick: Tenant) -> None:
        minted = mint(seeblick)

        said = run("revoke_key", minted.token)

        assert minted.key.prefix in said
        assert minted.token not in said
        assert ApiKey.objects.get().revoked_at is not None


class TestReplaceKey:
    def test_prints_the_new_token_alone_and_lets_the_old_one_run_out(self, seeblick: Tenant, waldrand: Tenant) -> None:
        mine, theirs = mint(seeblick, budget=7), mint(waldrand)

        token = run("replace_key", mine.key.prefix, "--expires", "2031-01-01T00:00:00Z").removesuffix("\n")

        assert [Till(each).get("/ping/").status_code for each in (mine.token, token, theirs.token)] == [200] * 3
        new = ApiKey.objects.of(seeblick).get(replaces=mine.key)
        assert (new.budget, str(new.expires_at)) == (7, "2031-01-01 00:00:00+00:00")
        assert ApiKey.objects.get(pk=mine.key.pk).expires_at is not None
        assert ApiKey.objects.get(pk=theirs.key.pk).expires_at is None

    def test_ends_a_key_at_once_that_has_leaked(self, seeblick: Tenant) -> None:
        old = mint(seeblick)

        token = run("replace_key", old.token, "--leaked").removesuffix("\n")

        assert [Till(each).get("/ping/").status_code for each in (old.token, token)] == [401, 200]

    def test_says_why_not(self, seeblick: Tenant) -> None:
        ended, replaced, good = mint(seeblick).key, mint(seeblick).key, mint(seeblick).key
        ended.revoke(at=NOON)
        by = replace_key(replaced, at=now()).key

        for words, said in (
            ([ended.prefix], "stays so"),
            ([replaced.prefix], by.prefix),
            (["ck_nobody99"], "no key"),
            ([good.prefix, "--expires", "2020-01-01T00:00:00Z"], "expired"),
        ):
            assert said in refusal("replace_key", *words)
        assert ApiKey.objects.count() == 4


class TestCreateTenant:
    def test_opens_a_campground_with_the_swiss_rates(self, waldrand: Tenant) -> None:
        said = run("create_tenant", "seeblick", "--name", "Camping Seeblick", "--cutoff-hour", 4)

        tenant = Tenant.objects.get(slug="seeblick")
        assert (tenant.name, tenant.zone, tenant.currency) == ("Camping Seeblick", "Europe/Zurich", "CHF")
        assert (tenant.cutoff_hour, tenant.is_active) == (4, True)
        assert VatRate.objects.of(tenant).count() == len(SWISS_RATES)
        assert said == "Camping Seeblick is open: seeblick\n"

    def test_takes_zone_and_currency_of_another_country(self) -> None:
        run("create_tenant", "bodensee", "--zone", "Europe/Berlin", "--currency", "EUR")

        tenant = Tenant.objects.get()
        assert (tenant.name, tenant.zone, tenant.currency) == ("bodensee", "Europe/Berlin", "EUR")
        assert not VatRate.objects.exists()

    @pytest.mark.parametrize(
        "words",
        [
            ["seeblick"],
            ["See_blick"],
            ["api"],
            [""],
            ["x" * 64],
            ["other", "--zone", "Europe/Bern"],
            ["other", "--currency", "chf"],
            ["other", "--currency", "francs"],
            ["other", "--cutoff-hour", "13"],
            ["other", "--cutoff-hour", "-1"],
            ["other", "--cutoff-hour", "noon"],
            ["other", "--name", "x" * 121],
        ],
    )
    def test_refuses_in_one_sentence(self, seeblick: Tenant, words: list[str]) -> None:
        refusal("create_tenant", *words)

        assert Tenant.objects.count() == 1


class TestImportProducts:
    def write(self, folder: Path, text: str | bytes) -> Path:
        file = folder / "products.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file

    def test_fills_the_catalogue(self, seeblick: Tenant, waldrand: Tenant, tmp_path: Path) -> None:
        file = self.write(tmp_path, "\ufeffsku;name;unit_price;vat_rate\r\nBRO-04;Croissant;3.50;2.6\r\n")

        assert run("import_products", "--tenant", "seeblick", file) == "1 created, 0 updated, 0 unchanged\n"
        assert run("import_products", "--tenant", "seeblick", file) == "0 created, 0 updated, 1 unchanged\n"

        assert Product.objects.get().tenant == seeblick

    def test_reports_every_bad_line_and_takes_none(self, seeblick: Tenant, tmp_path: Path) -> None:
        rows = "BRO-04,Croissant,3.50,2.6\nBRO-04,Gipfeli,3.50,2.6\nEIS-01,Glace,=1+1,2.6\n"
        file = self.write(tmp_path, f"sku,name,unit_price,vat_rate\n{rows}")

        with pytest.raises(CommandError) as refused:
            run("import_products", "--tenant", "seeblick", file)

        first, *lines = str(refused.value).splitlines()
        assert first == "Nothing was imported."
        assert [line.split(":")[:2] for line in lines] == [["  line 3", " sku"], ["  line 4", " unit_price"]]
        assert not Product.objects.exists()

    @pytest.mark.parametrize("content", [b"sku,name\xff\n", "sku,name\n".encode("utf-16"), None])
    def test_refuses_a_file_that_cannot_be_read(self, seeblick: Tenant, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "missing.csv" if content is None else self.write(tmp_path, content)

        assert "cannot be read" in refusal("import_products", "--tenant", "seeblick", file)

    def test_refuses_a_folder(self, seeblick: Tenant, tmp_path: Path) -> None:
        assert "cannot be read" in refusal("import_products", "--tenant", "seeblick", tmp_path)

    def test_refuses_a_campground_that_does_not_exist(self, tmp_path: Path) -> None:
        file = self.write(tmp_path, "sku,name,unit_price,vat_rate\n")

        assert "nobody" in refusal("import_products", "--tenant", "nobody", file)
