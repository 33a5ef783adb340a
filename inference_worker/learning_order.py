"""What the processes of a run are to learn, as JSON, so that it also reaches those of other machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from inference_worker.dataset import StudyFiles


@dataclass(frozen=True)
class LearningOrder:
    """`recipe` are the arguments of `learning.config_of`; `start` are weights, None from scratch.

    Every machine of the run finds `folder`, `cache` and the files at these paths. `threads` is of each process.
    """

    train: tuple[StudyFiles, ...]
    validation: tuple[StudyFiles, ...]
    recipe: Mapping[str, Any]  # Any: whole numbers and real ones, each where `config_of` takes it
    start: Path | None
    folder: Path
    cache: Path
    threads: int

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `as_json`."""
        told = json.loads(text)
        return cls(
            train=_studies(told["train"]),
            validation=_studies(told["validation"]),
            recipe=told["recipe"],
            start=Path(told["start"]) if told["start"] else None,
            folder=Path(told["folder"]),
            cache=Path(told["cache"]),
            threads=told["threads"],
        )

    def as_json(self) -> str:
        return json.dumps(asdict(self), default=str)


def _studies(told: list[dict[str, str]]) -> tuple[StudyFiles, ...]:
    return tuple(StudyFiles(one["patient"], one["name"], Path(one["flair"]), Path(one["labels"])) for one in told)
