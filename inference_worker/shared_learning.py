"""Learning with several processes of this machine, and of others, started by torchrun: what they do is told here.

This process holds the lease and the clock, and learns nothing itself.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from inference_worker.learning import BEST_NAME, Listener, Reached, in_time
from inference_worker.learning_order import LearningOrder
from inference_worker.learning_process import RESOURCES_NAME
from inference_worker.resources import Meter, Resources, together
from inference_worker.run_samples import Sample
from inference_worker.run_state import TrainingError
from inference_worker.training import Progress

logger = logging.getLogger(__name__)

ORDER_NAME: Final = "order.json"
SECRETS: Final = "PLAQUEVIEW_"  # what the platform is told in its environment, the processes need not know
LONGEST_SILENCE_S: Final = 1.0
END_TIMEOUT_S: Final = 30.0


class ProcessesLostError(RuntimeError):
    """A process of the run has died without a reason that a user could read; from its state the run can go on."""


@dataclass(frozen=True)
class Crew:
    """How many processes learn, on each of how many machines; `rendezvous` is HOST:PORT of the first machine."""

    device: str
    processes: int
    machines: int = 1
    rendezvous: str = ""

    @property
    def size(self) -> int:
        return self.processes * self.machines

    def words(self) -> list[str]:
        """The arguments of torchrun; this machine is the first."""
        words = ["--nproc-per-node", str(self.processes), "--max-restarts", "0"]
        if self.machines == 1:
            return [*words, "--standalone"]
        host, _, port = self.rendezvous.rpartition(":")
        return [
            *words,
            "--nnodes",
            str(self.machines),
            "--node-rank",
            "0",
            "--master-addr",
            host,
            "--master-port",
            port,
        ]


class SharedLearning:
    """A run in its folder that a crew learns; `on_silence` is called while nothing is heard, and may end it."""

    def __init__(self, order: LearningOrder, crew: Crew, *, on_silence: Callable[[], None]) -> None:
        self._order, self._crew, self._on_silence = order, crew, on_silence
        self.best, self.reached = order.folder / BEST_NAME, Reached(0, -1.0, 0)
        self._meter = Meter("cpu")

    def learn(self, on_progress: Listener) -> None:
        """To the last step, or until `on_progress` raises, OutOfTimeError to end in peace.

        Raises: TrainingError when the processes refuse, or there is no best validation to go by; ProcessesLostError.
        """
        path = self._order.folder / ORDER_NAME
        path.write_text(self._order.as_json())
        self._forget_readings()
        with in_time(self.best), _started(self._command(path), self._environment()) as process:
            for line in self._lines(process):
                self._hear(line, on_progress)
            if process.wait() != 0:
                raise ProcessesLostError(f"the processes that learn ended with status {process.returncode}")
        self._forget_readings()

    def measure(self) -> Resources:
        """What all processes take, this one too; cheap enough for every heartbeat."""
        told = []
        for path in self._readings():
            with suppress(FileNotFoundError):  # they have just ended
                told.append(Resources(**json.loads(path.read_text())))
        return together([self._meter.read(), *told])

    def _readings(self) -> list[Path]:
        return sorted(self._order.folder.glob(RESOURCES_NAME.format(rank="*")))

    def _forget_readings(self) -> None:
        for path in self._readings():
            path.unlink(missing_ok=True)

    def _command(self, order: Path) -> list[str]:
        module = ["--module", "inference_worker.learning_process", str(order)]
        torchrun = [sys.executable, "-m", "torch.distributed.run", *self._crew.words()]
        return [*torchrun, *module, "--device", self._crew.device, "--ends-with-input"]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(SECRETS)}
        return {**kept, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": str(self._order.threads)}

    def _lines(self, process: subprocess.Popen[str]) -> Iterator[str]:
        """What the first process says, until all have ended; silence is told."""
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        while True:
            try:
                line = lines.get(timeout=LONGEST_SILENCE_S)
            except queue.Empty:
                self._on_silence()
                continue
            if line is None:
                return
            yield line

    def _hear(self, line: str, on_progress: Listener) -> None:
        try:
            told: dict[str, Any] = json.loads(line)  # Any: JSON
            kind = told["kind"]
        except (json.JSONDecodeError, KeyError, TypeError):
            logger.warning("a process of the run says: %s", line.strip())
            return
        if kind == "refused":
            raise TrainingError(told["reason"])
        if kind == "log":
            logger.log(told["level"], "%s", told["text"])
        if kind == "reached":
            self.reached = Reached(told["step"], told["best_dice"], told["best_step"])
        if kind == "step":
            self.reached = Reached(**told["reached"])
            on_progress(Progress(**told["progress"]), [_sample(sample) for sample in told["samples"]])


def _sample(told: dict[str, Any]) -> Sample:  # Any: JSON
    return Sample(**{**told, "png": base64.b64decode(told["png"])})


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


@contextmanager
def _started(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The processes that torchrun starts; they end with this one, and are gone afterwards."""
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
