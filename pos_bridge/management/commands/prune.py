"""``prune``: forget what is old, and see that the activity log has room for the months to come; for once a day."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pos_bridge.forgetting import forget_old_rehearsals
from pos_bridge.partitions import ensure_partitions
from pos_bridge.retention import forget_old_rows
from tenants.fence import is_standing


class Command(BaseCommand):
    help = (
        "Forget rows of the activity log older than ACTIVITY_RETENTION_DAYS, what was sent of parked sales decided 30 "
        "days ago, and test sales that came 30 days ago; "
        "on PostgreSQL, make the log's partitions for this month and the next two."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do both, and say what was done."""
        if is_standing():
            raise CommandError("Run prune as the owner of the tables: this role may not delete rows of the log.")
        now = timezone.now()
        ensured = ensure_partitions(now=now)
        for month in ensured.made:
            self.stdout.write(f"Made: {month.table}.")
        gone = forget_old_rows(now=now, log_days=settings.ACTIVITY_RETENTION_DAYS)
        tried_out = forget_old_rehearsals(now=now)
        self.stdout.write(
            f"Forgotten: {gone.calls} calls, bodies of {gone.parked_sales} decided parked sales, "
            f"{tried_out} test sales."
        )
        if ensured.missing:
            missing = ", ".join(month.table for month in ensured.missing)
            raise CommandError(f"Not made: {missing}. Calls go to the default partition meanwhile; the log says why.")
