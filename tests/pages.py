"""Somebody before a page, and what they read there."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.test import Client

from tenants.models import User


def signed_in(user: User) -> Client:
    """A browser in which a person has signed in; what breaks there is answered 500, as in the house."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def text_of(response: Any, name: str) -> str:
    """The text of the element with an id, without tags."""
    found = re.search(rf'<(\w+)[^>]*\bid="{name}"[^>]*>(.*?)</\1>', response.content.decode(), re.DOTALL)
    assert found, name
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[2])).split())


def has(response: Any, name: str) -> bool:
    """Whether there is an element with an id."""
    return f'id="{name}"' in response.content.decode()
