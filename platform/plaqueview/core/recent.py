"""What this process has seen of late, in a bounded memory."""

import threading
import time
from collections import OrderedDict


class Recent:
    """Keys, each until its time is over; of more than `most` the oldest go first."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, key: str) -> bool:
        return self._until.get(key, 0.0) > time.monotonic()

    def add(self, key: str, *, kept_s: float) -> None:
        with self._lock:
            self._until[key] = time.monotonic() + kept_s
            self._until.move_to_end(key)
            if len(self._until) > self._most:
                self._until.popitem(last=False)
