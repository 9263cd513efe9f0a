"""What the activity log can be narrowed to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey
from pos_bridge.explaining import OUTCOMES
from pos_bridge.health import NOT_ALL_TAKEN
from pos_bridge.models import InboundBatch, InboundCall

PARTLY = "partly"
CLASSES = {"2xx": (200, 399), "4xx": (400, 499), "5xx": (500, 599)}
STATUSES = (200, 201, 304, 400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 500, 503)
# Beyond these, an instant could not be told in every zone.
EARLIEST = datetime(2000, 1, 1, tzinfo=timezone.utc)
LATEST = datetime(2200, 1, 1, tzinfo=timezone.utc)


class WallClock(forms.DateTimeField):
    """A moment on the campground's clock, to the minute."""

    def __init__(self, **kwargs: Any) -> None:
        picker = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        bounds = [MinValueValidator(EARLIEST), MaxValueValidator(LATEST)]
        super().__init__(required=False, widget=picker, validators=bounds, **kwargs)


class LogFilter(forms.Form):
    """Each field alone, and all of them together."""

    key = forms.TypedChoiceField(label=_("Key"), required=False, coerce=int, empty_value=None)
    outcome = forms.ChoiceField(label=_("Outcome"), required=False)
    status = forms.ChoiceField(label=_("Status"), required=False)
    ref = forms.CharField(label=_("Reference"), required=False, max_length=255, strip=False)
    since = WallClock(label=_("From"))
    until = WallClock(label=_("Until"))

    def __init__(self, data: Mapping[str, str], *, keys: Iterable[ApiKey]) -> None:
        super().__init__(data, auto_id="filter_%s")
        self.tills = {key.pk: key.till_key_id for key in keys}
        choices: dict[str, list[Any]] = {
            "key": [(key.pk, f"{key.name} ({key.prefix}…)") for key in keys],
            "outcome": [(outcome, word) for outcome, (word, _badge) in OUTCOMES.items()],
            "status": [
                ("2xx", _("all that were answered")),
                ("4xx", _("all that were refused")),
                ("5xx", _("all that failed")),
                (PARTLY, _("several sales at once, not all taken")),
                *((str(status), str(status)) for status in STATUSES),
            ],
        }
        for name, offered in choices.items():
            field: Any = self.fields[name]
            field.choices = [("", _("all")), *offered]

    @property
    def is_narrowing(self) -> bool:
        """Whether anything is left out."""
        return not self.is_valid() or any(value not in {None, ""} for value in self.cleaned_data.values())

    def narrow(self, calls: QuerySet[InboundCall]) -> QuerySet[InboundCall]:
        """The calls that are asked for; none, if that cannot be told."""
        return calls.filter(self._condition()) if self.is_valid() else calls.none()

    def _condition(self) -> Q:
        wanted = {
            "outcome": self.cleaned_data["outcome"],
            "external_ref": self.cleaned_data["ref"],
            "at__gte": self.cleaned_data["since"],
            "at__lte": self.cleaned_data["until"],
        }
        condition = Q(**{name: value for name, value in wanted.items() if value not in {None, ""}})
        if till := self.tills.get(self.cleaned_data["key"]):
            condition &= Q(api_key__in=[key for key, of_till in self.tills.items() if of_till == till])
        status = self.cleaned_data["status"]
        if status in CLASSES:
            condition &= Q(status__range=CLASSES[status])
        elif status == PARTLY:
            call = {name: OuterRef(name) for name in ("at", "request_id")}
            condition &= Q(Exists(InboundBatch.objects.of(OuterRef("tenant")).filter(NOT_ALL_TAKEN, **call)))
        elif status:
            condition &= Q(status=int(status))
        return condition
