"""Every write and read of training, by the module that does it; the worker and the floors above call these."""

from plaqueview.training.building import build_snapshot, tend_snapshots
from plaqueview.training.export import export_snapshot
from plaqueview.training.snapshots import compare_snapshots, read_snapshot, read_snapshots, request_snapshot

__all__ = [
    "build_snapshot",
    "compare_snapshots",
    "export_snapshot",
    "read_snapshot",
    "read_snapshots",
    "request_snapshot",
    "tend",
]


def tend() -> None:
    """What dead workers left is taken up again."""
    tend_snapshots()
