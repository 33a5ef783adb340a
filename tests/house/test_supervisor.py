"""Processes start, start again, and end with whoever started them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plaqueview.launcher import supervisor as supervisor_module
from plaqueview.launcher.errors import LauncherError
from plaqueview.launcher.guard import GRACE_S
from plaqueview.launcher.process_group import guarded_group
from plaqueview.launcher.programs import Program
from plaqueview.launcher.supervisor import Supervisor
from tests.house.processes import living, wait_until_gone

# Starts a child that ignores SIGTERM and has a child of its own, says their ids, and waits to be killed.
PARENT = """
import subprocess, sys, time
from plaqueview.launcher.process_group import guarded_group
with guarded_group() as group:
    stubborn = ["sh", "-c", "trap '' TERM; sleep 300 & echo $! $$; wait; sleep 300"]
    child = subprocess.Popen(stubborn, process_group=group, stdout=subprocess.PIPE, text=True)
    print(group, child.stdout.readline(), flush=True)
    time.sleep(300)
"""


def python(code: str, *, name: str = "program") -> Program:
    return Program(name, (sys.executable, "-c", code))


def test_a_killed_launcher_leaves_no_process() -> None:
    launcher = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert launcher.stdout is not None
    process_ids = [int(word) for word in launcher.stdout.readline().split()]

    launcher.kill()
    launcher.wait()

    assert len(process_ids) == 3
    assert wait_until_gone(process_ids, timeout_s=GRACE_S + 60) == []
    launcher.stdout.close()


def test_a_group_is_empty_when_it_is_left() -> None:
    with guarded_group() as group:
        child = subprocess.Popen(["sleep", "300"], process_group=group)

    assert child.wait(timeout=60) == -signal.SIGKILL
    assert living([group]) == []


def test_a_program_that_ended_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_S", 0.01)
    lines: list[str] = []

    async def crash_twice(supervisor: Supervisor) -> None:
        code = f"import pathlib; p = pathlib.Path({str(tmp_path / 'starts')!r}); p.open('a').write('x'); "
        code += "import time; time.sleep(300) if len(p.read_text()) > 2 else exit(7)"
        keeping = asyncio.create_task(supervisor.keep(python(code), os.environ))
        while len(lines) < 2:
            await asyncio.sleep(0.02)
        keeping.cancel()
        await supervisor.stop()

    with guarded_group() as group:
        asyncio.run(crash_twice(Supervisor(group=group, logs_dir=tmp_path, report=lines.append)))

    assert [line.partition(";")[0] for line in lines] == ["program ended with status 7"] * 2


def test_a_program_that_never_stays_up_ends_the_demo_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_S", 0.001)
    unlucky = python("print('hello', flush=True); raise SystemExit('out of luck')")

    with guarded_group() as group:
        supervisor = Supervisor(group=group, logs_dir=tmp_path, report=lambda _: None)
        with pytest.raises(LauncherError, match=r"program does not stay up: out of luck \(/.*log\)"):
            asyncio.run(supervisor.keep(unlucky, os.environ))


def test_a_step_that_fails_says_why(tmp_path: Path) -> None:
    failing = python("print('no such table', flush=True); exit(3)")

    with guarded_group() as group:
        supervisor = Supervisor(group=group, logs_dir=tmp_path, report=lambda _: None)
        with pytest.raises(LauncherError, match="program ended with status 3: no such table"):
            asyncio.run(supervisor.run(failing, os.environ))


def test_a_program_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor_module, "PATIENCE_S", 0.2)
    log = tmp_path / "program.log"

    async def start_and_stop(supervisor: Supervisor) -> None:
        code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"
        keeping = asyncio.create_task(supervisor.keep(python(code), os.environ))
        while not log.exists() or "deaf" not in log.read_text():
            await asyncio.sleep(0.02)
        await supervisor.stop()
        await keeping

    started = time.monotonic()
    with guarded_group() as group:
        asyncio.run(start_and_stop(Supervisor(group=group, logs_dir=tmp_path, report=lambda _: None)))

    assert time.monotonic() - started < 60
