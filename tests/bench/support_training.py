"""Takes the same steps with and without the platform, in turns, in a demo's environment.

`python -m tests.bench.support_training SNAPSHOT TURNS BATCH_SIZE`. Two learnings with one seed draw the same batches,
so each step has its like on the other side; the first turn of both warms up. The last line on standard output has the
seconds of the steps by side, in one order.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

import django

django.setup()

import torch  # noqa: E402  (needs the app registry)
from django.conf import settings  # noqa: E402  (needs the app registry)

from inference_worker.distributed import ALONE  # noqa: E402  (needs the app registry)
from inference_worker.gate_tasks import linked, name_of  # noqa: E402  (needs the app registry)
from inference_worker.heartbeat import Heartbeat  # noqa: E402  (needs the app registry)
from inference_worker.learning import Learning, OutOfTimeError, config_of, load_material  # noqa: E402  (as above)
from inference_worker.prediction import core_count, shipped_weights  # noqa: E402  (needs the app registry)
from inference_worker.run_ledger import Ledger, logged_in  # noqa: E402  (needs the app registry)
from inference_worker.training import Progress  # noqa: E402  (needs the app registry)
from inference_worker.training_tasks import BEATS_PER_LEASE, SHORTEST_BEAT_S, leave_database  # noqa: E402  (as above)
from plaqueview.training import services as training  # noqa: E402  (needs the app registry)
from plaqueview.training.models import RunStage, Side, TrainingRun  # noqa: E402  (needs the app registry)
from plaqueview.training.recipe import Recipe  # noqa: E402  (needs the app registry)

STEPS_A_TURN: Final = 4
SIDES: Final = ("bare", "platform")


def seconds_of(learning: Learning, ledger: Ledger | None) -> list[float]:
    """Of the steps of one turn."""
    seconds: list[float] = []
    since_s = time.perf_counter()

    def on_progress(progress: Progress) -> None:
        nonlocal since_s
        if ledger is not None:
            ledger.add(progress, time.perf_counter())
        seconds.append(time.perf_counter() - since_s)
        if len(seconds) == STEPS_A_TURN:
            raise OutOfTimeError
        since_s = time.perf_counter()

    with suppress(OutOfTimeError):
        learning.run.train(on_progress)
    return seconds


@contextmanager
def beating(claim: training.RunClaim) -> Iterator[Ledger]:
    """A ledger that is told to the platform while the context is open, as a worker of the queue tells its own."""
    ledger = Ledger(claim, device="cpu")
    longest_s = settings.TRAINING_LEASE_S / BEATS_PER_LEASE
    beat = Heartbeat(ledger.beat, release=leave_database, shortest_s=SHORTEST_BEAT_S, longest_s=longest_s)
    with logged_in(ledger), beat as heartbeat:
        ledger.heartbeat = heartbeat
        ledger.enter(RunStage.LEARNING)
        yield ledger


def learn(snapshot_id: UUID, turns: int, batch_size: int) -> dict[str, list[float]]:
    """Seconds of each step by side, of a run that no worker was told of."""
    torch.set_num_threads(core_count())
    run = TrainingRun.objects.create(snapshot_id=snapshot_id, recipe=Recipe(steps=10_000).as_json())
    claim = training.claim_run(run_id=run.pk, worker="bench", device="cpu")
    if claim is None:
        raise RuntimeError("another worker has claimed the run")
    order = training.order_of(claim)
    learnings = {side: learning_of(order, order.folder / side, batch_size) for side in SIDES}
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for turn in range(turns + 1):
        for side in SIDES if turn % 2 else SIDES[::-1]:
            with beating(claim) if side == "platform" else nullcontext() as ledger:
                found = seconds_of(learnings[side], ledger)
            seconds[side] += found if turn else []
    return seconds


def learning_of(order: training.Order, folder: Path, batch_size: int) -> Learning:
    files = linked(order.studies, folder / "data")
    by_side = {side: [files[name_of(one)] for one in order.studies if one.side == side] for side in Side}
    material = load_material(by_side[Side.TRAIN], by_side[Side.VALIDATION], cache=order.folder.parent / "cache")
    config = config_of(steps=10_000, batch_size=batch_size, learning_rate=3e-4, validate_every=10_000, seed=0)
    start = shipped_weights().with_suffix(".safetensors")
    return Learning(start, config, material, folder=folder / "run", group=ALONE)


if __name__ == "__main__":
    snapshot, turns, batch_size = sys.argv[1:]
    sys.stdout.write(json.dumps(learn(UUID(snapshot), int(turns), int(batch_size))) + "\n")
