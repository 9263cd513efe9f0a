"""From where somebody calls."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's address as far as we know it; for logs and counts."""
    return proven_address(request) or str(request.META.get("REMOTE_ADDR", ""))


def proven_address(request: HttpRequest) -> str:
    """The caller's address; behind ``PROXY_COUNT`` trusted proxies, the one that the outermost of them saw.

    What stands before it in ``X-Forwarded-For`` is the caller's own say. Where fewer addresses stand there than there
    are proxies, somebody came in past one of them: "", for the nearest address is perhaps a proxy's.
    """
    if not settings.PROXY_COUNT:
        return str(request.META.get("REMOTE_ADDR", ""))
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    return forwarded[-settings.PROXY_COUNT] if len(forwarded) >= settings.PROXY_COUNT else ""


def ip_address_of(request: HttpRequest) -> str | None:
    """The same, if it is an address at all: what a proxy passes on may be anything. For counting who guesses.

    Of IPv6 it is the first of its 64 bits' network: whoever has one address there has all of them.
    """
    try:
        found = ip_address(client_address(request).partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and not found.ipv4_mapped:
        return str(ip_network((found, 64), strict=False).network_address)
    return str(found)
