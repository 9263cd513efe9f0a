"""The addresses that a till is given."""

from __future__ import annotations

from django.conf import settings

from pos_bridge.activity import BASE_PATH


def api_url() -> str:
    """Where a till posts its sales: what is pasted into it beside the token."""
    return f"{settings.PUBLIC_URL}{BASE_PATH}/transactions/"


def products_url() -> str:
    """Where a till fetches the catalogue."""
    return f"{settings.PUBLIC_URL}{BASE_PATH}/products/"
