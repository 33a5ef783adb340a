"""How a run learns, as its author says."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self


class Start(StrEnum):
    CHAMPION = "champion"
    SCRATCH = "scratch"


@dataclass(frozen=True)
class Recipe:
    """`scratch` starts from an encoder that has seen photographs only. After `max_minutes` of learning the best weights
    so far are taken. What is not named here is the worker's own recipe.
    """

    start: Start = Start.CHAMPION
    steps: int = 400
    batch_size: int = 8
    learning_rate: float = 3e-4
    validate_every: int = 50
    max_minutes: int = 240
    seed: int = 0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:  # Any: JSON
        """The inverse of `as_json`."""
        return cls(**{**stored, "start": Start(stored["start"])})

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {**asdict(self), "start": self.start.value}
