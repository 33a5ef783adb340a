"""Callers that never end what they began to say: their lines are cut, so that they give up their places.

The library reads each PDU to its end, however long that takes, and looks at its clocks only in between: a scanner that
was switched off within an image would keep its place, and half the image, until the listener is started anew, and so
would anybody who drips.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Final
from weakref import WeakKeyDictionary

from pynetdicom import AE, evt
from pynetdicom.association import Association

# Of the time within which the library ends an association that is silent.
LONGEST_PDU: Final = 2.0


class Watch:
    """Cuts each line of the entity on which nothing whole has come or gone for twice the time-out."""

    def __init__(self, entity: AE, *, timeout_s: float) -> None:
        self._entity, self._timeout_s = entity, timeout_s
        self._heard: WeakKeyDictionary[Association, float] = WeakKeyDictionary()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="WatchOfAssociations")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def hear(self, event: evt.Event) -> None:
        """For EVT_PDU_RECV and EVT_PDU_SENT."""
        self._heard[event.assoc] = time.monotonic()

    def _watch(self) -> None:
        while not self._is_over.wait(self._timeout_s / 4):
            for association in self._entity.active_associations:
                now = time.monotonic()
                if now - self._heard.setdefault(association, now) > LONGEST_PDU * self._timeout_s:
                    _cut(association)


def _cut(association: Association) -> None:
    line = association.dul.socket
    if line is not None and line.socket is not None:
        with suppress(OSError):
            line.socket.shutdown(socket.SHUT_RDWR)
