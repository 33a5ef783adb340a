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
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import pytest

from plaqueview.launcher.__main__ import main
from plaqueview.launcher.broker import free_port
from plaqueview.launcher.demo import ask_readiness
from tests.house.processes import descendants_of, living, wait_until_gone

pytestmark = pytest.mark.slow

READY_S = 90.0


@dataclass(frozen=True)
class RunningDemo:
    """A demo that answered 200 at /readyz."""

    process: subprocess.Popen[str]
    port: int
    data_dir: Path
    output: Path


class Ports(NamedTuple):
    web: int
    dicom: int


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the starts of this file, as if its synthetic patients had been imported already."""
    folder = tmp_path_factory.mktemp("demo") / "data"
    (folder / "synthetic-patients").mkdir(parents=True)
    (folder / "synthetic-patients" / "imported").touch()
    return folder


def free_ports() -> Ports:
    """The feed takes the port after the web's."""
    while True:
        web, dicom = free_port(), free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", web + 1))
            except OSError:
                continue
        return Ports(web, dicom)


def command(data_dir: Path, ports: Ports) -> list[str]:
    words = ["demo", "--port", str(ports.web), "--dicom-port", str(ports.dicom), "--data-dir", str(data_dir)]
    return [sys.executable, "-m", "plaqueview.launcher", *words, "--no-browser"]


@contextmanager
def running_demo(data_dir: Path) -> Iterator[RunningDemo]:
    """Within, the demo is ready; afterwards it has ended, however the test left it."""
    ports = free_ports()
    output = data_dir.parent / f"output-{ports.web}"
    with output.open("w") as file:
        process = subprocess.Popen(command(data_dir, ports), stdout=file, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until_ready(process, ports.web, output)
        yield RunningDemo(process, ports.web, data_dir, output)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_until_ready(process: subprocess.Popen[str], port: int, output: Path) -> None:
    deadline = time.monotonic() + READY_S
    while ask_readiness(port)[0] != HTTPStatus.OK:
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text() + ask_readiness(port)[1]
        time.sleep(0.1)


def test_ctrl_c_ends_every_process_within_seconds(data_dir: Path) -> None:
    with running_demo(data_dir) as demo:
        process_ids = descendants_of(demo.process.pid)
        started = time.monotonic()

        demo.process.send_signal(signal.SIGINT)
        status = demo.process.wait(timeout=20)

        assert status == 0
        assert time.monotonic() - started < 10
        assert len(process_ids) >= 8
        assert living(process_ids) == []
        assert demo.output.read_text().endswith("ended\n")


def test_a_first_start_shows_passwords_once_and_keeps_them_private(data_dir: Path) -> None:
    with running_demo(data_dir) as demo:
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
    with running_demo(data_dir) as demo:
        process_ids = descendants_of(demo.process.pid)
        before = json.loads((data_dir / "credentials.json").read_text())

        demo.process.kill()
        demo.process.wait(timeout=5)

        assert wait_until_gone(process_ids, timeout_s=10) == []

    with running_demo(data_dir) as demo:
        after = json.loads((data_dir / "credentials.json").read_text())

        assert {name: after[name] for name in ("admin", "neurologist", "integrator")} == {
            name: before[name] for name in ("admin", "neurologist", "integrator")
        }


def test_a_second_demo_on_the_same_folder_is_refused_with_one_line(data_dir: Path) -> None:
    with running_demo(data_dir) as demo:
        second = subprocess.run(
            command(data_dir, free_ports()), capture_output=True, text=True, check=False, timeout=30
        )

        assert second.returncode == 1
        assert second.stderr == f"plaqueview: a demo runs on {data_dir} already, as process {demo.process.pid}\n"


@pytest.mark.parametrize("taken", ["web", "feed", "dicom"])
def test_a_taken_port_is_one_line(tmp_path: Path, taken: str) -> None:
    ports = free_ports()
    number = {"web": ports.web, "feed": ports.web + 1, "dicom": ports.dicom}[taken]
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", number))
        holder.listen()

        refused = subprocess.run(command(tmp_path, ports), capture_output=True, text=True, check=False, timeout=30)

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"plaqueview: port {number} for the ")
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "plaqueview.sqlite3").exists()


def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = shutil._ntuple_diskusage(100 * 1024**3, 100 * 1024**3 - 5, 5)  # type: ignore[attr-defined]  # its class is private
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    ports = free_ports()

    status = main(["demo", "--port", str(ports.web), "--dicom-port", str(ports.dicom), "--data-dir", str(tmp_path)])

    assert status == 1
    assert capsys.readouterr().err == f"plaqueview: the disk of {tmp_path} has 0.0 GiB free, 1.5 GiB are needed\n"


def test_a_study_that_does_not_exist_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ports = free_ports()
    words = ["--port", str(ports.web), "--dicom-port", str(ports.dicom), "--data-dir", str(tmp_path)]

    status = main(["demo", *words, "--study", str(tmp_path / "missing.zip")])

    assert status == 1
    assert capsys.readouterr().err.startswith(f"plaqueview: STUDY={tmp_path}/missing.zip does not exist")
