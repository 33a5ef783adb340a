"""Whether a run can succeed, before it costs hours: what it would learn from, and what it needs of the machine."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from redis.exceptions import RedisError

from plaqueview.core.disk import free_disk_bytes
from plaqueview.core.errors import UnavailableError
from plaqueview.core.health import require_beat, worker_of_queue
from plaqueview.core.queue import TRAINING_QUEUE
from plaqueview.core.workers import Worker, heard_of
from plaqueview.registry.models import ModelVersion, Stage
from plaqueview.training.models import DatasetSnapshot, Side, SnapshotStudy, TrainingRun
from plaqueview.training.recipe import Recipe, Start

# A slice and its labels on the network's grid, twice: as read from the cache, and as it is drawn.
BYTES_OF_SLICE: Final = 4 * 256 * 256
# Of the network that ships: a state of 65 MB, two files of weights of 16 MB each, an export of 14 MB; and room to
# replace each while the old one is still there.
BYTES_OF_RUN: Final = 400 * 1024**2
# torch with the network, its average and the optimiser's moments, and what a slice of a batch adds while it learns.
MEMORY_OF_RUN: Final = 1024**3
MEMORY_OF_BATCH_SLICE: Final = 180 * 1024**2


@dataclass(frozen=True)
class Preflight:
    """`problems` rule the run out, `warnings` do not. `estimated_minutes` follows from a measured step; None: none was.

    `sides` is by side: patients, studies, slices, lesions, by class and by source. `processes` learn the run together;
    None: as many as its worker has GPUs. `workers` are those that could take it now, and what is free is what that one
    has which has least; where none is heard of, the disk is this process's. What it needs of each of their GPUs is None
    until a run was measured on one.
    """

    sides: Mapping[str, Any]  # Any: JSON
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    disk_free_bytes: int
    disk_needed_bytes: int
    memory_free_bytes: int | None
    memory_needed_bytes: int
    workers: Sequence[Worker]
    gpu_memory_needed_bytes: int | None
    processes: int | None
    seconds_per_step: float | None
    estimated_minutes: float | None

    @property
    def can_run(self) -> bool:
        return not self.problems


def inspect(snapshot: DatasetSnapshot, recipe: Recipe) -> Preflight:
    """What a run of the recipe on the snapshot, which is ready, would meet."""
    rows = list(SnapshotStudy.objects.filter(snapshot=snapshot, exclusion=""))
    slices = sum(row.slices for row in rows)
    disk_needed = BYTES_OF_RUN + slices * BYTES_OF_SLICE
    here, processes = settings.TRAINING_PROCESSES, settings.TRAINING_PROCESSES * settings.TRAINING_MACHINES or None
    of_each = MEMORY_OF_RUN + slices * BYTES_OF_SLICE
    memory_needed = (here or 1) * of_each + recipe.batch_size * MEMORY_OF_BATCH_SLICE // settings.TRAINING_MACHINES
    workers, gpu_needed = _workers(), _measured_gpu_bytes(recipe)
    disk = _free_disk_bytes(workers)
    seconds = _measured_seconds_per_step(recipe, processes)
    minutes = None if seconds is None else seconds * recipe.steps / 60.0
    return Preflight(
        sides=snapshot.counts,
        problems=(
            *_data_problems(snapshot, rows),
            *_champion_problems(recipe),
            *_machine_problems(workers, disk, disk_needed, memory_needed),
            *_gpu_problems(workers, gpu_needed),
            *_sharing_problems(recipe, processes),
        ),
        warnings=tuple(_warnings(snapshot, recipe, minutes)),
        disk_free_bytes=disk,
        disk_needed_bytes=disk_needed,
        memory_free_bytes=_free_memory_bytes(workers),
        memory_needed_bytes=memory_needed,
        workers=workers,
        gpu_memory_needed_bytes=gpu_needed,
        processes=processes,
        seconds_per_step=seconds,
        estimated_minutes=minutes,
    )


def _data_problems(snapshot: DatasetSnapshot, rows: Collection[SnapshotStudy]) -> Iterator[str]:
    for side in Side:
        if not snapshot.counts[side.value]["patients"]:
            yield f"no patient stands on the side {side.value}; approve studies of more patients"
    for side in (Side.TRAIN, Side.TEST):
        if snapshot.counts[side.value]["patients"] and not snapshot.counts[side.value]["lesions"]:
            yield f"no study on the side {side.value} has a lesion"
    yield from _leaks("patient", {row.pk: row.patient for row in rows}, rows)
    yield from _leaks("image", {row.pk: row.image_sha256 for row in rows}, rows)


def _leaks(thing: str, names: Mapping[Any, str], rows: Collection[SnapshotStudy]) -> Iterator[str]:  # Any: a key
    """One thing on two sides: what is learned by heart would be taken for what was understood."""
    sides: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        sides[names[row.pk]].add(row.side)
    leaking = sum(1 for found in sides.values() if len(found) > 1)
    if leaking:
        yield f"{leaking} {thing}{'s' if leaking > 1 else ''} on more than one side; exclude one of the studies"


def _champion_problems(recipe: Recipe) -> Iterator[str]:
    if not ModelVersion.objects.filter(stage=Stage.CHAMPION).exists():
        needed = "start from" if recipe.start is Start.CHAMPION else "be judged against"
        yield f"there is no champion to {needed}; a worker of the queue inference registers its own at its start"


def _machine_problems(workers: Sequence[Worker], disk: int, disk_needed: int, memory_needed: int) -> Iterator[str]:
    """Whichever worker is free first takes the run, so each has to have what it needs."""
    if disk < disk_needed:
        yield f"the storage has {disk // 1024**2} MB free, the run needs {disk_needed // 1024**2} MB"
    for worker in workers:
        memory = worker.free_memory_bytes
        if memory is not None and memory < memory_needed:
            yield (
                f"worker {worker.name} has {memory // 1024**2} MB of memory free, "
                f"the run needs {memory_needed // 1024**2} MB"
            )


def _free_disk_bytes(workers: Sequence[Worker]) -> int:
    """Where the run will work; workers share this process's storage, but for copies of a bucket."""
    told = [worker.free_disk_bytes for worker in workers if worker.free_disk_bytes is not None]
    return min(told, default=free_disk_bytes())


def _free_memory_bytes(workers: Sequence[Worker]) -> int | None:
    told = [worker.free_memory_bytes for worker in workers if worker.free_memory_bytes is not None]
    return min(told, default=None)


def _workers() -> Sequence[Worker]:
    """Those of the queue that are alive; none while the broker is away, which the warnings tell."""
    try:
        return [worker for worker in heard_of() if worker.is_alive and TRAINING_QUEUE in worker.queues]
    except (RedisError, OSError):
        return []


def _gpu_problems(workers: Sequence[Worker], needed: int | None) -> Iterator[str]:
    """Each that is told to compute on GPUs has to have them, as it has to have memory."""
    for worker in workers:
        if worker.device != "cuda":
            continue
        if not worker.gpus:
            yield f"worker {worker.name} is told to compute on cuda and finds no GPU: nvidia-smi names none there"
        for gpu in worker.gpus:
            if needed is not None and gpu.free_bytes < needed:
                yield (
                    f"{gpu.name} of worker {worker.name} has {gpu.free_bytes // 1024**2} MB free, "
                    f"the run needs {needed // 1024**2} MB"
                )


def _sharing_problems(recipe: Recipe, processes: int | None) -> Iterator[str]:
    if processes and recipe.batch_size % processes:
        yield f"a batch of {recipe.batch_size} slices does not divide by the {processes} processes that learn here"


def _warnings(snapshot: DatasetSnapshot, recipe: Recipe, minutes: float | None) -> Iterator[str]:
    classes = snapshot.counts[Side.TRAIN.value]["classes"]
    if not classes.get("active") or not classes.get("inactive"):
        yield "no lesion of one class has evidence: the network learns where plaques are, and little of their activity"
    if minutes is None:
        yield "no step was measured here yet, so the time is not known; the run tells it after its first steps"
    elif minutes > recipe.max_minutes:
        yield f"about {minutes:.0f} minutes are needed; after {recipe.max_minutes} the best weights so far are taken"
    try:
        require_beat(worker_of_queue(TRAINING_QUEUE))
    except (UnavailableError, RedisError, OSError):
        yield "no worker of the queue training is heard of: the run waits for one, which needs the extra `training`"


def _measured_gpu_bytes(recipe: Recipe) -> int | None:
    """The most that the newest run on GPUs held of each, by slice of its batch."""
    measured = TrainingRun.objects.filter(resources__gpu_memory_peak_bytes__gt=0).order_by("-created").first()
    if measured is None:
        return None
    gpus = max(1, measured.processes // settings.TRAINING_MACHINES)  # peaks are of all processes of one machine
    share = recipe.batch_size / Recipe.from_json(measured.recipe).batch_size
    return int(measured.resources["gpu_memory_peak_bytes"] / gpus * share)


def _measured_seconds_per_step(recipe: Recipe, processes: int | None) -> float | None:
    """That of the newest run of as many processes which measured one, by slice."""
    runs = TrainingRun.objects.filter(seconds_per_step__isnull=False)
    if processes:
        runs = runs.filter(processes=processes)
    measured = runs.order_by("-created").first()
    if measured is None or measured.seconds_per_step is None:
        return None
    return measured.seconds_per_step * recipe.batch_size / Recipe.from_json(measured.recipe).batch_size
