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


def test_ctrl_c_ends_every_process_within_seconds(data_dir: Path) -> None:
    with started_demo(data_dir) as demo:
        process_ids = descendants_of(demo.process.pid)
        started = time.monotonic()

        demo.process.send_signal(signal.SIGINT)
        status = demo.process.wait(timeout=60)

        assert status == 0
        assert time.monotonic() - started < 30
        assert len(process_ids) >= 8
        assert living(process_ids) == []
        assert demo.output.read_text().endswith("ended\n")


def test_a_first_start_shows_passwords_once_and_keeps_them_private(data_dir: Path) -> None:
    with started_demo(data_dir) as demo:
        first_output = min(data_dir.parent.glob("output-*"), key=lambda path: path.stat().st_mtime).read_text()
        credentials = json.loads((data_dir / "credentials.json").read_text())

        assert stat.S_IMODE((data_dir / "credentials.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((data_dir / "storage").stat().st_mode) == 0o700
        assert set(credentials) == {"admin", "neurologist", "integrator", "url", "dicom"}
        assert set(credentials["admin"]) == {"username", "password", "token"}
        assert credentials["url"] == f"http://127.0.0.1:{demo.port}"
        assert credentials["neurologist"]["password"] in first_output
        assert credentials["neurologist"]["password"] not in demo.output.read_text()


def test_a_killed_launcher_leaves_no_process_and_the_next_start_finds_everything(data_dir: Path) -> None:
    with started_demo(data_dir) as demo:
        process_ids = descendants_of(demo.process.pid)
        before = json.loads((data_dir / "credentials.json").read_text())

        demo.process.kill()
        demo.process.wait(timeout=60)

        assert wait_until_gone(process_ids, timeout_s=60) == []

    with started_demo(data_dir) as demo:
        after = json.loads((data_dir / "credentials.json").read_text())

        assert {name: after[name] for name in ("admin", "neurologist", "integrator")} == {
            name: before[name] for name in ("admin", "neurologist", "integrator")
        }


def test_a_second_demo_on_the_same_folder_is_refused_with_one_line(data_dir: Path) -> None:
    with started_demo(data_dir) as demo:
        line = refusal_of(command(data_dir, *free_ports()))

        assert line == f"plaqueview: a demo runs on {data_dir} already, as process {demo.process.pid}\n"


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
