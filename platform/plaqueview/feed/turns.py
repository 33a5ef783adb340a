"""How soon a socket is answered, so that one that asks without end takes no time from the others."""

from typing import Final

# A page that opens listens to as many topics as it may, and says a word every half minute from then on.
AT_ONCE: Final = 300
PER_SECOND: Final = 20.0


class Turns:
    """The turns of one socket, on a clock that only goes on."""

    def __init__(self) -> None:
        self._next_s = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """How long the next message waits for its answer: not at all until many came at once."""
        self._next_s = max(self._next_s, now_s - AT_ONCE / PER_SECOND) + 1.0 / PER_SECOND
        return max(0.0, self._next_s - now_s)
