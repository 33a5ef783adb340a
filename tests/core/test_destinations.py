"""Whereto the installation connects when a user names the address."""

import socket
from ipaddress import ip_address, ip_network

import pytest

from plaqueview.core.destinations import ForbiddenAddressError, address_of, is_host, objection_to

CLOUD = "is where machines find their cloud or their neighbour, never a node"
ITSELF = "is this machine itself (PLAQUEVIEW_NODES_ON_LOOPBACK)"
NO_HOST = "is no host's address"
PRIVATE = "is on a private network (PLAQUEVIEW_NODES_ON_PRIVATE_NETWORKS)"
OUTSIDE = "is outside of the networks of nodes (PLAQUEVIEW_NODE_NETWORKS)"


@pytest.fixture(autouse=True)
def department(settings):
    """As the settings are unless somebody says otherwise."""
    settings.NODES_ON_LOOPBACK, settings.NODES_ON_PRIVATE_NETWORKS, settings.NODE_NETWORKS = False, True, []


def dns(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """The edge of the machine: each look-up gets the next answer. What was looked up."""
    asked: list[str] = []

    def getaddrinfo(host, *_args, **_options):
        addresses = answers[len(asked)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    ("address", "objection"),
    [
        ("10.20.30.40", ""),
        ("172.16.0.9", ""),
        ("192.168.1.5", ""),
        ("100.64.0.1", ""),
        ("fd12:3456::1", ""),
        ("193.2.1.66", ""),
        ("2001:1470:8000::72", ""),
        ("127.0.0.1", ITSELF),
        ("127.255.255.254", ITSELF),
        ("::1", ITSELF),
        ("::ffff:127.0.0.1", ITSELF),
        ("64:ff9b::7f00:1", ITSELF),
        ("2002:7f00:1::", ITSELF),
        ("169.254.169.254", CLOUD),
        ("::ffff:169.254.169.254", CLOUD),
        ("64:ff9b::a9fe:a9fe", CLOUD),
        ("fe80::1", CLOUD),
        ("fe80::1%eth0", CLOUD),
        ("fd00:ec2::254", CLOUD),
        ("100.100.100.200", CLOUD),
        ("168.63.129.16", CLOUD),
        ("0.0.0.0", NO_HOST),
        ("::", NO_HOST),
        ("224.0.0.1", NO_HOST),
        ("255.255.255.255", NO_HOST),
        ("ff02::1", NO_HOST),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", NO_HOST),
    ],
)
def test_an_address_may_be_connected_to_or_not(address, objection):
    assert objection_to(ip_address(address)) == objection


def test_settings_open_this_machine_and_close_private_networks(settings):
    settings.NODES_ON_LOOPBACK, settings.NODES_ON_PRIVATE_NETWORKS = True, False

    said = [objection_to(ip_address(one)) for one in ("127.0.0.1", "10.0.0.1", "100.64.0.1", "fd12::1", "193.2.1.66")]

    assert said == ["", PRIVATE, PRIVATE, PRIVATE, ""]


def test_the_networks_of_the_department_rule_the_others_out_and_open_nothing_else(settings):
    settings.NODE_NETWORKS = [ip_network("10.20.0.0/16"), ip_network("fd12::/16"), ip_network("169.254.0.0/16")]

    said = [objection_to(ip_address(one)) for one in ("10.20.1.1", "fd12::1", "10.21.1.1", "169.254.1.1", "193.2.1.66")]

    assert said == ["", "", OUTSIDE, CLOUD, OUTSIDE]


def test_a_name_is_looked_up_once_and_its_allowed_address_is_used(monkeypatch):
    asked = dns(monkeypatch, ["fe80::1", "fd12::1", "10.0.0.7"], ["127.0.0.1"])

    assert address_of("archive.example") == "10.0.0.7"
    assert asked == ["archive.example"]


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_other_ways_to_write_this_machine_are_seen_through(host):
    with pytest.raises(ForbiddenAddressError, match="is this machine itself"):
        address_of(host)


@pytest.mark.parametrize("host", ["pacs..example", f"{'a' * 64}.example"])
def test_a_name_that_is_none_is_not_known(host):
    with pytest.raises(socket.gaierror):
        address_of(host)


@pytest.mark.parametrize(
    ("host", "holds"),
    [
        ("archive", True),
        ("pacs-1.hospital.example", True),
        ("3t.example", True),
        ("xn--mller-kva.example", True),
        (f"{'a' * 63}.example", True),
        (".".join(["a" * 49] * 5), True),
        ("10.20.30.40", True),
        ("fd12:3456::1", True),
        ("", False),
        ("pacs..example", False),
        ("pacs.example.", False),
        ("pacs-.example", False),
        ("-pacs.example", False),
        (f"{'a' * 64}.example", False),
        (".".join(["a" * 50] * 5), False),
        ("xn--0.example", False),
        ("999.1.1.1", False),
        (":::", False),
        ("archive/path", False),
        ("archive\n", False),
    ],
)
def test_a_host_is_a_name_that_can_be_looked_up_or_an_address(host, holds):
    assert is_host(host) is holds
