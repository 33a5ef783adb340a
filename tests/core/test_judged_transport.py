"""An exchange with an address that a user named ends, also where the peer would go on for ever."""

import time

import httpx
import pytest

from plaqueview.core.judged_transport import JudgedTransport
from plaqueview.core.timed_stream import Deadline
from tests.pacs.peers import dripping_port, silent_port

LONGEST_S = 0.4


@pytest.fixture(autouse=True)
def demo(settings):
    settings.NODES_ON_LOOPBACK = True


def client(deadline: Deadline) -> httpx.Client:
    return httpx.Client(transport=JudgedTransport(verify=True, deadline=deadline), timeout=30.0, trust_env=False)


@pytest.mark.parametrize(
    ("opening", "drop"),
    [
        (b"HTTP/1.1 204 No Content\r\nServer: ", b"a"),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
        (b"", b""),
    ],
)
def test_an_answer_that_drips_is_given_up_in_time(opening, drop):
    begin = time.monotonic()

    with (
        dripping_port(opening, drop) as port,
        pytest.raises(httpx.TimeoutException),
        client(Deadline(LONGEST_S)) as one,
    ):
        one.get(f"http://127.0.0.1:{port}/")

    assert LONGEST_S <= time.monotonic() - begin < 10 * LONGEST_S


def test_a_peer_that_reads_nothing_is_given_up_in_time():
    begin = time.monotonic()

    with silent_port() as port, pytest.raises(httpx.TimeoutException), client(Deadline(LONGEST_S)) as one:
        one.post(f"http://127.0.0.1:{port}/", content=bytes(64 * 1024 * 1024))

    assert LONGEST_S <= time.monotonic() - begin < 10 * LONGEST_S


def test_an_answer_whose_deadline_is_put_off_with_each_piece_is_read_to_its_end():
    deadline, drops = Deadline(LONGEST_S), 20
    opening = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"
    content, begin = b"", time.monotonic()

    with (
        dripping_port(opening, b"a", drops=drops) as port,
        client(deadline) as one,
        one.stream("GET", f"http://127.0.0.1:{port}/") as answer,
    ):
        for piece in answer.iter_raw():
            content += piece
            deadline.put_off()

    assert content == b"a" * drops
    assert time.monotonic() - begin > 2 * LONGEST_S


def test_each_exchange_of_a_client_has_the_whole_time():
    drops, length_s = 15, 2.0
    opening = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {drops}\r\n\r\n".encode()
    begin = time.monotonic()

    with dripping_port(opening, b"a", drops=drops) as port, client(Deadline(length_s)) as one:
        answers = [one.get(f"http://127.0.0.1:{port}/").content for _ in range(3)]

    assert answers == [b"a" * drops] * 3
    assert time.monotonic() - begin > length_s
