"""Pages of a list: ``{count, next, previous, results}``, and the same links in RFC 8288's header."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from pos_bridge.wire import json_answer

WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,999}")


class Pages(PageNumberPagination):
    """``page`` from 1, ``page_size`` 50 unless asked for, never more than 200; past the end is 404."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    last_page_strings = ()
    invalid_page_message = "not_found"

    def get_page_number(self, request: Request, paginator: Paginator[Any]) -> int | str:
        """The number as sent; 0, which no page has, for what Python alone reads as a number: ``+1``, ``１``."""
        number = super().get_page_number(request, paginator)
        return number if WHOLE_NUMBER.fullmatch(str(number)) else 0

    def span_of(self, request: Request) -> tuple[int, int]:
        """How many rows the asked-for page has room for, and how many come before it."""
        size, number = int(self.get_page_size(request) or 0), str(request.query_params.get(self.page_query_param, 1))
        return size, size * (int(number) - 1) if WHOLE_NUMBER.fullmatch(number) else 0

    def get_next_link(self) -> str | None:
        return own_address(super().get_next_link())

    def get_previous_link(self) -> str | None:
        return own_address(super().get_previous_link())

    def answer(self, results: list[Any], **facts: Any) -> HttpResponse:
        """The page, its links in the body and in the header; ``facts`` are of the list as a whole."""
        links = {"next": self.get_next_link(), "prev": self.get_previous_link()}
        header = ", ".join(f'<{link}>; rel="{rel}"' for rel, link in links.items() if link)
        body = {
            "count": cast("Page[Any]", self.page).paginator.count,
            "next": links["next"],
            "previous": links["prev"],
            **facts,
            "results": results,
        }
        return json_answer(body, headers={"Link": header} if header else None)


def own_address(link: str | None) -> str | None:
    """A link with our configured address: what a caller wrote into ``Host`` never comes back."""
    if link is None:
        return None
    parts = urlsplit(link)
    return f"{settings.PUBLIC_URL}{parts.path}" + (f"?{parts.query}" if parts.query else "")
