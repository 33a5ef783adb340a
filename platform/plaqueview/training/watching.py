"""What a run shows of itself while it goes: its log, what it takes of its machine, and slices with its prediction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from plaqueview.training.models import RunLine, RunSample, TrainingRun

# A line for each stage and validation: of a run of 200,000 steps that validates every hundred.
LINES_KEPT: Final = 2000
LONGEST_LINE: Final = 500


@dataclass(frozen=True)
class Line:
    """One line of the log; `level` is Python's, in small letters."""

    at: datetime
    level: str
    text: str


@dataclass(frozen=True)
class Sample:
    """A slice with its outlines, as `RunSample` keeps it."""

    number: int
    study: str
    slice_number: int
    png: bytes
    step: int
    outlines: Mapping[str, Any]  # Any: JSON
    dice: float | None


@dataclass(frozen=True)
class Resources:
    """What the worker's process takes; what its machine does not say is None. `gpu` is its name, empty without one.

    `cores_used` is the mean since the measurement before; peaks are since the process began.
    """

    cores_used: float
    cores: int
    memory_bytes: int | None
    memory_peak_bytes: int
    memory_of_machine_bytes: int
    gpu: str
    gpu_memory_bytes: int | None
    gpu_memory_peak_bytes: int | None
    gpu_memory_of_device_bytes: int | None

    def as_json(self) -> dict[str, Any]:  # Any: JSON
        return {**asdict(self), "at": timezone.now().isoformat()}


def note(run: TrainingRun, text: str, *, level: str = "info") -> None:
    """The log of the run has one line more."""
    keep_lines(run, [Line(timezone.now(), level, text)])


def keep_lines(run: TrainingRun, lines: Sequence[Line]) -> None:
    """The log has these lines at its end; of a long one the oldest go."""
    if not lines:
        return
    rows = [RunLine(run=run, at=line.at, level=line.level, text=line.text[:LONGEST_LINE]) for line in lines]
    RunLine.objects.bulk_create(rows)
    oldest = RunLine.objects.filter(run=run).order_by("-pk").values_list("pk", flat=True)[LINES_KEPT : LINES_KEPT + 1]
    for pk in list(oldest):
        RunLine.objects.filter(run=run, pk__lte=pk).delete()


def keep_samples(run: TrainingRun, samples: Sequence[Sample]) -> None:
    """Each sample shows the newest prediction."""
    rows = [
        RunSample(
            run=run,
            number=sample.number,
            study=sample.study,
            slice_number=sample.slice_number,
            slice_png=sample.png,
            step=sample.step,
            outlines=sample.outlines,
            dice=sample.dice,
        )
        for sample in samples
    ]
    fields = ["study", "slice_number", "slice_png", "step", "outlines", "dice"]
    RunSample.objects.bulk_create(rows, update_conflicts=True, unique_fields=["run", "number"], update_fields=fields)


def text_of(run: TrainingRun) -> Iterator[str]:
    """The log, line by line."""
    for line in RunLine.objects.filter(run=run).order_by("pk"):
        yield f"{line.at.isoformat(timespec='milliseconds')} {line.level:7} {line.text}\n"
