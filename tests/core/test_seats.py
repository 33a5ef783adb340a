"""Who is slow to send holds nobody else."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event

import pytest

from plaqueview.core.seats import SEATS, seated
from plaqueview.launcher.programs import WEB_THREADS

PATIENCE_S = 30.0


class SlowBody:
    """A line on which nothing comes before it is told to."""

    def __init__(self) -> None:
        self.is_read, self.comes = Event(), Event()

    def read(self, *_: int) -> bytes:
        self.is_read.set()
        assert self.comes.wait(PATIENCE_S)
        return b"slow"


def echo(environ, _) -> list[bytes]:
    return [environ["wsgi.input"].read()]


def test_a_request_is_answered_while_others_wait_for_their_bodies():
    application = seated(echo, seats=1)
    slow = [SlowBody(), SlowBody()]
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(application, {"wsgi.input": body}, None) for body in slow]
        assert all(body.is_read.wait(PATIENCE_S) for body in slow)

        assert application({"wsgi.input": BytesIO(b"quick")}, None) == [b"quick"]

        for body in slow:
            body.comes.set()
        assert [answer.result(PATIENCE_S) for answer in answers] == [[b"slow"], [b"slow"]]


def test_no_more_compute_at_once_than_there_are_seats():
    inside, goes_on = Event(), Event()

    def compute(environ, _):
        environ["wsgi.input"].read()
        inside.set()
        goes_on.wait(PATIENCE_S)
        return []

    application = seated(compute, seats=1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(application, {"wsgi.input": BytesIO()}, None)
        assert inside.wait(PATIENCE_S)
        inside.clear()
        second = pool.submit(application, {"wsgi.input": BytesIO()}, None)
        assert not inside.wait(0.1)
        goes_on.set()
        assert (first.result(PATIENCE_S), second.result(PATIENCE_S)) == ([], [])


@pytest.mark.parametrize("fails", [False, True])
def test_the_seat_is_free_again_and_the_body_can_still_be_read(fails):
    seen = []

    def application(environ, _):
        body = environ["wsgi.input"]
        seen.append(body)
        assert (body.readline(), next(body)) == (b"one\n", b"two\n")
        if fails:
            raise ValueError
        return []

    once = seated(application, seats=1)
    for _ in range(2):
        try:
            once({"wsgi.input": BytesIO(b"one\ntwo\nthree\nfour\n")}, None)
        except ValueError:
            assert fails

    assert [body.readlines() for body in seen] == [[b"three\n", b"four\n"]] * 2


def test_the_web_server_has_threads_for_those_who_wait():
    assert int(WEB_THREADS) >= 8 * SEATS
