from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from kasse.charts import BOTTOM, HEIGHT, LEFT, MOST_LABELS, RIGHT, TOP, WIDTH, Chart, Column, stacked, steps

AMOUNTS = st.decimals(-99_999_999, 99_999_999, places=2)
COLUMNS = st.lists(
    st.builds(lambda amounts: Column("1", "So 01.11.2026", amounts), st.tuples(AMOUNTS, AMOUNTS)), max_size=70
)


def chart_of(*columns: tuple[str, str]) -> Chart:
    """A chart of front desk and outside tills, day by day."""
    return stacked(
        [
            Column(str(day), f"{day}.", (Decimal(desk), Decimal(till)))
            for day, (desk, till) in enumerate(columns, start=1)
        ]
    )


class TestStacked:
    @given(COLUMNS)
    def test_stays_within_the_picture(self, columns: list[Column]) -> None:
        chart = stacked(columns)

        for bar in chart.bars:
            assert bar.x >= LEFT - 0.1
            assert bar.x + bar.width <= WIDTH - RIGHT + 0.2
            assert bar.y >= TOP - 0.1
            assert bar.y + bar.height <= HEIGHT - BOTTOM + 0.2
            assert bar.height >= 0
        assert len(chart.labels) <= MOST_LABELS

    @given(COLUMNS)
    def test_has_a_bar_for_each_amount_that_is_not_zero(self, columns: list[Column]) -> None:
        assert [bar.amount for bar in stacked(columns).bars] == [
            amount for column in columns for amount in column.amounts if amount
        ]

    def test_puts_one_source_on_top_of_the_other(self) -> None:
        desk, till = chart_of(("60.00", "40.00")).bars

        assert desk.y + desk.height == chart_of(("60.00", "40.00")).zero
        assert abs(till.y + till.height - desk.y) < 0.2
        assert abs(desk.height / till.height - 1.5) < 0.01

    def test_lets_a_day_of_refunds_hang_below_zero(self) -> None:
        chart = chart_of(("60.00", "-40.00"))
        desk, till = chart.bars

        assert desk.y < chart.zero == till.y
        assert till.height > 0
        assert min(tick.amount for tick in chart.ticks) < 0

    def test_sums_up_its_figures(self) -> None:
        chart = chart_of(("60.00", "-40.00"), ("1.05", "2.00"))

        assert chart.totals == (Decimal("61.05"), Decimal("-38.00"))
        assert chart.total == Decimal("23.05")
        assert [column.total for column in chart.columns] == [Decimal("20.00"), Decimal("3.05")]

    def test_of_nothing_is_an_empty_picture(self) -> None:
        chart = stacked([])

        assert (chart.bars, chart.labels, chart.total) == ((), (), Decimal("0.00"))


class TestSteps:
    @given(AMOUNTS, AMOUNTS)
    def test_reach_round_all_amounts_and_zero(self, one: Decimal, other: Decimal) -> None:
        scale = steps(min(one, other), max(one, other))

        assert scale[0] <= min(one, other, Decimal(0))
        assert scale[-1] >= max(one, other, Decimal(0))
        assert Decimal(0) in scale
        assert 2 <= len(scale) <= 7

    def test_are_round(self) -> None:
        assert steps(Decimal(0), Decimal("3189.12")) == tuple(map(Decimal, (0, 1000, 2000, 3000, 4000)))
        assert steps(Decimal(-20), Decimal("0.30")) == tuple(map(Decimal, (-20, -10, 0, 10)))
