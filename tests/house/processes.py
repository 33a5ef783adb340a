"""What the machine says about processes; the same on Linux and macOS."""

import subprocess
import time
from collections.abc import Collection


def living(process_ids: Collection[int]) -> list[int]:
    """Those that run still; a zombie that waits to be buried does not."""
    states = {int(row[0]): row[1] for row in process_table("pid=,stat=")}
    return [number for number in process_ids if not states.get(number, "Z").startswith("Z")]


def wait_until_gone(process_ids: Collection[int], *, timeout_s: float) -> list[int]:
    """Those that are still alive when the time is over."""
    deadline = time.monotonic() + timeout_s
    while (left := living(process_ids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def descendants_of(process_id: int) -> list[int]:
    """All that a process started, and what those started."""
    parent_of = {int(row[0]): int(row[1]) for row in process_table("pid=,ppid=")}
    found = {process_id}
    while more := {child for child, parent in parent_of.items() if parent in found} - found:
        found |= more
    return sorted(found - {process_id})


def process_table(columns: str) -> list[list[str]]:
    table = subprocess.run(["ps", "-axo", columns], capture_output=True, text=True, check=True).stdout
    return [row.split() for row in table.splitlines()]
