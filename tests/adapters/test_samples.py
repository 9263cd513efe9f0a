"""Every sample of every vendor becomes what is expected beside it, line by line."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.vendors import VENDORS
from kasse.models import TENDERS
from kasse.paying import METHODS
from tests.adapters.samples import expected_of, outcome_of, samples_of

SAMPLES = [(vendor, sample) for vendor in VENDORS for sample in samples_of(vendor)]
EVERY_SAMPLE = pytest.mark.parametrize(("vendor", "sample"), SAMPLES, ids=lambda each: getattr(each, "stem", each))


class TestASample:
    @EVERY_SAMPLE
    def test_becomes_what_is_expected(self, vendor: str, sample: Path) -> None:
        assert outcome_of(VENDORS[vendor], json.loads(sample.read_text())) == expected_of(sample)

    @EVERY_SAMPLE
    def test_comes_out_balanced(self, vendor: str, sample: Path) -> None:
        expected = expected_of(sample)
        for sale in expected if isinstance(expected, list) else []:
            total = Decimal(sale["total"])
            lines = sum(Decimal(line["line_total"]) for line in sale["lines"])
            assert lines + Decimal(sale.get("rounding", "0")) == total
            assert sum(Decimal(tender["amount"]) for tender in sale["tenders"]) == total

    @EVERY_SAMPLE
    def test_says_the_same_with_what_a_vendor_may_add(self, vendor: str, sample: Path) -> None:
        """Fields that nobody knows, anywhere."""
        document = json.loads(sample.read_text())

        assert outcome_of(VENDORS[vendor], with_more(document)) == expected_of(sample)


def with_more(value: Any) -> Any:
    """A copy with a field of tomorrow in every object."""
    if isinstance(value, dict):
        return {"fieldOfTomorrow": {"a": [1]}, **{name: with_more(each) for name, each in value.items()}}
    if isinstance(value, list):
        return [with_more(each) for each in value]
    return value


class TestPaymentMethods:
    def test_are_those_of_the_ledger(self) -> None:
        assert set(METHODS) == {method.value for method in TENDERS}
