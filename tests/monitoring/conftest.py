"""The edge of the machine: what would go to the broker; and a reader at a study."""

from tests.annotations.conftest import desk
from tests.inference.conftest import sent_tasks

__all__ = ["desk", "sent_tasks"]
