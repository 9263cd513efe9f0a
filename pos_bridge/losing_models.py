"""Which answers to a test key are lost on purpose."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from tenants.models import TenantOwned


class Losing(models.TextChoices):
    """Which answers to a test key are lost on purpose; of every second one, whether this is it."""

    NEVER = "never", _("no answer")
    ONCE = "once", _("the next answer")
    THIS = "this", _("every second answer")
    OTHER = "other", _("every second answer, but not the next")


class LosingAnswers(TenantOwned):
    """What a test key's switch says; one without a row loses nothing."""

    api_key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="+")
    mode = models.CharField(max_length=5, choices=Losing)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(mode__in=Losing.values), name="losing_answers_mode_known"),
            models.CheckConstraint(condition=Q(tenant__lt=0), name="losing_answers_of_test_keys"),
        ]

    def __str__(self) -> str:
        return f"{self.api_key_id}: {self.mode}"
