"""What is said about a sale that was taken all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a till should know about a sale that was taken all the same: a ``warning`` in the answer."""

    code: str
    field: str
    message: str
    stored: Any = None
    sent: Any = None
