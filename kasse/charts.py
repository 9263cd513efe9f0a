"""Series of amounts as the geometry of a picture: stacked columns, a scale, labels. Pure; no SVG and no words in here.

Amounts below zero go down from the zero line, so a column shows what came and what went. Lengths are in units of the
picture's own, ``width`` by ``height``, from its upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from kasse.money import ZERO

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 6, 10, 26
"""Room for the scale's figures, and for what stands below the columns."""
MOST_STEPS = 5
MOST_LABELS = 16
WIDEST = 44
"""A column alone would be a wall."""


@dataclass(frozen=True, slots=True)
class Column:
    """What stands side by side: one amount for each series."""

    label: str
    """Below the column, where there is room."""
    name: str
    """In full, for the table and for whoever points at it."""
    amounts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        """All series together."""
        return sum(self.amounts, ZERO)


@dataclass(frozen=True, slots=True)
class Bar:
    """One series of one column; ``series`` counts from 1."""

    series: int
    x: float
    y: float
    width: float
    height: float
    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale."""

    y: float
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Label:
    """The middle of a text below a column."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture, and the columns it is of."""

    columns: tuple[Column, ...]
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    zero: float
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def left(self) -> int:
        """Where the columns begin."""
        return LEFT

    @property
    def right(self) -> int:
        """Where they end."""
        return self.width - RIGHT

    @property
    def totals(self) -> tuple[Decimal, ...]:
        """Each series over all columns."""
        return tuple(sum(amounts, ZERO) for amounts in zip(*(each.amounts for each in self.columns), strict=True))

    @property
    def total(self) -> Decimal:
        """All series together."""
        return sum(self.totals, ZERO)


def stacked(columns: Sequence[Column], *, height: int = HEIGHT) -> Chart:
    """Columns side by side, each of their series on top of the one before."""
    scale = steps(
        min((_below(each) for each in columns), default=Decimal(0)),
        max((_above(each) for each in columns), default=Decimal(0)),
    )
    lowest, highest = scale[0], scale[-1]
    room = height - TOP - BOTTOM

    def y_of(amount: Decimal) -> float:
        return _round(TOP + float((highest - amount) / (highest - lowest)) * room)

    pitch = (WIDTH - LEFT - RIGHT) / max(len(columns), 1)
    wide = min(pitch * 0.72, WIDEST)
    every = -(-len(columns) // MOST_LABELS)
    bars: list[Bar] = []
    labels = []
    for place, column in enumerate(columns):
        middle = LEFT + pitch * (place + 0.5)
        if place % every == 0:
            labels.append(Label(_round(middle), column.label))
        ends = {True: Decimal(0), False: Decimal(0)}
        for series, amount in enumerate(column.amounts, start=1):
            if amount:
                # What came is stacked upwards, what went downwards.
                begin = ends[amount > 0]
                end = ends[amount > 0] = begin + amount
                top, bottom = y_of(max(begin, end)), y_of(min(begin, end))
                bars.append(
                    Bar(series, _round(middle - wide / 2), top, _round(wide), _round(bottom - top), column.name, amount)
                )
    ticks = tuple(Tick(y_of(amount), amount) for amount in scale)
    return Chart(tuple(columns), tuple(bars), ticks, tuple(labels), y_of(Decimal(0)), height=height)


def steps(lowest: Decimal, highest: Decimal) -> tuple[Decimal, ...]:
    """Round amounts from at most ``lowest`` to at least ``highest``, zero among them.

    They are 1, 2 or 5 times a power of ten apart.
    """
    lowest, highest = min(lowest, Decimal(0)), max(highest, Decimal(0))
    if lowest == highest:
        highest = Decimal(1)
    rough = (highest - lowest) / (MOST_STEPS - 1)
    power = Decimal(1).scaleb(rough.adjusted())
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    return tuple(step * number for number in range(floor(lowest / step), ceil(highest / step) + 1))


def _above(column: Column) -> Decimal:
    return sum((each for each in column.amounts if each > 0), Decimal(0))


def _below(column: Column) -> Decimal:
    return sum((each for each in column.amounts if each < 0), Decimal(0))


def _round(number: float) -> float:
    return round(number, 1)
