"""How a variable is read: once, typed, and with a check that names what is needed."""

import base64
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import Env, EnvError, ValidationError

T = TypeVar("T")
env = Env()


def read(parse: Callable[..., T | None], name: str, *default: Any, **rules: Any) -> T:  # Any: the parsers' own
    """The variable's value; a missing or malformed one ends the process, and the line says which."""
    try:
        return parse(name, *default, **rules)  # type: ignore[return-value]  # the parsers say None for their defaults
    except EnvError as error:
        raise SystemExit(f"PlaqueView cannot start: {error}") from None


def url_of(*schemes: str) -> Callable[[str], None]:
    """A check for "scheme://host", with nothing that the scheme does not need."""

    def check(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.netloc:
            raise ValidationError(f"needs to begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")

    return check


def is_secret(key: str) -> None:
    if len(key) < 32 or len(set(key)) < 10:
        raise ValidationError("needs at least 32 characters, at random")


def is_key(text: str) -> None:
    """32 bytes in base64, as `model_keys` prints them; empty is none."""
    try:
        is_whole = not text or len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValidationError("needs 32 bytes in base64, as `plaqueview manage model_keys` prints them")


def is_https_if_any(url: str) -> None:
    """On this machine http will do; anywhere else the answer could be forged on its way."""
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
    if url and not (parts.netloc and (parts.scheme == "https" or is_here)):
        raise ValidationError("needs to begin with https:// and a host")


def are_networks(texts: list[str]) -> None:
    for text in texts:
        try:
            ip_network(text)
        except ValueError:
            raise ValidationError("needs networks with their lengths, separated by commas: 10.20.0.0/16") from None


def are_keys(texts: list[str]) -> None:
    for text in texts:
        is_key(text)


def are_identifier_keys(texts: list[str]) -> None:
    """32 bytes in base64 each, no two the same; before them the word "clear" may stand."""
    keys = texts[1:] if texts[:1] == ["clear"] else texts
    try:
        are_whole = all(len(base64.b64decode(key, validate=True)) == 32 for key in keys)
    except ValueError:
        are_whole = False
    if not are_whole or len(set(keys)) < len(keys) or (texts and not keys):
        raise ValidationError("needs 32 bytes in base64 each, as `openssl rand -base64 32` prints them, and none twice")


def is_place(text: str) -> None:
    host, _, port = text.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 65536):
        raise ValidationError("needs HOST:PORT")


def is_place_if_any(text: str) -> None:
    if text:
        is_place(text)


def is_secret_if_any(key: str) -> None:
    if key:
        is_secret(key)


def is_origin(url: str) -> None:
    url_of("http", "https")(url)
    if url != f"{urlsplit(url).scheme}://{urlsplit(url).netloc}":
        raise ValidationError("needs a scheme, a host and a port, with no path: http://127.0.0.1:8000")


def is_absolute(path: Path) -> None:
    if not path.is_absolute():
        raise ValidationError("needs an absolute path")


def is_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValidationError("needs the name of a time zone: Europe/Ljubljana") from None


def are_hosts(hosts: list[str]) -> None:
    if not hosts or "*" in hosts:
        raise ValidationError("needs host names, separated by commas, and no *")
