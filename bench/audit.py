"""After the run the rows are counted: what was answered 201 must be there, once and whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Answers that count against a key's budget.
COUNTED = "(200, 201, 304, 400, 403, 404, 409, 429)"


@dataclass(frozen=True, slots=True)
class Tables:
    """Where a target keeps its rows; ``budget`` is the question what its keys have used, if any table knows."""

    sales: str = "kasse_transaction"
    items: str = "kasse_transactionitem"
    payments: str = "kasse_payment"
    calls: str = "pos_bridge_inboundcall"
    budget: str | None = None

    def questions(self) -> dict[str, str]:
        """What is asked after the run, each with one number for an answer."""
        by_key = f"api_key_id IS NOT NULL AND status IN {COUNTED}"
        asked = {
            "sales": f"SELECT count(*) FROM {self.sales}",
            "items": f"SELECT count(*) FROM {self.items}",
            "payments": f"SELECT count(*) FROM {self.payments}",
            "logged": f"SELECT count(*) FROM {self.calls} WHERE status = 201",
            "calls": f"SELECT count(*) FROM {self.calls} WHERE {by_key}",
        }
        return asked if self.budget is None else {**asked, "budget": self.budget}


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of one target. ``budget`` is what the keys' budgets say was used; None where no table says it."""

    sales: int
    items: int
    payments: int
    logged: int
    calls: int
    budget: int | None


def read_counts(answers: Mapping[str, int]) -> Counted:
    """From the answers to the questions, by name."""
    budget = answers.get("budget")
    return Counted(
        sales=int(answers["sales"]),
        items=int(answers["items"]),
        payments=int(answers["payments"]),
        logged=int(answers["logged"]),
        calls=int(answers["calls"]),
        budget=None if budget is None else int(budget),
    )


def find_faults(counted: Counted, *, accepted: int, in_flight: int) -> list[str]:
    """What is wrong, in words; empty when every figure may stand.

    ``accepted`` sales were answered 201 as the callers counted them. Up to ``in_flight`` more may have been stored
    whose answer nobody waited for when a round ended.
    """
    faults = []
    if not accepted <= counted.sales <= accepted + in_flight:
        faults.append(f"{accepted} sales were accepted, {counted.sales} are stored")
    if counted.items != 2 * counted.sales:
        faults.append(f"{counted.sales} sales have {counted.items} lines, not two each")
    if counted.payments != counted.sales:
        faults.append(f"{counted.sales} sales have {counted.payments} payments")
    if counted.logged != counted.sales:
        faults.append(f"{counted.sales} sales have {counted.logged} rows in the log")
    if counted.budget is not None and counted.budget != counted.calls:
        faults.append(f"{counted.calls} calls were logged, {counted.budget} counted against budgets")
    return faults
