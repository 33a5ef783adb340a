"""A reader at a study."""

from tests.annotations.conftest import desk

__all__ = ["desk"]
