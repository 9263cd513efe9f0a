"""The vendors there are: each folder with a ``vendor.py``, by its code."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from adapters.vendor import Vendor


def _folders() -> list[str]:
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/vendor.py"))


VENDORS: Mapping[str, Vendor] = {name: import_module(f"adapters.{name}.vendor").VENDOR for name in _folders()}
