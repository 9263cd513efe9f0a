"""Every page of the admin that a person can reach by following links."""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from urllib.parse import urljoin, urlsplit

from django.test import Client

HREF = re.compile(r'href="([^"#]+)"')
ENOUGH = 400


def crawl(client: Client, start: str = "/admin/") -> dict[str, str]:
    """The pages below ``/admin/`` by address, each fetched once; signing out is left to people."""
    pages: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        address = waiting.popleft()
        if address in pages:
            continue
        response = client.get(address, follow=True)
        pages[address] = response.content.decode()
        assert response.status_code == 200, address
        assert len(pages) < ENOUGH
        waiting += [link for link in links_on(address, pages[address]) if leads_on(link, address)]
    return pages


def links_on(address: str, page: str) -> list[str]:
    """Where a page's links lead, without the host."""
    return [urljoin(address, unescape(href)) for href in HREF.findall(page)]


def leads_on(link: str, address: str) -> bool:
    """Whether a link leads to another page of the admin. One filter at a time: all of them together never end."""
    parts = urlsplit(link)
    further = not (parts.query and urlsplit(address).query)
    return further and not parts.netloc and parts.path.startswith("/admin/") and "logout" not in parts.path
