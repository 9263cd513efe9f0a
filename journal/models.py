"""The journal's rows: what a campground's books are kept with, a day's journals, and what SAP was told of them.

* A ``Journal`` is what a set of sales came to: all those of one business day that no journal had before. Number 0 is
  the main one, 1 and up are supplements for sales that came late. It is written once, with its sales.
* A ``Revision`` is one document of it for SAP: its lines, how far it has got, SAP's number. Reversed, another one may
  follow, over the same sales; one at most is not reversed.
* An ``Attempt`` is one thing that was tried with it, and how it ended.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from journal.postings import Posting
from journal.settings_models import Flavor
from kasse.models import Transaction
from kasse.money import plain
from kasse.totals import DayTotals
from tenants.models import Tenant, TenantOwned, User
from tenants.written_once import WrittenOnceManager


class Journal(TenantOwned):
    """What some sales of one business day came to; written once."""

    business_date = models.DateField(_("business day"))
    supplement = models.PositiveIntegerField(_("supplement"), help_text=_("0 is the main journal."))
    currency = models.CharField(max_length=3)
    sale_count = models.PositiveIntegerField()
    totals = models.JSONField(help_text=_("What kasse.totals made of its sales."))
    earlier = models.JSONField(help_text=_("Gross at each VAT rate in the journals of this day before."))
    opened_at = models.DateTimeField()

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tenant", "business_date", "supplement"], name="journal_once_per_day_and_supplement"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.business_date}/{self.supplement}"

    @property
    def day_totals(self) -> DayTotals:
        """What its sales came to."""
        return DayTotals.from_json(self.totals)

    @property
    def earlier_gross(self) -> dict[Decimal, Decimal]:
        """Gross at each VAT rate (percent) in the journals of this day before."""
        return {Decimal(rate): Decimal(gross) for rate, gross in self.earlier.items()}


class JournalSale(TenantOwned):
    """A sale that a journal is made of; no other journal is."""

    # The sale holds the campground, as for lines and payments.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    pk = models.CompositePrimaryKey("tenant", "transaction")
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, db_index=False, related_name="+")
    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="journal_sales", db_index=False)

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["tenant", "journal"], name="journal_sale_by_journal")]

    def __str__(self) -> str:
        return f"{self.journal_id}: {self.transaction_id}"


class State(models.TextChoices):
    """How far a revision has got."""

    DRAFT = "draft", _("To post")
    BLOCKED = "blocked", _("Account missing")
    SENDING = "sending", _("Being sent")
    UNKNOWN = "unknown", _("Answer lost")
    FAILED = "failed", _("Failed")
    POSTED = "posted", _("Posted")
    REVERSING = "reversing", _("Being reversed")
    REVERSAL_UNKNOWN = "reversal_unknown", _("Reversal: answer lost")
    REVERSED = "reversed", _("Reversed")
    NOTHING = "nothing_to_post", _("Nothing to post")


# SAP surely has nothing of it; its lines are made anew from the accounts as they are then.
UNSENT = (State.DRAFT, State.BLOCKED, State.FAILED)


class Revision(TenantOwned):
    """One document of a journal for SAP."""

    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="revisions", db_index=False)
    revision = models.PositiveIntegerField(_("revision"), help_text=_("From 1."))
    reference = models.CharField(_("our reference"), max_length=16, help_text=_("Under which SAP knows it."))
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.DRAFT)
    flavor = models.CharField(max_length=20, choices=Flavor, help_text=_("Which SAP has it."))
    lines = models.JSONField(default=list, help_text=_("Its postings, as they were sent."))
    sap_key = models.CharField(max_length=40, blank=True, help_text=_("How SAP's interface calls the document."))
    sap_number = models.CharField(_("document number"), max_length=20, blank=True)
    reversal_number = models.CharField(_("reversal's document number"), max_length=20, blank=True)
    sentence = models.CharField(max_length=500, blank=True, help_text=_("What was last heard of it."))
    tries = models.PositiveIntegerField(default=0, help_text=_("In vain, one after another."))
    next_try_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, help_text=_("When SAP was last told to book, or to reverse."))
    posted_at = models.DateTimeField(_("posted at"), null=True)
    reversed_at = models.DateTimeField(_("reversed at"), null=True)
    claim = models.CharField(max_length=36, blank=True, help_text=_("Whoever is at work on it."))
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "journal", "revision"], name="revision_once_per_journal"),
            models.UniqueConstraint(fields=["tenant", "reference"], name="revision_reference_once"),
            models.UniqueConstraint(
                fields=["tenant", "journal"], condition=~Q(state=State.REVERSED), name="revision_one_is_live"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="revision_state_known"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="revision_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["tenant", "next_try_at"],
                condition=~Q(state__in=[State.POSTED, State.REVERSED, State.NOTHING]),
                name="revision_to_do",
            )
        ]

    def __str__(self) -> str:
        return f"{self.reference}: {self.state}"

    @property
    def postings(self) -> tuple[Posting, ...]:
        """Its lines, as they were sent."""
        return tuple(_posting_from(line) for line in self.lines)

    @property
    def is_unmapped(self) -> bool:
        """Whether an amount went to the account for unclear amounts."""
        return any(line["unmapped"] for line in self.lines)


class Outcome(models.TextChoices):
    """How an attempt ended."""

    DONE = "done", _("done")
    FOUND = "found", _("found in SAP")
    ABSENT = "absent", _("not in SAP")
    REFUSED = "refused", _("refused by SAP")
    UNREACHED = "unreached", _("SAP not reached")
    LOST = "lost", _("answer lost")
    CONTRADICTION = "contradiction", _("SAP has something else")
    SETTLED = "settled", _("settled by hand")
    BLOCKED = "blocked", _("account missing")
    UNBALANCED = "unbalanced", _("debit and credit differ")
    NOTHING = "nothing", _("nothing to post")


class Deed(models.TextChoices):
    """What was tried."""

    POST = "post", _("Post")
    LOOK_UP = "look_up", _("Look up")
    REVERSE = "reverse", _("Reverse")
    LOOK_UP_REVERSAL = "look_up_reversal", _("Look up the reversal")


class Attempt(TenantOwned):
    """One thing that was tried with a revision; written once. No credentials, no bodies."""

    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    at = models.DateTimeField(_("time"))
    deed = models.CharField(max_length=20, choices=Deed)
    outcome = models.CharField(max_length=20, choices=Outcome)
    number = models.CharField(_("document number"), max_length=20, blank=True)
    sentence = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, db_index=False, related_name="+")

    objects: ClassVar[WrittenOnceManager[Self]] = WrittenOnceManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(deed__in=Deed.values), name="attempt_deed_known"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="attempt_outcome_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["tenant", "revision", "at"], name="attempt_by_revision")]

    def __str__(self) -> str:
        return f"{self.deed}: {self.outcome}"


def lines_of(postings: tuple[Posting, ...]) -> list[dict[str, Any]]:
    """Postings as JSON can hold them, amounts as texts."""
    return [
        {
            "account": line.account,
            "debit": plain(line.debit, places=2),
            "credit": plain(line.credit, places=2),
            "text": line.text,
            "key": line.key,
            "tax_code": line.tax_code,
            "tax_base": None if line.tax_base is None else plain(line.tax_base, places=2),
            "unmapped": line.unmapped,
        }
        for line in postings
    ]


def _posting_from(line: dict[str, Any]) -> Posting:
    base = line["tax_base"]
    amounts = {"debit": Decimal(line["debit"]), "credit": Decimal(line["credit"])}
    return Posting(**{**line, **amounts, "tax_base": None if base is None else Decimal(base)})
