"""Sales that came after their day had been journalled: in a supplement, or waiting for one."""

from __future__ import annotations

from django.db.models import OuterRef, Q

from journal.models import Journal, JournalSale
from kasse.late import Condition
from kasse.models import Status


def missed_the_journal(exists: Condition) -> Q:
    """The condition on a sale: complete, of a day that has a journal, and not in the main one."""
    its_day = Journal.objects.of(OuterRef("tenant")).filter(business_date=OuterRef("business_date"))
    in_main = JournalSale.objects.of(OuterRef("tenant")).filter(transaction=OuterRef("pk"), journal__supplement=0)
    return Q(status=Status.COMPLETED) & Q(exists(its_day)) & ~Q(exists(in_main))
