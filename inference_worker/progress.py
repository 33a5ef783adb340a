"""One line on the terminal that says how far a long command is."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self, TextIO


class ProgressLine:
    """Overwrites its line on a terminal; elsewhere writes only the lines that are to be kept."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._is_terminal = self._stream.isatty()

    def show(self, text: str, *, keep: str | None = None) -> None:
        """Shows the text; with `keep`, the line stays and ends with that."""
        if keep is not None:
            self._stream.write(f"{self._start}{text}  {keep}\n")
        elif self._is_terminal:
            self._stream.write(f"{self._start}{text}")
        self._stream.flush()

    @property
    def _start(self) -> str:
        return "\r\x1b[K" if self._is_terminal else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_terminal:
            self._stream.write("\n")
