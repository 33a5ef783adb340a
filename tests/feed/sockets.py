"""Sockets of a real feed: how tests open them, and what they say and hear."""

import json

import pytest
from django.test import Client
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from plaqueview.accounts.models import User
from plaqueview.core.access import Action
from tests.accounts.people import secret_of

ORIGIN = "http://testserver"
ANSWER_TIMEOUT_S = 60.0
SILENCE_S = 0.3


def by_token(feed_url: str, user: User, *scopes: Action) -> ClientConnection:
    return connect(feed_url, additional_headers={"Authorization": f"Bearer {secret_of(user, *scopes)}"})


def by_session(feed_url: str, client: Client, *, origin: str | None = ORIGIN) -> ClientConnection:
    cookie = f"plaqueview_sessionid={client.cookies['plaqueview_sessionid'].value}"
    return connect(feed_url, additional_headers={"Cookie": cookie}, origin=origin)


def say(socket: ClientConnection, **message) -> None:
    socket.send(json.dumps(message))


def ask(socket: ClientConnection, **message) -> dict:
    say(socket, **message)
    return heard(socket)


def heard(socket: ClientConnection) -> dict:
    return json.loads(socket.recv(ANSWER_TIMEOUT_S))


def is_silent(socket: ClientConnection) -> bool:
    try:
        socket.recv(SILENCE_S)
    except TimeoutError:
        return True
    return False


def closing_code(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosedError) as closed:
        socket.recv(ANSWER_TIMEOUT_S)
    return closed.value.rcvd.code
