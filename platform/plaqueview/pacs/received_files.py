"""Datasets on their way go to files, which pynetdicom writes, and leaves open for the garbage collector to find.

None of this knows what an instance is: who takes one takes it by its path.
"""

import tempfile
import threading
from pathlib import Path
from typing import Final

from pynetdicom import _config, evt
from pynetdicom.association import Association

from plaqueview.core.disk import incoming, make_folders


def close_when_whole(event: evt.Event) -> None:
    """The file of an instance that came in whole is closed before anybody sees it, and whether anybody will or not.

    For EVT_DIMSE_RECV. A message that waits when its association ends is dropped by the library without a word.
    """
    file = event.message._data_set_file  # noqa: SLF001  # the library has no name for it
    if file is not None:
        file.close()


def forget_half_an_instance(association: Association) -> None:
    """What had come of an instance when the line was cut is gone; the library would leave it on the disk.

    To be called when nothing is received any more.
    """
    half = association.dimse.message
    file = half._data_set_file if half is not None else None  # noqa: SLF001  # as above
    if file is not None:
        file.close()
        Path(file.name).unlink(missing_ok=True)


class _ReceivingToDisk:
    """Datasets go to files on the store's disk as they come, not through memory.

    The library knows no other way to say it than for the whole process, which listens, or fetches from several nodes at
    once: the first says so, the last takes it back. The folder is none of a single fetch's, which goes with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._before: tuple[str | None, bool] = None, False

    def __enter__(self) -> None:
        with self._lock:
            if not self._count:
                make_folders(incoming())
                self._before = tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET
                tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = str(incoming()), True
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1
            if not self._count:
                tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = self._before


to_disk: Final = _ReceivingToDisk()
