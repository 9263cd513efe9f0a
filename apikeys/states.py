"""What a key is at an instant: active, expired or revoked."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from apikeys.models import ApiKey

STATES = {"active": _("active"), "expired": _("expired"), "revoked": _("revoked")}
SOON = timedelta(days=30)
"""How long before its end a key is said to expire soon: time enough to replace it and bring its token to the till."""
URGENT = timedelta(days=7)
"""From then on the pill of the bridge says it too."""


def with_state(keys: QuerySet[ApiKey], *, at: datetime) -> QuerySet[ApiKey]:
    """Keys with their ``state`` at an instant. Revoked counts before expired: it is the stronger word."""
    state = Case(
        When(revoked_at__isnull=False, then=Value("revoked")),
        When(Q(expires_at__lte=at), then=Value("expired")),
        default=Value("active"),
        output_field=CharField(),
    )
    return keys.annotate(state=state)


def state_of(key: ApiKey, *, at: datetime) -> str:
    """The same of a key at hand, and ``expires_soon`` for one that is active and will not be for long."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is None or key.expires_at > at + SOON:
        return "active"
    return "expired" if key.expires_at <= at else "expires_soon"
