"""What a run tells the platform: kept here by the thread that learns, and written by the one that beats."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final, TypeVar

from django.db import OperationalError
from django.utils import timezone

from inference_worker.heartbeat import Heartbeat
from inference_worker.resources import Meter, Resources
from inference_worker.run_samples import Sample
from inference_worker.training import Progress
from plaqueview.training import services as training
from plaqueview.training.models import RunStage

logger = logging.getLogger(__name__)

MOST_LINES: Final = 2000  # that wait for a database which is away
LOGGED: Final = "inference_worker"

Told = TypeVar("Told")


class Ledger:
    """What happened since the last beat."""

    def __init__(self, claim: training.RunClaim, *, device: str) -> None:
        self._claim = claim
        self.measure: Callable[[], Resources] = Meter(device).read
        self._lock = threading.Lock()
        self._points: deque[training.Point] = deque()
        self._lines: deque[training.Line] = deque(maxlen=MOST_LINES)
        self._samples: Sequence[training.Sample] = ()
        self._stage, self._seconds = RunStage.LOADING, claim.seconds
        self._seconds_per_step: float | None = None
        self.heartbeat: Heartbeat | None = None

    def enter(self, stage: RunStage) -> None:
        """Raises: what the last beat raised."""
        logger.info("%s begins", stage)
        self._stage = stage
        self.tell()

    def add(self, progress: Progress, seconds: float) -> None:
        """Raises: what the last beat raised."""
        point = training.Point(progress.step, progress.loss, progress.validation_dice, timezone.now())
        if progress.validation_dice is not None:
            dice, loss = progress.validation_dice, progress.loss
            logger.info("step %s of %s: loss %.4f, validation Dice %.4f", progress.step, progress.steps, loss, dice)
        with self._lock:
            self._points.append(point)
            self._seconds, self._seconds_per_step = seconds, progress.seconds_per_step
        self.tell()

    def show(self, samples: Sequence[Sample], *, step: int) -> None:
        """The samples as they are at this step are told with the next beat."""
        with self._lock:
            self._samples = [training.Sample(step=step, **vars(sample)) for sample in samples]

    def write(self, line: training.Line) -> None:
        """The line is told with the next beat, or at the end."""
        with self._lock:
            self._lines.append(line)

    def tell(self) -> None:
        """Raises: what the last beat raised."""
        if self.heartbeat is not None:
            self.heartbeat.report(0.0)

    def beat(self, _: float) -> None:
        """Called beside the work. A database that is away costs nothing while the lease lasts."""
        standing = self._standing()
        try:
            training.renew_run(self._claim, standing)
        except OperationalError as error:
            logger.warning("run %s: the lease was not renewed: %s", self._claim.run_id, error)
            return
        with self._lock:
            _drop(self._points, len(standing.points))
            _drop(self._lines, len(standing.lines))
            if self._samples is standing.samples:
                self._samples = ()

    def close(self) -> None:
        """What was said since the last beat is told too."""
        try:
            training.end_log(self._claim, list(self._lines))
        except OperationalError as error:
            logger.warning("run %s: the last lines of its log were not written: %s", self._claim.run_id, error)

    def _standing(self) -> training.Standing:
        with self._lock:
            return training.Standing(
                stage=self._stage,
                seconds=self._seconds,
                seconds_per_step=self._seconds_per_step,
                points=list(self._points),
                lines=list(self._lines),
                samples=self._samples,
                resources=training.Resources(**asdict(self.measure())),
            )


class LineHandler(logging.Handler):
    """Gives what the worker logs to the ledger. A worker trains one network at a time, so all of it is of this run."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(logging.INFO)
        self._ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        at = datetime.fromtimestamp(record.created, tz=UTC)
        self._ledger.write(training.Line(at, record.levelname.lower(), record.getMessage()))


@contextmanager
def logged_in(ledger: Ledger) -> Iterator[None]:
    """What the worker logs meanwhile stands in the log of the run."""
    handler = LineHandler(ledger)
    logging.getLogger(LOGGED).addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger(LOGGED).removeHandler(handler)
        ledger.close()


def _drop(told: deque[Told], count: int) -> None:
    for _ in range(min(count, len(told))):
        told.popleft()
