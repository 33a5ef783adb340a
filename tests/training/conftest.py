"""Torch on one thread."""

from tests.worker.conftest import one_thread

__all__ = ["one_thread"]
