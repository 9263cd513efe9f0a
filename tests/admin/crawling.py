"""Every page of the admin that a person can reach by following links."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

from django.test import Client

HREF = re.compile(r'href="([^"#]+)"')
ENOUGH = 400


def crawl(client: Client) -> dict[str, str]:
    """The pages by address, each list in every order too."""
    return dict(walk(client))


def walk(client: Client, *, sorting: bool = True) -> Iterator[tuple[str, str]]:
    """Each page below ``/admin/`` once, with its address; signing out is left to people.

    Without ``sorting``, a list is not asked for again in another order: it would hold the same rows.
    """
    seen: set[str] = set()
    waiting = deque(["/admin/"])
    while waiting:
        address = waiting.popleft()
        if address in seen:
            continue
        response = client.get(address, follow=True)
        page = response.content.decode()
        seen.add(address)
        assert response.status_code == 200, address
        assert len(seen) < ENOUGH
        yield address, page
        further = [link for link in links_on(address, page) if leads_on(link, address)]
        waiting += [link for link in further if sorting or "o" not in parse_qs(urlsplit(link).query)]


def links_on(address: str, page: str) -> list[str]:
    """Where a page's links lead, without the host."""
    return [urljoin(address, unescape(href)) for href in HREF.findall(page)]


def leads_on(link: str, address: str) -> bool:
    """Whether a link leads to another page of the admin. One filter at a time: all of them together never end."""
    parts = urlsplit(link)
    further = not (parts.query and urlsplit(address).query)
    return further and not parts.netloc and parts.path.startswith("/admin/") and "logout" not in parts.path
