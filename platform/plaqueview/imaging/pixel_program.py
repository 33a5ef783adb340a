"""Decodes pixels for the process that started it, which loses nothing should this one die.

Reads a line of JSON, answers with a line of JSON and as many bytes as that says, until its input ends.
"""

import json
import os
import resource
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from plaqueview.imaging.frame_pixels import Look, decoded_frame, instance_window, rendered_frame, uncompressed_instance

# The largest MR series in the field fits twice; what a file of lies asks for does not.
MOST_MEMORY_BYTES: Final = 3 * 1024**3

Asked = dict[str, Any]  # Any: JSON


def _picture(asked: Asked) -> bytes:
    look = Look(**{**asked["look"], **{name: _pair(asked["look"][name]) for name in ("window", "size")}})
    return rendered_frame(Path(asked["path"]), asked["index"], look)


def _window(asked: Asked) -> bytes:
    window = instance_window(Path(asked["path"]))
    return json.dumps([window.center, window.width]).encode()


TASKS: Final[dict[str, Callable[[Asked], bytes]]] = {
    "frame": lambda asked: decoded_frame(Path(asked["path"]), asked["index"]),
    "instance": lambda asked: uncompressed_instance(Path(asked["path"])),
    "picture": _picture,
    "window": _window,
}


def main() -> None:
    answers = _own_output()
    with suppress(ValueError, OSError):  # where the system knows no such limit
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    warnings.simplefilter("ignore")  # pydicom warns of what it tolerates
    for line in sys.stdin.buffer:
        content, error = _answer(json.loads(line))
        answers.write(json.dumps({"bytes": len(content), "error": error}).encode() + b"\n" + content)
        answers.flush()


def _answer(asked: Asked) -> tuple[bytes, str]:
    try:
        return TASKS[asked["task"]](asked), ""
    except Exception as error:  # noqa: BLE001  # decoders raise what they like, and this is the edge that says so
        return b"", type(error).__name__


def _own_output() -> BinaryIO:
    """Where answers go; what a decoder's C code prints goes elsewhere."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb")


def _pair(values: Any) -> Any:  # Any: JSON
    return tuple(values) if values is not None else None


if __name__ == "__main__":
    main()
