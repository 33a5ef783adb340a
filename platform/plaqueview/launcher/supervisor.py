"""Starts processes in one group, starts them again when they end, and leaves none behind."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from plaqueview.launcher.errors import LauncherError
from plaqueview.launcher.programs import Program

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
STEADY_S = 20.0  # a program that ran this long has started; its next end is a crash and not a false start
FALSE_STARTS_ALLOWED = 4
PATIENCE_S = 5.0  # from SIGTERM to SIGKILL
LARGEST_LOG_BYTES = 8 * 1024**2


class Supervisor:
    """Every child of the demo; all join the process group `group`. Nobody runs after `stop`."""

    def __init__(self, *, group: int, logs_dir: Path, report: Callable[[str], None]) -> None:
        self._group = group
        self._logs_dir = logs_dir
        self._report = report
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()

    async def run(self, program: Program, environment: Mapping[str, str]) -> None:
        """`program` has ended with status 0. Raises: LauncherError with its last line when it ended otherwise."""
        process = await self._start(program, environment)
        status = await process.wait()
        self._running.pop(program.name, None)
        if status != 0:
            raise LauncherError(f"{program.name} ended with status {status}: {self._last_words(program)}")

    async def keep(self, program: Program, environment: Mapping[str, str]) -> None:
        """`program` runs until `stop`. Raises: LauncherError when it never stays up."""
        false_starts, pause_s = 0, FIRST_PAUSE_S
        while not self._stopping.is_set():
            started = time.monotonic()
            process = await self._start(program, environment)
            status = await process.wait()
            if self._stopping.is_set():
                return
            is_steady = time.monotonic() - started > STEADY_S
            false_starts = 0 if is_steady else false_starts + 1
            pause_s = FIRST_PAUSE_S if is_steady else min(2 * pause_s, LONGEST_PAUSE_S)
            if false_starts > FALSE_STARTS_ALLOWED:
                raise LauncherError(f"{program.name} does not stay up: {self._last_words(program)}")
            self._report(f"{program.name} ended with status {status}; it starts again in {pause_s:g} s")
            await asyncio.sleep(pause_s)

    async def stop(self) -> None:
        """No child runs: SIGTERM to all, then to the broker, which the others need to say good-bye."""
        self._stopping.set()
        broker = self._running.pop("broker", None)
        await _end(self._running.values())
        if broker is not None:
            await _end([broker])

    async def _start(self, program: Program, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
        with self._log(program) as log:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=self._group,
                umask=0o077,  # whatever it writes is its owner's alone
            )
        self._running[program.name] = process
        return process

    def _log(self, program: Program) -> IO[bytes]:
        path = self._logs_dir / f"{program.name}.log"
        if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")

    def _last_words(self, program: Program) -> str:
        path = self._logs_dir / f"{program.name}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
        return f"{lines[-1].strip()} ({path})"


async def _end(processes: Iterable[asyncio.subprocess.Process]) -> None:
    """Each process has ended, killed when it did not within `PATIENCE_S` of SIGTERM."""
    living = [process for process in processes if process.returncode is None]
    for process in living:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    try:
        await asyncio.wait_for(asyncio.gather(*(process.wait() for process in living)), PATIENCE_S)
    except TimeoutError:
        for process in living:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*(process.wait() for process in living))
