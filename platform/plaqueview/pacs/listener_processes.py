"""Several processes that accept at one socket: a Python process receives on one core, however many send to it."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Final

from django.db import connections

logger = logging.getLogger(__name__)

PAUSE_S: Final = 1.0  # before a process that ended by itself is followed by another
FAREWELL_S: Final = 40.0  # within it a process keeps what it was sent, and ends
# Forked, so that they share what was imported; who forks them has no threads and no connections.
_processes = get_context("fork")

# Serves at the socket until the event is set.
Serve = Callable[[socket.socket, threading.Event], None]


class ListenerProcesses:
    """So many processes that serve at the socket, each followed by another when it ends by itself.

    They end with this process, however it ends.
    """

    def __init__(self, serve: Serve, listening: socket.socket, *, count: int) -> None:
        self._serve, self._listening, self._count = serve, listening, count
        self._living, self._held_here = os.pipe()
        self._running: list[ForkProcess] = []

    def start(self) -> None:
        connections.close_all()
        self._running += [self._started() for _ in range(self._count - len(self._running))]

    def watch(self, is_over: threading.Event) -> None:
        """Until the event is set."""
        while not is_over.is_set():
            wait([process.sentinel for process in self._running], timeout=PAUSE_S)
            ended = [process for process in self._running if not process.is_alive()]
            if ended and not is_over.wait(PAUSE_S):
                logger.error("%d of the listener's processes ended by themselves, others follow", len(ended))
                self._running = [process for process in self._running if process not in ended]
                self.start()

    def stop(self) -> None:
        """None of them lives; each was given its time."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.join(FAREWELL_S)
            process.kill()
            process.join()

    def _started(self) -> ForkProcess:
        process = _processes.Process(target=self._work, daemon=True)  # or a parent that fails would wait for them
        process.start()
        return process

    def _work(self) -> None:
        os.close(self._held_here)
        threading.Thread(target=self._end_with_parent, daemon=True).start()
        self._serve(self._listening, ending())

    def _end_with_parent(self) -> None:
        """The kernel closes what only the parent holds; who stayed would keep the port from the next listener."""
        os.read(self._living, 1)
        os._exit(1)


def ending() -> threading.Event:
    """Set once this process is asked to end."""
    is_over = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        is_over.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return is_over
