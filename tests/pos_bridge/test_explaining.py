"""Every refusal in plain words: what happened, what to do, which field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

import pos_bridge
from pos_bridge.cashier import FIELDS
from pos_bridge.explaining import DEEDS, FIELD_RULES, NONE_TAKEN, OUTCOMES, SENTENCES, deed_of, explain, field_label
from pos_bridge.gaps_api import GapsQuery
from pos_bridge.kinds import KINDS
from pos_bridge.models import InboundCall, Outcome
from pos_bridge.queries import ProductQuery, TransactionQuery
from tests.till import BASE

SOURCE = Path(pos_bridge.__file__).parent
UNREADABLE = {code for path in SOURCE.glob("*.py") for code in re.findall(r'Malformed\(\s*"(\w+)"', path.read_text())}


def refused(code: str, field: str = "", status: int = 400) -> InboundCall:
    return InboundCall(status=status, error_code=code, error_field=field, method="POST", path=f"{BASE}/transactions/")


class TestExplaining:
    def test_knows_every_code_that_the_log_may_hold(self) -> None:
        assert len(UNREADABLE) > 5
        assert set(SENTENCES) == set(KINDS) | UNREADABLE

    @pytest.mark.parametrize("code", sorted(SENTENCES))
    def test_says_what_happened_and_what_to_do(self, code: str) -> None:
        explanation = explain(refused(code))

        assert explanation
        for text in (str(explanation.happened), str(explanation.todo)):
            assert text.endswith(".")
            assert 20 < len(text) < 250
            assert "`" not in text

    def test_has_a_sentence_of_its_own_for_every_code(self) -> None:
        happened = [str(sentence) for sentence, _ in SENTENCES.values()]

        assert len(set(happened)) == len(happened)

    @pytest.mark.parametrize(("status", "alike"), [(400, "bad_request"), (500, "server_error")])
    def test_finds_words_for_a_code_of_another_time(self, status: int, alike: str) -> None:
        explanation = explain(refused("long_forgotten", status=status))

        assert explanation
        assert explanation.happened == SENTENCES[alike][0]

    def test_leaves_alone_what_was_answered(self) -> None:
        assert explain(InboundCall(status=201)) is None

    def test_says_that_nothing_of_a_batch_was_taken_though_it_was_answered(self) -> None:
        explanation = explain(InboundCall(status=200, outcome=Outcome.REFUSED))

        assert explanation
        assert (explanation.happened, explanation.todo) == NONE_TAKEN
        assert (explanation.field, explanation.rule, explanation.shown) == ("", "", "")

    def test_knows_what_each_field_must_be(self) -> None:
        asked = {*FIELDS, *TransactionQuery().fields, *ProductQuery().fields, *GapsQuery().fields, "page", "page_size"}

        assert set(FIELD_RULES) == asked

    def test_names_rule_and_line_of_the_field_at_fault(self) -> None:
        with translation.override("en"):
            explanation = explain(refused("validation_error", "items[1].vat_rate"))

        assert explanation
        assert explanation.label == "VAT rate, line 2"
        assert explanation.rule == FIELD_RULES["vat_rate"]

    def test_gives_no_rule_where_the_field_was_in_order(self) -> None:
        explanation = explain(refused("external_ref_conflict", "total_amount", status=409))

        assert explanation
        assert (explanation.field, explanation.rule) == ("total_amount", "")

    @pytest.mark.parametrize(
        ("language", "line"),
        [
            ("de", "Beleg abgelehnt: falsche Währung"),
            ("fr", "Ticket refusé: mauvaise monnaie"),
            ("xx", "Beleg abgelehnt: falsche Währung"),
        ],
    )
    def test_quotes_what_the_cashier_has_read(self, language: str, line: str) -> None:
        with translation.override(language):
            explanation = explain(refused("currency_mismatch", "currency"))

        assert explanation
        assert explanation.shown == line

    @pytest.mark.parametrize(
        ("field", "label"),
        [
            ("total_amount", "Total"),
            ("items", "Lines"),
            ("items[0]", "Lines, line 1"),
            ("payments[2].amount", "Amount, line 3"),
            ("metadata.till", "till"),
            ("unheard_of", "unheard_of"),
            ("", ""),
        ],
    )
    def test_calls_a_field_by_its_name(self, field: str, label: str) -> None:
        with translation.override("en"):
            assert field_label(field) == label


class TestWhatATillDid:
    @pytest.mark.parametrize(
        ("method", "path", "deed"),
        [
            ("POST", "/transactions/", 0),
            ("POST", "/transactions", 0),
            ("GET", "/transactions/", 1),
            ("GET", "/transactions/a/b\nc", 2),
            ("HEAD", "/products/", 3),
            ("GET", "/ping", 4),
            ("POST", "/transactions/batch/", 5),
            ("GET", "/transactions/batch/", 2),
            ("GET", "/transactions/summary", 6),
            ("GET", "/transactions/summary/x", 2),
            ("POST", "/transactions/?dry_run=1", 7),
            ("POST", "/transactions?dry_run=1", 7),
            ("POST", "/transactions/batch/?dry_run=1", 7),
            ("POST", "/reconciliations/", 8),
            ("GET", "/gaps/", 9),
        ],
    )
    def test_is_told_in_words(self, method: str, path: str, deed: int) -> None:
        assert deed_of(InboundCall(method=method, path=BASE + path)) == DEEDS[deed][2]

    @pytest.mark.parametrize(
        ("method", "path"), [("BREW", "/ping/"), ("GET", "/receipts/"), ("POST", "/transactions/T-1")]
    )
    def test_is_told_as_it_is_where_there_are_none(self, method: str, path: str) -> None:
        assert str(deed_of(InboundCall(method=method, path=BASE + path))).endswith(f"{method} {path}")


def test_every_outcome_of_a_campground_has_a_word() -> None:
    assert set(OUTCOMES) == set(Outcome.values) - {Outcome.FLOOD}
