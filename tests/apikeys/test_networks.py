"""Where a key may be used from: networks as people write them, addresses as proxies do."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from apikeys.models import ApiKey
from apikeys.networks import MOST_NETWORKS, NotANetwork, lies_within, read_networks
from tenants.models import Tenant
from tests.factories import mint

OFFICE = ["192.0.2.0/24", "2001:db8:5::/48", "198.51.100.7/32"]


class TestNetworks:
    def test_are_read_from_lines_commas_and_blanks_each_once(self) -> None:
        text = " 192.0.2.0/24,198.51.100.7\n\n2001:DB8:5::/48;192.0.2.0/24 "

        assert read_networks(text) == ["192.0.2.0/24", "198.51.100.7/32", "2001:db8:5::/48"]

    def test_are_none_in_an_empty_text(self) -> None:
        assert read_networks(" \n") == []

    def test_of_mapped_addresses_are_those_of_ipv4(self) -> None:
        assert read_networks("::ffff:192.0.2.0/120, ::ffff:198.51.100.7") == ["192.0.2.0/24", "198.51.100.7/32"]

    @pytest.mark.parametrize(
        "text",
        [
            "192.0.2.7/24",
            "192.0.2.0/33",
            "192.0.2",
            "192.0.2.256",
            "010.0.0.1",
            "2001:db8::1/48",
            "2001:db8::/129",
            "fe80::1%eth0",
            "fe80::%eth0/64",
            "kiosk.example",
            "*",
            "192.0.2.1-192.0.2.9",
            "١٩٢.0.2.1",
        ],
    )
    def test_that_are_none_are_refused_by_name(self, text: str) -> None:
        with pytest.raises(NotANetwork) as refused:
            read_networks(f"192.0.2.0/24, {text}")

        assert refused.value.text == text


class TestAnAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "192.0.2.1",
            "192.0.2.255",
            "192.0.2.1:51234",
            "::ffff:192.0.2.1",
            "[::ffff:192.0.2.1]:443",
            "2001:db8:5::1",
            "2001:DB8:5:0:0:0:0:1",
            "[2001:db8:5::1]",
            "[2001:db8:5::1]:443",
            "2001:db8:5::1%eth0",
            "198.51.100.7",
        ],
    )
    def test_lies_within(self, address: str) -> None:
        assert lies_within(address, OFFICE)

    @pytest.mark.parametrize(
        "address",
        [
            "192.0.3.1",
            "198.51.100.8",
            "2001:db8:6::1",
            "::ffff:192.0.3.1",
            "::192.0.2.1",
            "",
            "unknown",
            "_hidden",
            "192.0.2.1, 203.0.113.9",
            "192.0.2.1:",
            "192.0.2.1:http",
            "[192.0.2.1",
            "3221225985",
            "0xC0000201",
            "192.0.2.01",
            "1٩2.0.2.1",
        ],
    )
    def test_lies_elsewhere_or_nowhere(self, address: str) -> None:
        assert not lies_within(address, OFFICE)

    def test_of_either_kind_lies_in_all_of_its_kind(self) -> None:
        assert lies_within("203.0.113.9", ["0.0.0.0/0"])
        assert not lies_within("2001:db8::1", ["0.0.0.0/0"])


class TestTheNetworksOfAKey:
    @pytest.mark.parametrize(
        "networks",
        [
            ["192.0.2.7/24"],
            ["192.0.2.7"],
            ["192.0.2.0/24", "192.0.2.0/24"],
            [1],
            [["192.0.2.0/24"]],
            [f"192.0.2.{number}/32" for number in range(MOST_NETWORKS + 1)],
        ],
    )
    def test_are_kept_in_one_way_of_writing_or_refused(self, networks: list[str], seeblick: Tenant) -> None:
        with pytest.raises(ValidationError) as refused:
            mint(seeblick, networks=networks)

        assert set(refused.value.message_dict) == {"networks"}
        assert not ApiKey.objects.exists()

    def test_are_none_for_a_key_that_may_be_used_from_everywhere(self, seeblick: Tenant) -> None:
        assert mint(seeblick).key.may_be_used_from("")
        assert not mint(seeblick, networks=OFFICE).key.may_be_used_from("")
