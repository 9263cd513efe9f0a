"""A second proof of who signs in: a code of an app, or one of the codes on paper."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from tenants.models import User


class Authenticator(models.Model):
    """A person's app that makes a code every 30 seconds (RFC 6238); counts once its first code has been typed in.

    ``last_step`` is the moment of the last code that was right, in steps of 30 seconds: none counts twice. A wrong one
    makes the next one wait, for 1, 2, 4, … seconds.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+")
    sealed_secret = models.TextField(editable=False)
    confirmed = models.BooleanField(default=False)
    last_step = models.BigIntegerField(default=-1, editable=False)
    wrong_codes = models.PositiveIntegerField(default=0, editable=False)
    closed_until = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """A code on paper, for whoever has lost the app; good for one time. Only its keyed digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return str(self.user)
