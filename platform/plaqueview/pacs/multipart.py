"""multipart/related bodies, read as a stream of files and written as a stream of parts."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from email.message import Message
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

MOST_HEADERS = 16
LONGEST_HEADER_BYTES = 8192
LONGEST_PREAMBLE_BYTES = 8192


class BrokenBodyError(ValueError):
    """The body is no multipart/related body, or ends before its last boundary."""


class Part:
    """One part on the disk. Headers have lower-case names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.headers: dict[str, str] = {}
        self.size_bytes = 0

    @property
    def media_type(self) -> str:
        return media_type_of(self.headers.get("content-type", ""))[0]


@lru_cache(maxsize=64)
def media_type_of(header: str) -> tuple[str, Mapping[str, str]]:
    """The type in lower case and its parameters, of a Content-Type or of one element of an Accept header.

    A viewer sends the same ones with each of hundreds of requests, and reading them takes as long as finding a frame.
    """
    message = Message()
    message["Content-Type"] = header
    parameters = message.get_params(failobj=[])
    if not parameters:
        return "", {}
    return parameters[0][0].lower(), {name.lower(): value for name, value in parameters[1:]}


class PartReader:
    """Writes the parts of a body into a folder, as the body's bytes come.

    Parts that are whole wait in `ready` for whoever takes them; the memory needed is that of one chunk.
    """

    def __init__(self, boundary: str, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._part: Part | None = None
        self._file: BinaryIO | None = None
        self._header_name = self._header_value = b""
        self._is_over = False
        self._delimiter = b"--" + boundary.encode("latin-1")
        self._preamble: bytes | None = b""
        self.ready: list[Part] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._add_to_name,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_part_data": self._write,
                "on_part_end": self._end,
                "on_end": self._end_body,
            },
            max_header_count=MOST_HEADERS,
            max_header_size=LONGEST_HEADER_BYTES,
        )

    def feed(self, chunk: bytes) -> None:
        """Raises: BrokenBodyError."""
        if self._preamble is not None:
            chunk = self._without_preamble(self._preamble + chunk)
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise BrokenBodyError(f"the multipart body is malformed after {self._count} parts") from error

    def _without_preamble(self, start: bytes) -> bytes:
        """From the first delimiter on; what comes before it means nothing. Source: RFC 2046, 5.1.1."""
        place = start.find(self._delimiter)
        if place < 0 and len(start) > LONGEST_PREAMBLE_BYTES:
            raise BrokenBodyError("the multipart body does not begin with its boundary")
        self._preamble = start if place < 0 else None
        return b"" if place < 0 else start[place:]

    def finish(self) -> None:
        """Raises: BrokenBodyError when the last boundary did not come."""
        self.close()
        if not self._is_over:
            raise BrokenBodyError(f"the multipart body ends within part {self._count}")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _begin(self) -> None:
        self._count += 1
        self._part = Part(self._folder / str(self._count))
        self._file = self._part.path.open("xb")

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        if self._part is not None:
            self._part.headers[self._header_name.decode("latin-1").lower()] = self._header_value.decode("latin-1")
        self._header_name = self._header_value = b""

    def _write(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None and self._part is not None:
            self._file.write(memoryview(data)[start:end])
            self._part.size_bytes += end - start

    def _end(self) -> None:
        if self._part is not None:
            self.close()
            self.ready.append(self._part)
            self._part = None

    def _end_body(self) -> None:
        self._is_over = True


class PartWriter:
    """A multipart/related body of parts that have one media type each."""

    def __init__(self, media_type: str) -> None:
        self.boundary = secrets.token_hex(16)
        self.content_type = f'multipart/related; type="{media_type}"; boundary={self.boundary}'

    def body(self, parts: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
        """The bytes of the body, a piece for each part; a part is its Content-Type and its content.

        Head and content are one piece: to hand a piece to the server takes longer than to copy it.
        """
        end_of_last = b""
        for content_type, content in parts:
            yield b"".join((end_of_last, self._head(content_type), content))
            end_of_last = b"\r\n"
        yield end_of_last + self._end()

    def size_bytes(self, parts: Iterable[tuple[str, int]]) -> int:
        """Of the body whose parts have these types and sizes."""
        sizes = [len(self._head(content_type)) + size_bytes + len(b"\r\n") for content_type, size_bytes in parts]
        return sum(sizes) + len(self._end())

    def _head(self, content_type: str) -> bytes:
        return f"--{self.boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()

    def _end(self) -> bytes:
        return f"--{self.boundary}--\r\n".encode()
