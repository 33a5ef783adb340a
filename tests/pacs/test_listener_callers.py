"""Callers of the listener that ask for nothing, or never to the end: nobody else waits for them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from plaqueview.pacs import listener
from plaqueview.pacs.listener import MOST_ASSOCIATIONS, Listener
from tests.pacs.test_listener import Inside, associates, eventually
from tests.studies.dicom_files import ljubljana

pytestmark = pytest.mark.django_db(transaction=True)

# The beginning of a request for an association, of 64 kB.
HALF_A_REQUEST = b"\x01\x00\x00\x01\x00\x00"


@pytest.fixture
def inside() -> Iterator[Inside]:
    running = Listener(site=ljubljana())
    yield Inside(running.address[1])
    running.stop()


def test_callers_who_hang_up_before_they_ask_for_anything_take_nobodys_place(inside):
    for _ in range(MOST_ASSOCIATIONS + 1):
        socket.create_connection(("127.0.0.1", inside.port)).close()

    assert eventually(lambda: associates(inside), seconds=20.0)  # not after the minute that the library waits


@pytest.mark.parametrize("drop", [b"", b"\0"], ids=["silent", "dripping"])
def test_callers_that_never_end_what_they_began_to_say_lose_their_place(drop, monkeypatch):
    """A scanner that is switched off within an image says no goodbye."""
    monkeypatch.setattr(listener, "TIMEOUT_S", 0.5)
    running, is_over = Listener(site=ljubljana()), threading.Event()

    with ExitStack() as in_the_way:
        callers = [
            in_the_way.enter_context(socket.create_connection(running.address)) for _ in range(MOST_ASSOCIATIONS)
        ]

        def drip() -> None:
            while not is_over.wait(0.1):
                for caller in callers:
                    with suppress(OSError):
                        caller.sendall(drop)

        for caller in callers:
            caller.sendall(HALF_A_REQUEST)
        threading.Thread(target=drip, daemon=True).start()
        is_let_in = eventually(lambda: associates(Inside(running.address[1])), seconds=20.0)
        is_over.set()
    running.stop()

    assert is_let_in
