"""What is known of the scheduler's deeds: when each was last done, whichever machine has done it."""

from __future__ import annotations

from django.db import models


class Deed(models.Model):
    """Something that the scheduler does again and again; of the whole service, not of one campground."""

    name = models.CharField(max_length=40, primary_key=True)
    begun_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, help_text="When it last came to its end.")

    def __str__(self) -> str:
        return f"{self.name}: {self.done_at}"
