"""A pulse beside slow work: progress is told at a bounded rate, and silence never lasts too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

LONGEST_JOIN_S = 30.0


class Heartbeat:
    """While the context is open, `beat(progress)` is called from a thread of its own.

    It is called at most every `shortest_s` when there is progress, and at least every `longest_s` when there is none,
    so that neither a batch in no time nor one that takes a minute matters to the work. What it raises ends the beating
    and is raised again by the next `report`, in the thread that works. `release` is called last, in the beating thread.
    Until the first report the progress is -1: the work has not begun.
    """

    def __init__(
        self,
        beat: Callable[[float], None],
        *,
        release: Callable[[], None],
        shortest_s: float,
        longest_s: float,
    ) -> None:
        self._beat, self._release = beat, release
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self._progress = -1.0
        self._has_news, self._has_ended = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._has_ended.set()
        self._has_news.set()
        self._thread.join(LONGEST_JOIN_S)

    def report(self, progress: float) -> None:
        """The work is done to this share, 0 to 1.

        Raises: whatever `beat` raised.
        """
        if self._error is not None:
            raise self._error
        self._progress = progress
        self._has_news.set()

    def _run(self) -> None:
        try:
            while not self._has_ended.wait(self._shortest_s):
                self._has_news.wait(self._longest_s)
                self._has_news.clear()
                if not self._has_ended.is_set():
                    self._beat(self._progress)
        except BaseException as error:  # noqa: BLE001  (kept, and raised again where the work is done)
            self._error = error
        finally:
            self._release()
