"""Requests that compute sit on few seats, and who waits for a slow line gets up.

More threads than two that compute at once starve some requests (docs/decisions/0002-wsgi-and-asgi.md), but with two
threads four slow uploads are all that a web server can do.
"""

from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any, Final, Protocol, TypeVar

# At once, in each process.
SEATS: Final = 2

T = TypeVar("T")
Environ = dict[str, Any]  # Any: as PEP 3333 has it
Application = Callable[[Environ, Any], Iterable[bytes]]


def seated(application: Application, *, seats: int = SEATS) -> Application:
    """The application, of which so many calls compute at once; while one reads its body, another takes its seat.

    An answer that is streamed is sent without a seat.
    """
    free = BoundedSemaphore(seats)

    def seated_application(environ: Environ, start_response: Any) -> Iterable[bytes]:
        body = _Body(environ["wsgi.input"], free)
        environ["wsgi.input"] = body
        with free:
            body.holds_seat = True
            try:
                return application(environ, start_response)
            finally:
                body.holds_seat = False

    return seated_application


class Body(Protocol):
    """What PEP 3333 asks of `wsgi.input`, but for going through its lines."""

    def read(self, size: int = ..., /) -> bytes: ...
    def readline(self, size: int = ..., /) -> bytes: ...
    def readlines(self, hint: int = ..., /) -> list[bytes]: ...


class _Body:
    """Another body, read without a seat."""

    def __init__(self, body: Body, seats: BoundedSemaphore) -> None:
        self._body, self._seats = body, seats
        self.holds_seat = False

    def read(self, *size: int) -> bytes:
        return self._aside(self._body.read, *size)

    def readline(self, *size: int) -> bytes:
        return self._aside(self._body.readline, *size)

    def readlines(self, *hint: int) -> list[bytes]:
        return self._aside(self._body.readlines, *hint)

    def __iter__(self) -> "_Body":
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _aside(self, wait: Callable[..., T], *arguments: int) -> T:
        if not self.holds_seat:
            return wait(*arguments)
        self._seats.release()
        try:
            return wait(*arguments)
        finally:
            self._seats.acquire()
