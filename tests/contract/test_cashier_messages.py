from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from rest_framework import serializers

from pos_bridge.cashier import FIELDS, LANGUAGES, LONGEST, OTHERWISE, PROBLEMS, RULES, sentence
from pos_bridge.contract import ItemSerializer, PaymentSerializer, SaleSerializer
from pos_bridge.faults import Fault
from pos_bridge.kinds import KINDS
from tests.contract.sales import gas_bottle, new_sale
from tests.till import Till, body_of

NOT_FOUND = {"de": "Nicht gefunden", "fr": "Introuvable", "it": "Non trovato", "en": "Not found"}
JUNK = [
    "x" * 5000, "fr," * 3000, ";;;", "de;q=x", "fr;q=1e9", "fr;q=-1", "--", "fr_CH", "fr/..", "../fr", "%66%72", "fr\t",
    "é", "a-" * 900,
]  # fmt: skip


FIELDS_SENT = [
    field for each in (SaleSerializer, ItemSerializer, PaymentSerializer) for field in each().fields.values()
]


def codes_of(field: serializers.Field[Any, Any, Any, Any]) -> set[str]:
    """Every code that a field can be at fault with."""
    unbounded = {"min_value"} if getattr(field, "min_value", None) is None else set()
    zero = {"zero"} if getattr(field, "allow_zero", True) else set()
    return set(field.error_messages) - unbounded - zero


class TestACashierMessage:
    def test_fits_the_display_whatever_is_wrong(self) -> None:
        codes = {*RULES, "anything else"}.union(*map(codes_of, FIELDS_SENT))
        for problem, field, code, language in product(KINDS, [*FIELDS, "unknown"], codes, range(len(LANGUAGES))):
            text = sentence(problem, [Fault((field,), code, "")], language)

            assert 0 < len(text) <= LONGEST == 50, text
            assert text.isprintable()
            assert "{" not in text

    def test_exists_for_every_code_in_every_language(self) -> None:
        assert PROBLEMS.keys() == KINDS.keys()
        for texts in (*PROBLEMS.values(), *FIELDS.values(), *RULES.values(), OTHERWISE):
            assert len(texts) == len(LANGUAGES)
            assert all(texts)

    def test_knows_the_name_of_every_field(self) -> None:
        assert {field.field_name for field in FIELDS_SENT} == set(FIELDS)

    @pytest.mark.parametrize("language", range(len(LANGUAGES)))
    def test_names_the_field_wherever_that_can_be_at_fault(self, language: int) -> None:
        for field in FIELDS_SENT:
            name = str(field.field_name)
            for code in codes_of(field):
                text = sentence("validation_error", [Fault((name,), code, "")], language)

                assert FIELDS[name][language] in text, (name, code)

    def test_speaks_of_the_first_fault(self, till: Till) -> None:
        sale = new_sale(items=[gas_bottle(quantity=0), gas_bottle(unit_price="x")])

        assert body_of(till.post(sale))["cashier_message"] == "Beleg abgelehnt: Menge darf nicht 0 sein"

    @pytest.mark.parametrize(
        ("sale", "message"),
        [
            (new_sale(external_ref=...), "Beleg abgelehnt: Belegnummer fehlt"),
            (new_sale(items=[]), "Beleg abgelehnt: Positionen fehlen"),
            (new_sale(items=...), "Beleg abgelehnt: Positionen fehlen"),
            (new_sale(occurred_at="29.4.2026"), "Beleg abgelehnt: Zeitpunkt ungültig"),
            (new_sale(total_amount="1.00"), "Beleg abgelehnt: Total stimmt nicht"),
            (new_sale(occurred_at="2126-01-01T00:00:00Z"), "Beleg abgelehnt: Uhr der Kasse geht vor"),
            (new_sale(items=[gas_bottle(vat_rate="7.7")]), "Beleg abgelehnt: MWST-Satz unbekannt"),
        ],
    )
    def test_says_what_to_look_at(self, till: Till, sale: dict[str, Any], message: str) -> None:
        assert body_of(till.post(sale))["cashier_message"] == message


class TestItsLanguage:
    @pytest.mark.parametrize(
        ("header", "language"),
        [
            ("de", "de"), ("de-CH", "de"), ("fr", "fr"), ("fr-CH", "fr"), ("FR-ch", "fr"), ("it-CH", "it"),
            ("en", "en"),
            ("en-GB", "en"), ("fr-CH, fr;q=0.9, en;q=0.8", "fr"), ("rm, it;q=0.5", "it"),
            ("en;q=0.1, it;q=0.9", "it"),
            ("fr;q=0, it", "it"), ("ja, zh-Hans", "de"), ("rm", "de"), ("*", "de"), ("", "de"),
        ],
    )  # fmt: skip
    def test_is_the_one_asked_for_or_german(self, till: Till, header: str, language: str) -> None:
        answer = till.get("/nowhere/", accept_language=header)

        assert body_of(answer)["cashier_message"] == NOT_FOUND[language]

    def test_without_a_wish_is_german(self, till: Till) -> None:
        assert body_of(till.get("/nowhere/"))["cashier_message"] == NOT_FOUND["de"]

    @pytest.mark.parametrize("header", JUNK)
    def test_comes_from_junk_without_harm(self, till: Till, header: str) -> None:
        answer = till.get("/nowhere/", accept_language=header)

        assert answer.status_code == 404
        assert body_of(answer)["cashier_message"] in NOT_FOUND.values()

    def test_is_no_matter_for_the_other_texts(self, till: Till) -> None:
        german, french = (till.post(new_sale(items=[]), accept_language=header) for header in ("de", "fr"))

        assert body_of(german)["items"] == body_of(french)["items"] == ["This list may not be empty."]
        assert body_of(german)["title"] == body_of(french)["title"]
        assert body_of(french)["cashier_message"] == "Ticket refusé: Lignes manquent"
