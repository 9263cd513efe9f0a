"""Exact numbers on both engines, by construction.

SQLite keeps Django's decimals as floats, and a sum over a million of them is off. An ``ExactDecimalField``
stores whole units of its last place (Rappen for an amount, thousandths for a quantity) in a 64-bit integer;
in Python it is a ``Decimal``, and sums are sums of integers.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, TypeAlias, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import Combinable, Expression
from django.utils.translation import gettext_lazy as _

LARGEST = 2**63 - 1
# Python's own context would round the thirtieth digit away and say nothing.
EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])
STEPS = [Decimal(1).scaleb(-places) for places in range(7)]
ExactInput: TypeAlias = Combinable | Decimal | int | str
_ST_contra = TypeVar("_ST_contra", contravariant=True)
_GT_co = TypeVar("_GT_co", covariant=True)


def units_of(number: Decimal, places: int) -> int:
    """A number in whole units of its last place: ``units_of(Decimal("3.5"), 2)`` is 350.

    Raises:
        ArithmeticError: it is not finite, or has more places.
        ValueError: it does not fit into 64 bits.
    """
    text = str(number)  # by way of it, since what most numbers are written with is all their places
    if text[~places:-places] != ".":
        text = str(number.quantize(STEPS[places], None, EXACT))
    units = int(text.replace(".", ""))
    if not -LARGEST <= units <= LARGEST:
        raise ValueError(number)
    return units


def number_of(units: int | Decimal, places: int) -> Decimal:
    """The number that so many units of its last place are: ``number_of(350, 2)`` is 3.50."""
    return Decimal(units).scaleb(-places)


class ExactDecimalField(models.Field[_ST_contra, _GT_co]):
    """A decimal with a fixed number of ``places``, stored as an integer; never rounds, refuses instead."""

    description = _("Exact decimal number")
    # What the type checker lets rows be given, and says they give back.
    _pyi_private_set_type: ExactInput
    _pyi_private_get_type: Decimal

    def __init__(self, *args: Any, places: int, **kwargs: Any) -> None:
        self.places = places
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """What a migration writes down."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "places": self.places}

    def from_db_value(
        self, value: int | Decimal | None, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Decimal | None:
        """Whole units back to a decimal. A sum arrives as ``Decimal`` from PostgreSQL, as ``int`` from SQLite."""
        return None if value is None else number_of(value, self.places)

    def to_python(self, value: Any) -> Decimal | None:
        """A decimal with exactly ``places``.

        Raises:
            ValidationError: not a finite number, or more places than fit.
        """
        if value is None:
            return None
        try:
            return number_of(units_of(Decimal(str(value)), self.places), self.places)
        except (ArithmeticError, ValueError):
            raise ValidationError(
                "“%(value)s” is not a number with at most %(places)s places.",
                code="invalid",
                params={"value": value, "places": self.places},
            ) from None

    def get_prep_value(self, value: Any) -> Any:
        """Whole units for the database; expressions pass through."""
        if value is None or hasattr(value, "resolve_expression"):
            return value
        return units_of(Decimal(str(value)), self.places)

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return value if prepared else self.get_prep_value(value)

    def get_internal_type(self) -> str:
        """The column's type."""
        return "BigIntegerField"

    def formfield(
        self, form_class: type[forms.Field] | None = None, choices_form_class: Any = None, **kwargs: Any
    ) -> forms.Field | None:
        """A decimal box in forms."""
        options = {"decimal_places": self.places, "max_digits": 12, **kwargs}
        return super().formfield(form_class or forms.DecimalField, choices_form_class, **options)


class MoneyField(ExactDecimalField[_ST_contra, _GT_co]):
    """An amount in the tenant's currency, VAT included, two places: stored in Rappen."""

    description = _("Amount of money")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "places": 2})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["places"]
        return name, path, args, kwargs
