"""A PostgreSQL server of one's own, in a folder that is gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plaqueview.launcher.broker import free_port

# Nothing of it has to survive a crash.
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


def find_postgresql() -> Path | None:
    """The folder of PostgreSQL's server programs; None when there is none."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    found = installed[-1] if installed else Path(on_path) if on_path else None
    return found.parent if found else None


@dataclass(frozen=True)
class Cluster:
    """The files of a server in `folder`, which may be started and ended again and again."""

    programs: Path
    folder: Path
    port: int
    options: str = ""

    @property
    def url(self) -> str:
        return f"postgres://plaqueview@127.0.0.1:{self.port}/plaqueview"

    def make(self) -> None:
        """The files are there, and in them an empty database."""
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres", "postgres")
        run(
            self.programs / "initdb",
            "-D",
            self._data,
            "-U",
            "plaqueview",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-sync",
        )
        self.start()
        run(self.programs / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "plaqueview", "plaqueview")

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 {self.options}"
        log = str(self.folder / "log")
        run(self.programs / "pg_ctl", "-D", self._data, "-w", "-o", options, "-l", log, "start")

    def stop(self, *, is_required: bool = True) -> None:
        """At once, as when its machine is cut off: nobody is waited for."""
        run(self.programs / "pg_ctl", "-D", self._data, "-m", "immediate", "stop", is_required=is_required)

    @property
    def process_id(self) -> int:
        return int((Path(self._data) / "postmaster.pid").read_text().splitlines()[0])

    @property
    def _data(self) -> str:
        return str(self.folder / "cluster")


@contextmanager
def running_postgresql(options: str = FAST) -> Iterator[str]:
    """Within, a server runs; gives the URL of an empty database."""
    with running_cluster(options) as cluster:
        yield cluster.url


@contextmanager
def running_cluster(options: str) -> Iterator[Cluster]:
    """Within, a server runs; its files are gone afterwards."""
    programs = find_postgresql()
    assert programs is not None, "find_postgresql() was asked first"
    folder = Path(tempfile.mkdtemp(prefix="plaqueview-postgresql-"))
    cluster = Cluster(programs, folder, free_port(), options)
    try:
        cluster.make()
        yield cluster
    finally:
        cluster.stop(is_required=False)
        shutil.rmtree(folder, ignore_errors=True)


def run(program: Path, *words: str, is_required: bool = True) -> None:
    """`program` has run, as the user `postgres` where this process is root."""
    prefix: Sequence[str] = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    subprocess.run([*prefix, str(program), *words], check=is_required, stdout=subprocess.DEVNULL, cwd="/")
