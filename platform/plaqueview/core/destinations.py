"""Whereto this installation connects when a user names the address: one rule, asked for each connection.

A name is looked up once and the connection goes to the very address that was judged, so that a name which answers
otherwise the second time gains nothing (docs/decisions/0018-destinations.md).
"""

import re
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx
from django.conf import settings

Address = IPv4Address | IPv6Address

# Where clouds hand out their machines' credentials, outside of link-local. Sources: the instance metadata pages of
# Amazon EC2, Google Compute Engine, Alibaba Cloud, Oracle Cloud, and Azure's of its platform address.
METADATA: Final = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"))
)
NAT64: Final = IPv6Network("64:ff9b::/96")  # Source: RFC 6052, 2.1
TEREDO: Final = IPv6Network("2001::/32")  # Source: RFC 4380, 2.6
# Sources: RFC 1035, 2.3.4; RFC 1123, 2.1.
LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST: Final = re.compile(rf"(?!.{{254}})({LABEL}\.)*{LABEL}|[0-9A-Fa-f:]+:[0-9A-Fa-f:.]*")


class ForbiddenAddressError(OSError):
    """Nothing here connects to the address; the message says why."""


def address_of(host: str) -> str:
    """The first address of the host that may be connected to, IPv4 before IPv6, as a literal.

    Raises: socket.gaierror for a name that is not known, or is none; ForbiddenAddressError.
    """
    try:
        entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # an empty label, or one that is too long
        raise socket.gaierror(socket.EAI_NONAME, "the name is none") from error
    found = [ip_address(entry[4][0]) for entry in entries]
    allowed = [address for address in found if not objection_to(address)]
    if not allowed:
        raise ForbiddenAddressError(f"{found[0]} {objection_to(found[0])}")
    return str(min(allowed, key=lambda address: address.version))


def is_host(text: str) -> bool:
    """A name that can be looked up, or an IP address, and as httpx will take it."""
    try:
        return bool(HOST.fullmatch(text) and httpx.URL(host=text).host)
    except (httpx.InvalidURL, UnicodeError):  # no address after all, or a label in Punycode that says nothing
        return False


def objection_to_literal(host: str) -> str:
    """Why nothing connects to the host if it is an address; empty for a name, which is judged when it is used."""
    with suppress(ValueError):
        return objection_to(ip_address(host))
    return ""


def objection_to(address: Address) -> str:
    """Why nothing here connects to the address, to be read after it; empty when it may."""
    real = _carried_by(address)
    if real in METADATA or real.is_link_local:
        return "is where machines find their cloud or their neighbour, never a node"
    if real.is_loopback:
        return _outside(real) if settings.NODES_ON_LOOPBACK else "is this machine itself (PLAQUEVIEW_NODES_ON_LOOPBACK)"
    if real.is_multicast or real.is_unspecified or real.is_reserved or real in TEREDO:
        return "is no host's address"
    if not real.is_global and not settings.NODES_ON_PRIVATE_NETWORKS:
        return "is on a private network (PLAQUEVIEW_NODES_ON_PRIVATE_NETWORKS)"
    return _outside(real)


def _outside(address: Address) -> str:
    networks = settings.NODE_NETWORKS
    if not networks or any(address in network for network in networks):
        return ""
    return "is outside of the networks of nodes (PLAQUEVIEW_NODE_NETWORKS)"


def _carried_by(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, by any of the ways to write one in it."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
