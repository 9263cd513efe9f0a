"""``close_day``: the same close from the command line, or one sentence why not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from unittest.mock import patch

import pytest
from django.core.management import CommandError, call_command

from kasse.closing_models import DailyClose
from tenants.models import Role, Tenant
from tests.factories import member
from tests.kasse.sales import DAY
from tests.kasse.selling import close, evening, sell, tomorrow


def run(*arguments: str, **options: Any) -> str:
    """The command on the evening of the day; what it says."""
    out = StringIO()
    with patch("kasse.management.commands.close_day.timezone.now", return_value=evening()):
        call_command("close_day", "--tenant", "seeblick", "--date", str(DAY), *arguments, stdout=out, **options)
    return out.getvalue().strip()


class TestTheCommand:
    def test_closes_an_empty_day(self, seeblick: Tenant, waldrand: Tenant) -> None:
        assert run() == "Z1: 2026-04-29, 0 sales, expected 0.00, counted 0.00."
        assert DailyClose.objects.of(seeblick).get().closed_by_name == ""
        assert not DailyClose.objects.of(waldrand).exists()

    def test_takes_a_sum(self, seeblick: Tenant) -> None:
        sell(seeblick, "1012.50")

        said = run("--counted", "1212.00", "--first-float", "200", "--float-left", "150.00", "--reason", "Münz fehlt")

        assert said == "Z1: 2026-04-29, 1 sales, expected 1'212.50, counted 1'212.00."
        kept = DailyClose.objects.get()
        assert (kept.opening_float, kept.float_left) == (Decimal(200), Decimal(150))
        assert kept.variance_reason == "Münz fehlt"

    def test_takes_notes_and_coins(self, seeblick: Tenant) -> None:
        sell(seeblick, "340.35")

        run("--counted", "100x3,20x2,0.05x7")

        assert DailyClose.objects.get().counted == {
            "pieces": [["100.00", 3], ["20.00", 2], ["0.05", 7]],
            "other": "0.00",
        }

    def test_names_who_closed(self, seeblick: Tenant) -> None:
        member(seeblick, Role.TENANT_ADMIN, username="anna", first_name="Anna", last_name="Keller")

        run("--by", "anna")

        assert DailyClose.objects.get().closed_by_name == "Anna Keller"

    @pytest.mark.parametrize("username", ["anna", "berta", "nobody"])
    def test_lets_nobody_close_who_may_not(self, seeblick: Tenant, waldrand: Tenant, username: str) -> None:
        member(seeblick, username="anna")
        member(waldrand, Role.TENANT_ADMIN, username="berta")

        with pytest.raises(CommandError, match=f"^'{username}' is no admin of seeblick.$"):
            run("--by", username)
        assert not DailyClose.objects.exists()

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--counted", "0.05"], "Counted differs from expected by 0.05: say why with --reason."),
            (["--float-left", "1"], "No more than the 0.00 that were counted can be left."),
            (["--date", str(tomorrow())], "That day has not begun; today is 2026-04-29."),
            (["--tenant", "nobody"], "There is no campground 'nobody'; create_tenant opens one."),
            (["--counted", "3x7,4x1"], "There is no 3.00, 4.00 in CHF."),
        ],
    )
    def test_says_in_one_sentence_why_not(self, seeblick: Tenant, arguments: list[str], sentence: str) -> None:
        with pytest.raises(CommandError) as refused:
            run(*arguments)

        assert str(refused.value) == sentence
        assert not DailyClose.objects.exists()

    def test_says_what_comes_first_and_what_is_behind_us(self, seeblick: Tenant) -> None:
        before = DAY - timedelta(days=1)
        close(seeblick, before - timedelta(days=1))
        sell(seeblick, day=before)
        with pytest.raises(CommandError, match=r"^2026-04-28 has sales and comes first\.$"):
            run()
        close(seeblick, before, counted="12.50", float_left=Decimal(0))
        close(seeblick)
        with pytest.raises(CommandError, match=r"^That day is behind us: Z3: 2026-04-29 is closed\.$"):
            run()

    def test_says_that_two_currencies_do_not_add_up(self, seeblick: Tenant) -> None:
        sell(seeblick)
        seeblick.currency = "EUR"
        seeblick.save()
        sell(seeblick)

        with pytest.raises(CommandError, match="more than one currency: CHF, EUR"):
            run()

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--date", "gestern"],
            ["--date", "2026-02-30"],
            *(
                ["--counted", text]
                for text in ("viel", "-1", "1.001", "NaN", "1e9", "100x-1", "100x", "100x1,100x2", "x")
            ),
            ["--float-left", "-0.05"],
        ],
    )
    def test_refuses_what_it_cannot_read(self, seeblick: Tenant, arguments: list[str]) -> None:
        with pytest.raises(CommandError, match=r"not (a|an|notes) "):
            run(*arguments)
        assert not DailyClose.objects.exists()
