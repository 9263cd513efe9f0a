"""No sentence of the product page without its proof."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from tests import promises
from tests.promises.page import PROMISES, QUOTED, quotes

for module in pkgutil.iter_modules(promises.__path__, f"{promises.__name__}."):
    importlib.import_module(module.name)


class TestThePage:
    @pytest.mark.parametrize("sentence", PROMISES)
    def test_says_nothing_that_no_test_proves(self, sentence: str) -> None:
        assert QUOTED.get(sentence)

    def test_is_quoted_as_it_is(self) -> None:
        with pytest.raises(StopIteration):
            quotes("Every sale is logged twice.")
