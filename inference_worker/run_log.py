"""What a training tells while it goes: a line on the terminal, a file of JSON lines, and TensorBoard's events."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tensorboardX import SummaryWriter

from inference_worker.progress import ProgressLine
from inference_worker.training import Progress

LOG_NAME = "progress.jsonl"
EVENTS_NAME = "tensorboard"  # a folder, for `tensorboard --logdir RUN`


class RunLog:
    """The log of the run in a folder; a run that goes on is logged behind what is there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lines = (folder / LOG_NAME).open("a", buffering=1)
        self._events = SummaryWriter(str(folder / EVENTS_NAME))
        self._terminal = ProgressLine()

    def tell(self, progress: Progress) -> None:
        """One step is done."""
        record = {
            "step": progress.step,
            "loss": round(progress.loss, 5),
            "seconds_per_step": round(progress.seconds_per_step, 3),
            "validation_dice": progress.validation_dice,
            "at": round(time.time(), 1),
        }
        self._lines.write(json.dumps(record) + "\n")
        self._events.add_scalar("loss", progress.loss, progress.step)
        if progress.validation_dice is not None:
            self._events.add_scalar("validation_dice", progress.validation_dice, progress.step)
        self._terminal.show(
            f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {progress.seconds_per_step:.2f} s/step  "
            f"{progress.seconds_left / 60.0:.0f} min left",
            keep=None if progress.validation_dice is None else f"validation Dice {progress.validation_dice:.3f}",
        )

    def __enter__(self) -> Self:
        self._terminal.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._terminal.__exit__(kind, error, trace)
        self._events.close()
        self._lines.close()
