"""What a database does when it is away, and how a till hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from tests.till import body_of

AWAY = [OperationalError("server closed the connection"), InterfaceError("the connection is closed")]
DATABASE: Any = type(connections["default"])


def failing(error: Exception) -> Callable[..., Any]:
    """A stand-in that raises ``error`` whatever it is asked."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


def assert_unavailable(answer: Any) -> None:
    """503 in JSON that says: the same again, a little later."""
    body = body_of(answer)
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/json"
    assert (body["detail"], body["code"], body["retryable"]) == ("unavailable", "unavailable", True)
    assert int(answer["Retry-After"]) > 0
    assert body["request_id"] == answer["X-Request-Id"]
