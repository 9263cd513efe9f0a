"""The quick reader of sales against the strict one: where it gives an answer at all, it is the same answer.

The strict reader and the serializers are the statement of the rules. The quick one may pass any body on to them;
it may never take what they refuse, nor understand anything otherwise than they do.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pos_bridge.contract import read_sale
from pos_bridge.decoding import DOUBTFUL_ESCAPE
from pos_bridge.strict_json import DEPTH
from tests.contract.both_readers import TERMS, assert_read_alike, strictly
from tests.contract.misspelling import MUTATIONS, damaged
from tests.contract.spelling import Speller
from tests.contract.tills_sales import sales

SEEDS = st.integers(0, 2**32 - 1)
hard = settings(max_examples=400, deadline=None)


def chance_of(seed: int) -> Random:
    return Random(seed)


class TestTheQuickReader:
    @hard
    @given(sale=sales(), seed=SEEDS)
    def test_reads_what_is_in_order_as_the_strict_one_does(self, sale: Any, seed: int) -> None:
        assert_read_alike(Speller(chance_of(seed)).body(sale))

    @hard
    @given(sale=sales(), seed=SEEDS)
    def test_takes_nothing_that_the_strict_one_refuses(self, sale: Any, seed: int) -> None:
        chance = chance_of(seed)
        for _ in range(chance.choice([1, 1, 2, 3])):
            chance.choice(MUTATIONS)(sale, chance)

        assert_read_alike(Speller(chance).body(sale))

    @hard
    @given(sale=sales(), seed=SEEDS)
    def test_takes_no_damage_for_a_sale(self, sale: Any, seed: int) -> None:
        chance = chance_of(seed)
        body = Speller(chance).body(sale)

        for _ in range(10):
            assert_read_alike(damaged(body, chance))

    @given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
    @example(b"")
    @example(b"{}")
    @example(b"null")
    @example(b"[" * 100_000)
    @example(b'{"items":' * 50_000)
    def test_takes_no_noise_for_a_sale(self, body: bytes) -> None:
        assert read_sale(body, TERMS) is None

    @hard
    @given(sale=sales(), seed=SEEDS)
    def test_takes_every_ordinary_sale_itself(self, sale: Any, seed: int) -> None:
        """Or it would be of no use: nobody notices a till that is read the long way each time."""
        body = Speller(chance_of(seed)).body(sale)
        assume(strictly(body) is not None)
        assume(not DOUBTFUL_ESCAPE.search(body.decode()))
        assume(b"\\u002" not in body and b"\\u003" not in body)  # an escaped digit is no ordinary number
        assume(brackets_in_metadata(sale) < DEPTH)

        assert read_sale(body, TERMS) is not None


def brackets_in_metadata(sale: Any) -> int:
    """Of all spellings of them, the plain one has most."""
    metadata = [value for key, value in sale.pairs if key == "metadata"]
    return sum(Speller(chance_of(0)).body(each).count(bracket) for each in metadata for bracket in (b"{", b"["))
