"""An exchange over HTTP that ends in time: httpx's time-outs are for each read, and who drips never runs into one."""

import ssl
import time
from collections.abc import Iterable
from typing import Any, Final

import httpcore

# The system takes so much at once, so that no write is cut into many with a time each.
WRITE_BYTES: Final = 16 * 1024


class Deadline:
    """So long an exchange may take in all, unless it is put off for what has come meanwhile."""

    def __init__(self, length_s: float) -> None:
        self._length_s = length_s
        self.put_off()

    def put_off(self) -> None:
        """The whole time is left again."""
        self._ends_at = time.monotonic() + self._length_s

    @property
    def rest_s(self) -> float:
        """Nothing, or less, once the time is over."""
        return self._ends_at - time.monotonic()

    def left_s(self, timeout_s: float | None) -> float:
        """What is left, and no more than the time-out. Raises: httpcore.TimeoutException when nothing is."""
        left_s = self.rest_s
        if left_s <= 0:
            raise httpcore.TimeoutException(f"not done within {self._length_s:g} s")
        return left_s if timeout_s is None else min(timeout_s, left_s)


class TimedBackend(httpcore.SyncBackend):
    """Connects, and whatever is read and written over the connection has what is left of the time."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: as httpcore's, which hides the type
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.left_s(timeout)
        return _TimedStream(super().connect_tcp(host, port, left_s, local_address, socket_options), self._deadline)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), WRITE_BYTES):
            self._stream.write(buffer[begin : begin + WRITE_BYTES], self._deadline.left_s(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left_s(timeout))
        return _TimedStream(stream, self._deadline)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # Any: as httpcore's
        return self._stream.get_extra_info(info)
