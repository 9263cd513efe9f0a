"""Rows that are written once: the application has no way to change them, and the database refuses it.

The managers here refuse what reaches many rows; the triggers in the migrations refuse whatever else is tried.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

from tenants.models import TenantOwnedManager

M = TypeVar("M", bound=models.Model)


class WrittenOnce(Exception):
    """These rows are never changed and never deleted."""


class WrittenOnceQuerySet(models.QuerySet[M]):
    """Rows to read, and to add to."""

    def update(self, **kwargs: Any) -> NoReturn:
        self._refuse()

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse()

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._refuse()

    def delete(self) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise WrittenOnce(self.model._meta.db_table)


class WrittenOnceManager(TenantOwnedManager[M]):
    """Rows of one campground, written once."""

    def get_queryset(self) -> models.QuerySet[M]:
        return WrittenOnceQuerySet(self.model, using=self._db)

    def update_or_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise WrittenOnce(self.model._meta.db_table)

    bulk_update = update_or_create
