"""`plaqueview demo` as a user meets it: a process, its ports, its folder, and what it leaves behind."""

import json
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plaqueview.launcher.__main__ import main
from tests.house.processes import descendants_of, living, wait_until_gone
from tests.running_demo import free_ports, wait_until_ready

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class StartedDemo:
    """A demo that has told its user that it is ready."""

    process: subprocess.Popen[bytes]
    port: int
    output: Path


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the starts of this file, as if its synthetic patients had been imported already."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    (folder / "synthetic-patients").mkdir(parents=True)
    (folder / "synthetic-patients" / "imported").touch()
    return folder


def command(data_dir: Path, port: int, dicom_port: int) -> list[str]:
    words = ["demo", "--port", str(port), "--dicom-port", str(dicom_port), "--data-dir", str(data_dir)]
    return [sys.executable, "-m", "plaqueview.launcher", *words, "--no-browser"]


@contextmanager
def started_demo(data_dir: Path) -> Iterator[StartedDemo]:
    """Within, the demo is ready; afterwards it has ended, however the test left it."""
    port, dicom_port = free_ports()
    output = data_dir.parent / f"output-{time.monotonic_ns()}"
    with output.open("w") as file:
        process = subprocess.Popen(command(data_dir, port, dicom_port), stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process)
        wait_until_said(output, "Ctrl-C ends it.")
        yield StartedDemo(process, port, output)
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_until_said(output: Path, words: str) -> None:
    """The demo has printed `words`, which it does a moment after `/readyz` answers others."""
    deadline = time.monotonic() + 60
    while words not in output.read_text():
        assert time.monotonic() < deadline, f"{words!r} is not in {output.read_text()!r}"
        time.sleep(0.05)


def refusal_of(words: list[str]) -> str:
    """What a demo that does not start says on standard error."""
    refused = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)

    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    return refused.stderr


@pytest.fixture(scope="module")
def first(data_dir: Path) -> Iterator[StartedDemo]:
    """The first start on the folder; the tests of it stand in the order in which a user would meet them."""
    with started_demo(data_dir) as demo:
        yield demo


@pytest.fixture(scope="module")
def left_by_a_kill(first: StartedDemo) -> list[int]:
    """The processes of the first start that outlived its launcher by a minute."""
    process_ids = descendants_of(first.process.pid)
    first.process.kill()
    first.process.wait(timeout=60)
    return wait_until_gone(process_ids, timeout_s=60)


def credentials_in(data_dir: Path) -> dict[str, Any]:
    return json.loads((data_dir / "credentials.json").read_text())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_first_start_shows_passwords_and_keeps_them_private(data_dir: Path, first: StartedDemo) -> None:
    credentials = credentials_in(data_dir)

    assert (mode_of(data_dir / "credentials.json"), mode_of(data_dir / "storage")) == (0o600, 0o700)
    assert set(credentials) == {"admin", "neurologist", "integrator", "url", "dicom"}
    assert set(credentials["admin"]) == {"username", "password", "token"}
    assert credentials["url"] == f"http://127.0.0.1:{first.port}"
    assert credentials["neurologist"]["password"] in first.output.read_text()


def test_a_second_demo_on_the_same_folder_is_refused_with_one_line(data_dir: Path, first: StartedDemo) -> None:
    line = refusal_of(command(data_dir, *free_ports()))

    assert line == f"plaqueview: a demo runs on {data_dir} already, as process {first.process.pid}\n"


def test_a_killed_launcher_leaves_no_process(left_by_a_kill: list[int]) -> None:
    assert left_by_a_kill == []


def test_the_next_start_finds_everything_and_ctrl_c_ends_it_within_seconds(
    data_dir: Path, left_by_a_kill: list[int]
) -> None:
    before = credentials_in(data_dir)
    with started_demo(data_dir) as demo:
        after = credentials_in(data_dir)
        told = demo.output.read_text()
        process_ids = descendants_of(demo.process.pid)
        interrupted = time.monotonic()

        demo.process.send_signal(signal.SIGINT)
        status = demo.process.wait(timeout=60)

        assert (status, time.monotonic() - interrupted < 30, living(process_ids)) == (0, True, [])
        assert len(process_ids) >= 8
        assert demo.output.read_text().endswith("ended\n")
    people = ("admin", "neurologist", "integrator")
    assert [after[name] for name in people] == [before[name] for name in people]
    assert before["neurologist"]["password"] not in told


@pytest.mark.parametrize("taken", ["web", "feed", "dicom"])
def test_a_taken_port_is_one_line(tmp_path: Path, taken: str) -> None:
    port, dicom_port = free_ports()
    number = {"web": port, "feed": port + 1, "dicom": dicom_port}[taken]
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", number))
        holder.listen()

        line = refusal_of(command(tmp_path, port, dicom_port))

    assert line.startswith(f"plaqueview: port {number} for the ")
    assert not (tmp_path / "plaqueview.sqlite3").exists()


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = shutil._ntuple_diskusage(100 * 1024**3, 100 * 1024**3 - 5, 5)  # type: ignore[attr-defined]  # its class is private
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    status = main(command(tmp_path, *free_ports())[3:])

    assert status == 1
    assert capsys.readouterr().err == f"plaqueview: the disk of {tmp_path} has 0.0 GiB free, 1.5 GiB are needed\n"


def test_a_study_that_does_not_exist_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = command(tmp_path, *free_ports())[3:]

    status = main([*words, "--study", str(tmp_path / "missing.zip")])

    assert status == 1
    assert capsys.readouterr().err.startswith(f"plaqueview: STUDY={tmp_path}/missing.zip does not exist")
