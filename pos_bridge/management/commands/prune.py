"""``prune``: forget old rows of the activity log and parked sales that were decided long ago; for once a day."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from pos_bridge.retention import forget_old_rows


class Command(BaseCommand):
    help = "Forget rows of the activity log older than ACTIVITY_RETENTION_DAYS, and sales decided 30 days ago."

    def handle(self, *args: Any, **options: Any) -> None:
        """Forget them, and say how many there were."""
        gone = forget_old_rows(now=timezone.now(), log_days=settings.ACTIVITY_RETENTION_DAYS)
        self.stdout.write(f"Forgotten: {gone.calls} calls, {gone.parked_sales} decided parked sales.")
