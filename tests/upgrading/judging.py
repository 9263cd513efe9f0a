"""What an upgrade may cost, beside what must hold always (``tests.faults.books``)."""

from __future__ import annotations

from tests.faults.books import Condition
from tests.faults.databases import Postgres
from tests.upgrading.course import FULL_SPEED, HANDOVERS, Course

LONGEST_WAIT = 2.0
"""Seconds that a till waits for a lock at most, and that 99 of 100 sales stay below."""
LONGEST_SILENCE = 5.0
"""Seconds at most without an acknowledgement while one code follows the other."""
WHAT_LAY_THERE = (
    """SELECT count(*), sum(hashtext(concat_ws('|', id, tenant_id, external_ref, fingerprint, total_amount,
        business_date, payment_method, received_at))::bigint) FROM kasse_transaction WHERE external_ref LIKE 'growth-%'
    """,
    """SELECT count(*), sum(hashtext(concat_ws('|', tenant_id, transaction_id, position, description, quantity,
        unit_price, line_total, vat_rate))::bigint) FROM kasse_transactionitem WHERE sku <> ''
    """,
    """SELECT count(*), sum(hashtext(concat_ws('|', at, tenant_id, request_id, status))::bigint)
        FROM pos_bridge_inboundcall WHERE external_ref LIKE 'growth-%'
    """,
)

Digest = list[tuple[int, int]]
"""Of sales, lines and calls that lay there before: how many, and what they come to."""


def digest(database: Postgres) -> Digest:
    """In the timezone of the database, so the same at any time."""
    return [(count, int(total or 0)) for question in WHAT_LAY_THERE for count, total in database.rows(question)]


def check_course(course: Course, *, before: Digest, after: Digest, changes: bool) -> list[Condition]:
    """Conditions 11 to 15; ``changes`` if there are tables to change."""
    parts = [part for part in course.parts if part.name != FULL_SPEED]
    measured = [part for part in parts if part.name not in HANDOVERS]
    failures = sum(part.failures for part in parts)
    lock = max(parts, key=lambda part: part.waited_for_lock)
    slowest = max(measured, key=lambda part: part.p99)
    silent = max(parts, key=lambda part: part.silence)
    conditions = [
        Condition(11, "no sale failed, not even to be sent again", not failures, f"{failures} × 5xx"),
        Condition(
            12,
            f"no till waits for a lock for {LONGEST_WAIT} s",
            lock.waited_for_lock < LONGEST_WAIT,
            f"{lock.waited_for_lock:.2f} s at most, in: {lock.name}",
        ),
        Condition(
            13,
            f"p99 of a sale below {LONGEST_WAIT} s in each part, at most {LONGEST_SILENCE} s silent between two codes",
            slowest.p99 < LONGEST_WAIT and silent.silence < LONGEST_SILENCE,
            f"p99 {slowest.p99:.3f} s in: {slowest.name}; {silent.silence:.2f} s silent in: {silent.name}",
        ),
        Condition(
            14, "what lay there before is as it was", before == after, f"{after[0][0]} sales, {after[1][0]} lines"
        ),
    ]
    if changes and not course.lost:
        conditions.append(
            Condition(15, "new code does not serve on old tables", "migrate" in course.refused, course.refused)
        )
    return conditions
