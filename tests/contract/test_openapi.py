"""The description of the API: committed, current, valid, complete, and readable without any outside network."""

# mypy: untyped-calls-exclude=drf_spectacular

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from django.test import Client
from django.utils import translation
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.validation import validate_schema

from pos_bridge import urls
from pos_bridge.api import NothingHere
from pos_bridge.models import InboundCall
from pos_bridge.operations import OPERATIONS
from pos_bridge.request_words import WORDS
from tests.contract.published import COMPONENTS, DESCRIBED, DESCRIPTION, FILE, REFRESH
from tests.till import HOST

ROOT = FILE.parents[2]
STALE = f"docs/reference/openapi.yaml is stale; refresh it with: {REFRESH}"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ON_EVERY_OPERATION = {"401", "403", "405", "406", "413", "429", "500", "503"}


def generated() -> dict[str, Any]:
    """The description as the code of today makes it."""
    schema = spectacular_settings.DEFAULT_GENERATOR_CLASS().get_schema(request=None, public=True)
    described: dict[str, Any] = json.loads(OpenApiJsonRenderer().render(schema, renderer_context={}))
    return described


@pytest.fixture
def browser() -> Client:
    """Somebody without a key."""
    return Client(headers={"host": HOST})


class TestTheCommittedFile:
    def test_is_current(self) -> None:
        assert generated() == DESCRIPTION, STALE

    def test_is_valid_openapi_3_1(self) -> None:
        assert DESCRIPTION["openapi"].startswith("3.1.")

        validate_schema(DESCRIPTION)

    def test_is_made_without_a_warning(self) -> None:
        GENERATOR_STATS.reset()

        generated()

        assert not GENERATOR_STATS

    def test_is_the_same_in_every_language(self) -> None:
        with translation.override("fr"):
            french = generated()

        assert french == generated()

    def test_is_the_same_on_every_installation(self, tmp_path: Path) -> None:
        elsewhere = {
            "DJANGO_SETTINGS_MODULE": "campone.settings",
            "SECRET_KEY": "another-installation-" + "Zq8wE4rT6yU1iO3pA5sD" * 3,
            "PUBLIC_URL": "https://pos.zeltplatz.example",
            "TENANT_DOMAIN": "zeltplatz.example",
            "ALLOWED_HOSTS": "pos.zeltplatz.example,.zeltplatz.example",
            "DATABASE_URL": f"sqlite:///{tmp_path}/elsewhere.sqlite3",
            "PATH": os.environ["PATH"],
        }
        command = [sys.executable, *REFRESH.split()[1:-1], str(tmp_path / "openapi.yaml")]

        made = subprocess.run(command, cwd=ROOT, env=elsewhere, capture_output=True, text=True, check=False)

        assert made.returncode == 0, made.stderr
        text = (tmp_path / "openapi.yaml").read_text(encoding="utf-8")
        assert yaml.safe_load(text) == generated()
        assert "zeltplatz" not in text


class TestTheOperations:
    def test_are_those_of_the_url_map_and_no_others(self) -> None:
        views = [cast(Any, route.callback).view_class for route in urls.urlpatterns]
        routed = {(view, method) for view in views for method in ("get", "post") if hasattr(view, method)}
        routed -= {(NothingHere, "get"), (NothingHere, "post")}

        assert {(each.view, each.method) for each in OPERATIONS} == routed
        assert set(DESCRIBED) == {each.name for each in OPERATIONS}

    def test_have_their_canonical_paths(self) -> None:
        assert {path: set(methods) for path, methods in DESCRIPTION["paths"].items()} == {
            "/api/v1/public/pos/transactions/": {"get", "post"},
            "/api/v1/public/pos/transactions/{external_ref}/": {"get"},
            "/api/v1/public/pos/transactions/batch/": {"get", "post"},
            "/api/v1/public/pos/transactions/summary/": {"get"},
            "/api/v1/public/pos/reconciliations/": {"post"},
            "/api/v1/public/pos/gaps/": {"get"},
            "/api/v1/public/pos/products/": {"get"},
            "/api/v1/public/pos/ping/": {"get"},
        }

    @pytest.mark.parametrize("name", DESCRIBED)
    def test_want_a_bearer_key_and_name_its_scope(self, name: str) -> None:
        operation = DESCRIBED[name].operation
        writes = ("post_transaction", "post_batch", "post_reconciliation")
        scopes = dict.fromkeys(writes, "`pos:write`") | {"ping": "`pos:read` or `pos:write`"}

        assert operation["security"] == [{"apiKey": []}]
        assert f"Needs the scope {scopes.get(name, '`pos:read`')}." in operation["description"]
        assert COMPONENTS["securitySchemes"]["apiKey"]["scheme"] == "bearer"

    @pytest.mark.parametrize("name", DESCRIBED)
    def test_tell_every_way_in_which_they_may_be_refused(self, name: str) -> None:
        responses = DESCRIBED[name].operation["responses"]

        assert not ON_EVERY_OPERATION - set(responses)
        assert all(response["description"] for response in responses.values())
        assert "Retry-After" in responses["429"]["headers"]
        assert "Retry-After" in responses["503"]["headers"]
        assert "WWW-Authenticate" in responses["401"]["headers"]
        assert all("X-Request-Id" in response["headers"] for response in responses.values())

    def test_explain_how_a_reference_stands_in_a_path(self) -> None:
        (reference,) = [
            each for each in DESCRIBED["get_transaction"].operation["parameters"] if each.get("in") == "path"
        ]

        assert reference["required"]
        assert "%2F" in reference["description"]
        assert reference["schema"] == {"$ref": "#/components/schemas/Reference"}


class TestTheRequest:
    def test_says_a_sentence_about_every_field(self) -> None:
        for serializer, words in WORDS.items():
            assert set(words) == set(serializer().fields)
            assert all(sentence.endswith(".") for sentence in words.values())

    def test_asks_for_the_five_fields_and_no_more(self) -> None:
        assert set(COMPONENTS["schemas"]["SaleRequest"]["required"]) == {
            "external_ref",
            "payment_method",
            "total_amount",
            "items",
            "occurred_at",
        }

    def test_lets_fields_in_that_nobody_knows(self) -> None:
        for name in ("SaleRequest", "ItemRequest", "PaymentRequest"):
            assert "additionalProperties" not in COMPONENTS["schemas"][name]


@pytest.mark.django_db
class TestTheServedDescription:
    @pytest.mark.parametrize("accept", ["*/*", BROWSER, "application/yaml", "application/vnd.oai.openapi"])
    def test_is_yaml(self, browser: Client, accept: str) -> None:
        answer = browser.get("/api/v1/schema/", headers={"accept": accept})

        assert answer.status_code == 200
        assert yaml.safe_load(answer.content) == generated()

    def test_is_json_for_whoever_accepts_that(self, browser: Client) -> None:
        answer = browser.get("/api/v1/schema/", headers={"accept": "application/json"})

        assert json.loads(answer.content) == generated()

    def test_needs_no_final_slash(self, browser: Client) -> None:
        assert browser.get("/api/v1/schema").status_code == 200
        assert browser.get("/api/v1/docs").status_code == 200

    @pytest.mark.parametrize("path", ["/api/v1/schema/", "/api/v1/docs/"])
    def test_asks_for_no_key_and_looks_at_none(self, browser: Client, path: str) -> None:
        assert browser.get(path, headers={"authorization": "Bearer nonsense"}).status_code == 200
        assert not InboundCall.objects.exists()

    def test_refuses_what_it_cannot_do_in_the_words_of_the_api(self, browser: Client) -> None:
        answer = browser.post("/api/v1/schema/", headers={"accept": "application/json"})

        assert answer.status_code == 405
        assert json.loads(answer.content)["code"] == "method_not_allowed"


@pytest.mark.django_db
class TestThePageToBrowseItOn:
    def test_fetches_nothing_from_outside(self, browser: Client) -> None:
        page = browser.get("/api/v1/docs/", headers={"accept": BROWSER}).content.decode()

        fetched = re.findall(r"""(?:src|href)=["']([^"']*)|\burl: ["']([^"']*)|@import|url\(([^)]*)""", page)
        addresses = ["".join(found) for found in fetched]

        assert len(addresses) >= 5
        assert [address for address in addresses if not re.match(r"/[^/]", address)] == []
        assert not re.search(r"""["'(]\s*(?:https?:)?//""", page)

    def test_asks_no_validator_outside(self, browser: Client) -> None:
        script = browser.get("/api/v1/docs/?script=").content.decode()

        assert '"validatorUrl": null' in script

    def test_sends_trial_calls_to_the_host_it_came_from(self) -> None:
        assert DESCRIPTION["servers"][0]["url"] == "/"
