"""The files that pynetdicom writes of datasets on their way: it leaves them open, for the garbage collector to find.

None of this knows what an instance is: who takes one takes it by its path.
"""

from pathlib import Path

from pynetdicom import evt
from pynetdicom.association import Association


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
