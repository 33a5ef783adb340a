"""Pixels of stored instances, decoded in processes that may die.

A corrupt file can end the process that decodes it, and one that lies can take all memory: neither is to be the server.
"""

import atexit
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Timer
from typing import IO, Any, Final, Protocol, cast

import plaqueview
from plaqueview.core.storage import stored_path
from plaqueview.imaging.frame_pixels import Look
from plaqueview.imaging.windowing import Window

MOST_PROCESSES: Final = 3
TIME_LIMIT_S: Final = 60.0
COMMAND: Final = [sys.executable, "-m", "plaqueview.imaging.pixel_program"]


class Kept(Protocol):
    """An instance, as far as its bytes."""

    @property
    def storage_key(self) -> str: ...


class PixelsError(ValueError):
    """The pixels cannot be decoded; the message names the cause."""


def decode_frame(instance: Kept, number: int) -> bytes:
    """Frame `number`, from 1, uncompressed and little endian. Raises: PixelsError."""
    return _ask(instance, task="frame", index=number - 1)


def decode_instance(instance: Kept) -> bytes:
    """The whole instance as explicit VR little endian. Raises: PixelsError."""
    return _ask(instance, task="instance")


def render_frame(instance: Kept, number: int, look: Look) -> bytes:
    """Frame `number`, from 1, as a picture. Raises: PixelsError."""
    return _ask(instance, task="picture", index=number - 1, look=asdict(look))


def decode_window(instance: Kept) -> Window:
    """The window that holds the head in this instance. Raises: PixelsError."""
    center, width = json.loads(_ask(instance, task="window"))
    return Window(center, width)


class _Decoder:
    """One such process, for one question at a time."""

    def __init__(self) -> None:
        # What the server knows of secrets and of its database is not handed on.
        known = {name: value for name, value in os.environ.items() if not name.startswith("PLAQUEVIEW_")}
        source = str(Path(plaqueview.__file__).parents[1])
        path = os.pathsep.join(filter(None, (source, known.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**known, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
        )

    def ask(self, **asked: Any) -> bytes:  # Any: JSON
        """Raises: PixelsError, also when the process died of it."""
        stdin, stdout = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        clock = Timer(TIME_LIMIT_S, self._process.kill)
        clock.start()
        try:
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()
            head = json.loads(stdout.readline() or b'{"bytes": -1}')
            content = stdout.read(max(head["bytes"], 0))
        except BrokenPipeError:
            head, content = {"bytes": -1}, b""
        finally:
            clock.cancel()
        if len(content) != head["bytes"]:
            self.end()
            raise PixelsError("the decoder did not survive them")
        if head["error"]:
            raise PixelsError(head["error"])
        return content

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


_idle: LifoQueue[_Decoder] = LifoQueue()
_seats = BoundedSemaphore(MOST_PROCESSES)


def _ask(instance: Kept, **asked: Any) -> bytes:  # Any: JSON
    with _seats:
        decoder = _waiting() or _Decoder()
        try:
            return decoder.ask(path=str(stored_path(instance.storage_key).absolute()), **asked)
        finally:
            if decoder.is_alive:
                _idle.put(decoder)


def _waiting() -> _Decoder | None:
    while True:
        try:
            decoder = _idle.get_nowait()
        except Empty:
            return None
        if decoder.is_alive:
            return decoder


@atexit.register
def _end_all() -> None:
    while (decoder := _waiting()) is not None:
        decoder.end()
