"""What this process takes of its machine: processor, memory, and the GPU where it computes on one."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from inference_worker.memory import resident_bytes
from inference_worker.prediction import core_count


@dataclass(frozen=True)
class Resources:
    """At one moment. `cores_used` is the mean since the moment before; what the machine does not say is None.

    `memory_peak_bytes` is the most that was resident since the process began; `gpu_memory_bytes` is what torch holds.
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


def together(parts: Sequence[Resources]) -> Resources:
    """What several processes of one machine take; a GPU counts for each that computes on it."""
    gpus = [part for part in parts if part.gpu]
    return Resources(
        cores_used=round(sum(part.cores_used for part in parts), 2),
        cores=parts[0].cores,
        memory_bytes=_sum([part.memory_bytes for part in parts]),
        memory_peak_bytes=sum(part.memory_peak_bytes for part in parts),
        memory_of_machine_bytes=parts[0].memory_of_machine_bytes,
        gpu=f"{len(gpus)} x {gpus[0].gpu}" if gpus else "",
        gpu_memory_bytes=_sum([part.gpu_memory_bytes for part in gpus]) if gpus else None,
        gpu_memory_peak_bytes=_sum([part.gpu_memory_peak_bytes for part in gpus]) if gpus else None,
        gpu_memory_of_device_bytes=_sum([part.gpu_memory_of_device_bytes for part in gpus]) if gpus else None,
    )


def _sum(values: Sequence[int | None]) -> int | None:
    """None where one of them is not known."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


class Meter:
    """Measures from one moment to the next."""

    def __init__(self, device: str) -> None:
        self._device = torch.device(device)
        self._worked_s, self._at_s = time.process_time(), time.monotonic()

    def read(self) -> Resources:
        """Cheap enough for every heartbeat."""
        resident, peak = resident_bytes()
        return Resources(self._cores_used(), core_count(), resident, peak, _memory_of_machine(), *self._gpu())

    def _cores_used(self) -> float:
        worked_s, at_s = time.process_time(), time.monotonic()
        used = (worked_s - self._worked_s) / max(at_s - self._at_s, 1e-3)
        self._worked_s, self._at_s = worked_s, at_s
        return round(used, 2)

    def _gpu(self) -> tuple[str, int | None, int | None, int | None]:
        if self._device.type != "cuda":
            return "", None, None, None
        total = torch.cuda.mem_get_info(self._device)[1]
        held, most = torch.cuda.memory_reserved(self._device), torch.cuda.max_memory_reserved(self._device)
        return torch.cuda.get_device_name(self._device), held, most, total


def _memory_of_machine() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
