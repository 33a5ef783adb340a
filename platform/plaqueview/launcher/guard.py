"""Outlives a killed launcher just long enough to end everything that it started.

The launcher runs this file as the leader of the process group that all its children join, and holds the write end of
a pipe whose read end is the guard's standard input. However the launcher ends, the kernel closes that pipe; the guard
then ends the group, grandchildren included, itself last. Works alike on Linux and macOS. Standard library only.
"""

import os
import signal
import sys
import time

GRACE_S = 3.0


def main() -> None:
    """Waits for the launcher's end; then SIGTERM to the group, and after `GRACE_S` SIGKILL."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    os.write(sys.stdout.fileno(), b"guarding\n")
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
