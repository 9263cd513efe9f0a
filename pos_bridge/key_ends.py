"""Keys that end soon, and what is to be done about it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from apikeys.models import ApiKey
from apikeys.replacing import relieved_keys
from apikeys.states import SOON, URGENT
from tenants import swiss


@dataclass(frozen=True, slots=True)
class KeyEnd:
    """A key that ends within ``SOON``; ``is_replaced`` says that its till has yet to get the new token."""

    key: ApiKey
    ends_at: datetime
    is_urgent: bool
    is_replaced: bool

    @property
    def sentence(self) -> str:
        """On the campground's clock, in the language that is active."""
        ends_at = self.ends_at.astimezone(self.key.tenant.zone_info)
        moment = f"{swiss.day_text(ends_at)} {swiss.time_text(ends_at)}"
        if self.is_replaced:
            text = _("The old key of %(till)s ends on %(moment)s, and the new one was never used: put its token in.")
        else:
            text = _("The key of %(till)s ends on %(moment)s: replace it, and give the till its new token.")
        return text % {"till": self.key.name, "moment": moment}


def key_ends(keys: Iterable[ApiKey], *, at: datetime) -> list[KeyEnd]:
    """The active keys that end soon, the next first; not those whose till has its new token already.

    ``keys`` are all of a campground, which is loaded with each.
    """
    keys = list(keys)
    relieved = relieved_keys(keys)
    replaced = {key.replaces_id for key in keys if key.revoked_at is None}
    active = [key for key in keys if key.is_active_at(at) and key.pk not in relieved]
    found = [
        KeyEnd(key, key.expires_at, is_urgent=key.expires_at <= at + URGENT, is_replaced=key.pk in replaced)
        for key in active
        if key.expires_at is not None and key.expires_at <= at + SOON
    ]
    return sorted(found, key=lambda end: end.ends_at)
