"""Installed by ``tests.fences.forgetful.settings`` alone."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models import QuerySet


class ForgetfulConfig(AppConfig):
    name = "tests.fences.forgetful"

    def ready(self) -> None:
        """Take the first fence down."""
        from campone.roles import fenced_models

        rows_of: Any = QuerySet
        fenced, narrow = frozenset(fenced_models()), rows_of._filter_or_exclude_inplace

        def forget(rows: QuerySet[Any], negate: bool, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if rows.model in fenced:
                kwargs = {name: value for name, value in kwargs.items() if name not in {"tenant", "tenant_id"}}
            narrow(rows, negate, args, kwargs)

        rows_of._filter_or_exclude_inplace = forget
