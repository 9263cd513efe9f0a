"""What the description shows is what the service answers: every example, every status, every header."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse
from jsonschema import Draft202012Validator

from catalogue.models import Product
from pos_bridge import examples, many_examples
from pos_bridge.kinds import KINDS
from pos_bridge.operations import OPERATIONS, Operation, code_of
from pos_bridge.problem_examples import problem_examples
from tenants.models import Tenant
from tests.contract.provoking import Scene, provoke
from tests.contract.published import COMPONENTS, DESCRIBED, deviations, examples_of, faults_in
from tests.till import Body, Till, body_of

# Ours to choose, and another one each time.
CHANGING = {"id", "request_id", "received_at", "updated_at", "server_time", "key_prefix", "at", "address"}
PROBLEMS = [(operation, problem) for operation in OPERATIONS for problem in operation.problems]


def without_what_changes(value: Any) -> Any:
    """The same with ids, instants and prefixes of today left out."""
    if isinstance(value, dict):
        return {name: "…" if name in CHANGING else without_what_changes(each) for name, each in value.items()}
    return [without_what_changes(each) for each in value] if isinstance(value, list) else value


def shown(operation: str, status: int, name: str) -> Body:
    """An example of the committed description, by its name."""
    content = DESCRIBED[operation].operation["responses"][str(status)]["content"]
    found: Body = dict(examples_of(content))[name]
    return found


def assert_as_shown(answer: HttpResponse, operation: str, status: int, name: str) -> None:
    """An answer that follows the description, and is its example."""
    assert answer.status_code == status, answer.content
    assert deviations(operation, answer) == []
    assert without_what_changes(body_of(answer)) == without_what_changes(shown(operation, status, name))


class TestAProblem:
    @pytest.mark.parametrize(
        ("operation", "problem"), PROBLEMS, ids=[f"{operation.name}-{problem}" for operation, problem in PROBLEMS]
    )
    def test_is_answered_as_it_is_shown(
        self, operation: Operation, problem: str, seeblick: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = provoke(problem, Scene(seeblick, operation, monkeypatch))

        assert_as_shown(answer, operation.name, KINDS[code_of(problem)].status, code_of(problem))

    def test_of_every_published_code_has_an_example_under_its_status(self) -> None:
        found = {
            (name, status)
            for described in DESCRIBED.values()
            for status, response in described.operation["responses"].items()
            if int(status) >= 400
            for name, _body in examples_of(response["content"])
        }

        assert found == {(code, str(int(kind.status))) for code, kind in KINDS.items()}

    def test_is_shown_with_its_own_code_status_and_address(self) -> None:
        for name, body in problem_examples().items():
            code = code_of(name)
            assert (body["code"], body["status"]) == (code, KINDS[code].status)
            assert body["type"] == f"https://api.campone.example/errors/{code}"


class TestASale:
    @pytest.mark.parametrize("name", examples.SALES)
    def test_is_taken_as_it_is_shown(self, till: Till, name: str) -> None:
        answer = till.post(examples.SALES[name])

        assert_as_shown(answer, "post_transaction", 201, name)

    @pytest.mark.parametrize(
        ("name", "again"),
        [("retry", examples.FIVE_FIELDS), ("retry_with_another_text", examples.OTHER_TEXT)],
        ids=["retry", "another_text"],
    )
    def test_sent_again_is_answered_as_it_is_shown(self, till: Till, name: str, again: Body) -> None:
        till.post(examples.FIVE_FIELDS)

        assert_as_shown(till.post(again), "post_transaction", 200, name)

    def test_tried_out_is_answered_as_it_is_shown(self, till: Till) -> None:
        answer = send(till, "/transactions/?dry_run=1", examples.FIVE_FIELDS)

        assert answer.status_code == 200
        assert faults_in(body_of(answer), {"$ref": "#/components/schemas/DryRun"}) == []
        assert without_what_changes(body_of(answer)) == without_what_changes(shown("post_transaction", 200, "dry_run"))

    def test_reads_back_as_it_is_shown(self, till: Till) -> None:
        till.post(examples.FIVE_FIELDS)

        assert_as_shown(till.read_back(examples.FIVE_FIELDS["external_ref"]), "get_transaction", 200, "stored")

    def test_may_be_one_of_many_whose_sum_is_longer_than_any_amount(self, till: Till) -> None:
        line = {"description": "Jahresplatz", "quantity": 1, "unit_price": "99999999.00", "line_total": "99999999.00"}
        for number in range(3):
            sale = {"external_ref": f"T-{number}", "total_amount": "99999999.00", "items": [line]}
            assert till.post({**examples.FIVE_FIELDS, **sale}).status_code == 201
        day = str(examples.FIVE_FIELDS["occurred_at"])[:10]

        summary = till.get(f"/transactions/summary/?business_date={day}")

        assert body_of(summary)["total_amount"] == "299999997.00"
        assert deviations("get_summary", summary) == []

    def test_may_be_refused_for_a_sum_that_is_longer_than_any_amount(self, till: Till) -> None:
        line = {"description": "Jahresplatz", "quantity": 1, "unit_price": "99999999.00", "line_total": "99999999.00"}

        refused = till.post({**examples.FIVE_FIELDS, "items": [line, line]})

        assert "199999998.00" in refused.content.decode()
        assert deviations("post_transaction", refused) == []

    def test_is_listed_as_it_is_shown(self, till: Till) -> None:
        till.post(examples.SALES["five_fields"])
        till.post(examples.SALES["refund"])

        assert_as_shown(till.get("/transactions/"), "list_transactions", 200, "evening")

    def test_with_an_unknown_field_is_answered_as_described(self, till: Till) -> None:
        answer = till.post({**examples.FIVE_FIELDS, "cashier": "Vreni"})

        assert body_of(answer)["warnings"][0]["code"] == "unknown_field"
        assert deviations("post_transaction", answer) == []


class TestAPageOfAList:
    def test_names_its_neighbours_as_described(self, till: Till) -> None:
        for sale in examples.SALES.values():
            till.post(sale)

        answer = till.get("/transactions/?page=2&page_size=1")

        assert {'rel="next"', 'rel="prev"'} <= set(answer["Link"].replace(",", ";").replace(" ", "").split(";"))
        assert deviations("list_transactions", answer) == []


class TestTheCatalogue:
    @pytest.fixture
    def catalogue(self, seeblick: Tenant) -> None:
        for product in examples.PRODUCTS:
            fields = {name: getattr(product, name) for name in ("sku", "name", "category", "unit_price", "vat_rate")}
            Product.objects.create(tenant=seeblick, **fields)

    def test_is_answered_as_it_is_shown(self, till: Till, catalogue: None) -> None:
        assert_as_shown(till.get("/products/"), "list_products", 200, "catalogue")

    def test_that_has_not_changed_is_answered_304_as_described(self, till: Till, catalogue: None) -> None:
        known = till.get("/products/")["ETag"]

        answer = till.get("/products/", if_none_match=known)

        assert answer.status_code == 304
        assert deviations("list_products", answer) == []


class TestAPing:
    def test_is_answered_as_it_is_shown(self, till: Till) -> None:
        assert_as_shown(till.get("/ping/"), "ping", 200, "both_scopes")


class TestManyAtOnce:
    def test_are_answered_as_they_are_shown(self, till: Till) -> None:
        answer = send(till, "/transactions/batch/", many_examples.BATCH)

        assert_as_shown(answer, "post_batch", 200, "two_sales")

    def test_are_answered_as_described_whatever_becomes_of_them(self, till: Till) -> None:
        till.post(examples.FIVE_FIELDS)
        other = {**examples.FIVE_FIELDS, "payment_method": "CARD"}

        answer = send(till, "/transactions/batch/", {"transactions": [examples.FIVE_FIELDS, other, 7, {}], "till": 1})

        assert deviations("post_batch", answer) == []
        assert [each["result"] for each in body_of(answer)["results"]] == ["replayed", "conflict", "invalid", "invalid"]

    def test_tried_out_are_answered_as_described(self, till: Till) -> None:
        answer = send(till, "/transactions/batch/?dry_run=1", many_examples.BATCH)

        assert body_of(answer)["dry_run"]
        assert deviations("post_batch", answer) == []

    def test_leave_the_sale_called_batch_readable_as_it_is_shown(self, till: Till) -> None:
        till.post({**examples.FIVE_FIELDS, "external_ref": "batch"})

        assert_as_shown(till.read_back("batch"), "get_transaction_called_batch", 200, "stored")


class TestADay:
    def test_is_summed_up_as_it_is_shown(self, till: Till) -> None:
        till.post(examples.SALES["five_fields"])
        till.post(examples.SALES["refund"])

        assert_as_shown(till.get("/transactions/summary/?business_date=2026-04-29"), "get_summary", 200, "day")

    @pytest.mark.parametrize(
        ("name", "day"), [("sales", many_examples.DAY_OF_SALES), ("totals", many_examples.DAY_OF_TOTALS)]
    )
    def test_is_compared_as_it_is_shown(self, till: Till, name: str, day: Body) -> None:
        till.post(examples.FIVE_FIELDS)

        assert_as_shown(send(till, "/reconciliations/", day), "post_reconciliation", 200, name)

    def test_that_differs_in_every_way_is_answered_as_described(self, till: Till) -> None:
        till.post(examples.FIVE_FIELDS)
        till.post(examples.SALES["refund"])
        till.post({**examples.FIVE_FIELDS, "external_ref": "T-3", "occurred_at": "2026-04-01T08:00:00Z"})
        told = [
            {"external_ref": reference, "total_amount": "1.00"}
            for reference in (examples.FIVE_FIELDS["external_ref"], "T-3", "T-4")
        ]

        answer = send(till, "/reconciliations/", {"business_date": "2026-04-29", "transactions": told, "till": 1})

        assert deviations("post_reconciliation", answer) == []
        assert set(body_of(answer)["counts"].values()) == {1}


def send(till: Till, path: str, document: Body) -> HttpResponse:
    """Post what is no single sale."""
    return till.call("POST", path, body=json.dumps(document).encode())


class TestTheExamples:
    @pytest.mark.parametrize("name", DESCRIBED)
    def test_of_an_operation_follow_their_schemas(self, name: str) -> None:
        operation = DESCRIBED[name].operation
        contents = [each["content"] for each in operation["responses"].values() if "content" in each]
        contents += [operation["requestBody"]["content"]] if "requestBody" in operation else []

        for content in contents:
            bodies = dict(examples_of(content))
            assert bodies
            for body in bodies.values():
                assert faults_in(body, content["application/json"]["schema"]) == []

    def test_of_headers_follow_their_schemas(self) -> None:
        for header in COMPONENTS["headers"].values():
            assert faults_in(header["example"], header["schema"]) == []

    def test_beside_a_schema_follow_it(self) -> None:
        schemas = list(schemas_in(COMPONENTS["schemas"])) + list(schemas_in(COMPONENTS["parameters"]))

        shown_beside = [(each, example) for each in schemas for example in each.get("examples", ())]

        assert len(shown_beside) > 10
        for schema, example in shown_beside:
            assert faults_in(example, schema) == []

    def test_have_no_schema_that_is_none(self) -> None:
        for schema in COMPONENTS["schemas"].values():
            Draft202012Validator.check_schema(schema)


def schemas_in(part: Any) -> list[dict[str, Any]]:
    """Every schema inside a part of the description that has a type."""
    if isinstance(part, dict):
        inner = [schema for each in part.values() for schema in schemas_in(each)]
        return [part, *inner] if "type" in part or "anyOf" in part else inner
    return [schema for each in part for schema in schemas_in(each)] if isinstance(part, list) else []
