"""What the operator's log must not repeat: rows, which a database quotes when it refuses them."""

from __future__ import annotations

import psycopg
from django.db import Error


def cut_rows_out(exception: BaseException | None) -> None:
    """Keep the first line of what a database said, in an exception and in all that led to it."""
    seen = set()
    while exception is not None and id(exception) not in seen:
        seen.add(id(exception))  # two may name each other
        if isinstance(exception, Error | psycopg.Error) and exception.args:
            exception.args = (str(exception.args[0]).partition("\n")[0],)
        exception = exception.__cause__ or exception.__context__
