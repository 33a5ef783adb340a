"""One of the processes that learn a run together: `torchrun … --module inference_worker.learning_process [ORDER]`.

The first one has the order, tells it to the others, and says on its standard output what becomes of it, one JSON object
a line. `shared_learning.py` starts those of one machine and listens. On each other machine of the run the same is
started without an order, and waits for it.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from torch import distributed

from inference_worker.checkpoint import CheckpointError
from inference_worker.dataset import DatasetError
from inference_worker.distributed import BACKENDS, Group, process_group
from inference_worker.learning import Learning, config_of, load_material
from inference_worker.learning_order import LearningOrder
from inference_worker.pretrained import PretrainedWeightsError
from inference_worker.resources import Meter
from inference_worker.run_samples import Sample
from inference_worker.run_state import TrainingError
from inference_worker.training import Progress
from plaqueview.imaging.nifti import NiftiError

REFUSALS: Final = (CheckpointError, DatasetError, NiftiError, PretrainedWeightsError, TrainingError)
LOGGED: Final = "inference_worker"
RESOURCES_NAME: Final = "resources-{rank}.json"
SECONDS_PER_READING: Final = 1.0


def main(words: Sequence[str]) -> int:
    """0 when the run has learned, 1 when it was refused with the reason told."""
    parser = argparse.ArgumentParser(prog="python -m inference_worker.learning_process", description=__doc__)
    parser.add_argument("order", nargs="?", type=Path, help="what is to be learned; the first process has it")
    parser.add_argument("--device", choices=sorted(BACKENDS), default="cpu")
    parser.add_argument("--ends-with-input", action="store_true", help="when standard input ends, so does the process")
    arguments = parser.parse_args(words)
    if arguments.ends_with_input:
        threading.Thread(target=_end_with_input, daemon=True).start()
    with process_group(arguments.device) as group:
        try:
            learn(shared_order(arguments.order, group), group)
        except REFUSALS as error:
            if group.is_first:
                tell("refused", reason=str(error))
            return 1
    return 0


def shared_order(path: Path | None, group: Group) -> LearningOrder:
    """The order of the first process, which all others are told."""
    held: list[str | None] = [path.read_text() if path is not None and group.is_first else None]
    if group.size > 1:
        distributed.broadcast_object_list(held, src=0, device=torch.device(group.device))
    if held[0] is None:
        raise TrainingError("the first process has no order, need the path of one")
    return LearningOrder.from_json(held[0])


def learn(order: LearningOrder, group: Group) -> None:
    """To the last step."""
    torch.set_num_threads(order.threads)
    if group.is_first:
        _log_to_listener()
    material = load_material(order.train, order.validation, cache=order.cache)
    config = config_of(**order.recipe)
    learning = Learning(order.start, config, material, folder=order.folder, group=group)
    reading = Reading(order.folder, group)
    if group.is_first:
        tell("reached", **asdict(learning.reached))

    def on_progress(progress: Progress, samples: Sequence[Sample]) -> None:
        reading.tell()
        if group.is_first:
            told = [{**vars(sample), "png": base64.b64encode(sample.png).decode()} for sample in samples]
            tell("step", progress=asdict(progress), samples=told, reached=asdict(learning.reached))

    learning.learn(on_progress)


def tell(kind: str, **fields: Any) -> None:  # Any: JSON
    """One line to whoever listens."""
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
    sys.stdout.flush()


class Reading:
    """What this process takes of its machine, in a file of its own, which is replaced at most once a second."""

    def __init__(self, folder: Path, group: Group) -> None:
        self._path, self._meter, self._at_s = folder / RESOURCES_NAME.format(rank=group.rank), Meter(group.device), 0.0

    def tell(self) -> None:
        if time.monotonic() - self._at_s < SECONDS_PER_READING:
            return
        self._at_s = time.monotonic()
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self._meter.read())))
        partial.replace(self._path)


class _ToListener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tell("log", level=record.levelno, text=record.getMessage())


def _log_to_listener() -> None:
    logger = logging.getLogger(LOGGED)
    logger.setLevel(logging.INFO)
    logger.addHandler(_ToListener())


def _end_with_input() -> None:
    """Whoever started this process has died: another may take the run up, and two must not write its state."""
    while os.read(sys.stdin.fileno(), 1):  # a buffered reader would be locked when this process ends by itself
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
