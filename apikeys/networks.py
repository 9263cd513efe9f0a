"""Where a key may be used from: networks as CIDR writes them, ``192.0.2.0/24`` or ``2001:db8::/48``. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MOST_NETWORKS = 50
BETWEEN = re.compile(r"[\s,;]+")
# As proxies write it: with or without a port, IPv6 in brackets where there is one.
WRITTEN = re.compile(r"\[(?P<six>[^\[\]]+)\](?::\d{1,5})?|(?P<four>\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?")
MAPPED = 96
"""So many bits of an IPv6 address say that the rest is one of IPv4."""


class NotANetwork(ValueError):
    """A text that names no network; ``text`` is what was written."""

    def __init__(self, text: str) -> None:
        super().__init__("not_a_network")
        self.text = text


def read_networks(text: str) -> list[str]:
    """The networks in a text, each once, as they are kept; between them blanks, commas or line ends.

    Raises:
        NotANetwork: one of them is none, or is an address within one: ``192.0.2.7/24`` could mean either.
    """
    found = [str(network_in(part)) for part in BETWEEN.split(text) if part]
    return list(dict.fromkeys(found))


def network_in(text: str) -> Network:
    """The network that a text names; an address alone is one of its own.

    Raises:
        NotANetwork: it names none.
    """
    try:
        network = ip_network(text)
    except ValueError:
        raise NotANetwork(text) from None
    if "%" in text:  # a link of one machine's, which no caller's address names
        raise NotANetwork(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < MAPPED:
        return network
    return IPv4Network((mapped, network.prefixlen - MAPPED))


def lies_within(address: str, networks: Sequence[str]) -> bool:
    """Whether a caller's address lies in one of the networks; one that cannot be read lies nowhere."""
    found = address_in(address)
    return found is not None and any(found in network for network in _networks(tuple(networks)))


def address_in(text: str) -> Address | None:
    """The address in a text; an IPv4 address that was mapped into IPv6 is an IPv4 address."""
    written = WRITTEN.fullmatch(text)
    bare = (written["six"] or written["four"]) if written else text
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@lru_cache(maxsize=1024)
def _networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Read on every call of a key that has some, and so remembered."""
    return tuple(network_in(text) for text in texts)
