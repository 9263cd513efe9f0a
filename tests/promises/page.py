"""The product page, sentence by sentence, and which of them a test keeps.

``@quotes(…)`` stands above a test and names the sentences that it proves; a sentence that no test quotes fails
``test_page.py``, and so does a quotation that the page does not contain.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., object])

PAGE = Path(__file__).with_name("product-page.txt").read_text(encoding="utf-8").splitlines()
PROMISES = tuple(line for line in PAGE if line and not line.startswith("#"))

# What the page shows, to the letter.
EXAMPLE = """{
"external_ref": "lightspeed-2026-04-29-T-1234",
"payment_method": "CASH",
"total_amount": "12.50",
"items": [
{ "description": "Croissant", "quantity": 2, "unit_price": "3.50", "line_total": "7.00" },
{ "description": "Coffee", "quantity": 1, "unit_price": "5.50", "line_total": "5.50" }
],
"occurred_at": "2026-04-29T08:14:32Z"
}"""

QUOTED: dict[str, list[str]] = {}


def quotes(*sentences: str) -> Callable[[Test], Test]:
    """Mark a test as proof of these sentences, each given whole or by its beginning."""
    whole = [next(each for each in PROMISES if each.startswith(sentence)) for sentence in sentences]

    def mark(test: Test) -> Test:
        for sentence in whole:
            QUOTED.setdefault(sentence, []).append(test.__qualname__)
        return test

    return mark
