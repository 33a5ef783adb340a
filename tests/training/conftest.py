"""The edge of the machine: what would go to the broker, and torch on one thread."""

from tests.inference.conftest import sent_tasks
from tests.worker.conftest import one_thread

__all__ = ["one_thread", "sent_tasks"]
