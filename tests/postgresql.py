"""A PostgreSQL server of one's own, in a folder that is gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Within, a server runs; gives the URL of an empty database."""
    programs = find_postgresql()
    assert programs is not None, "find_postgresql() was asked first"
    folder = Path(tempfile.mkdtemp(prefix="plaqueview-postgresql-"))
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
    port = free_port()
    cluster = str(folder / "cluster")
    try:
        run(programs / "initdb", "-D", cluster, "-U", "plaqueview", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-p {port} -k {folder} -h 127.0.0.1 {FAST}"
        run(programs / "pg_ctl", "-D", cluster, "-w", "-o", options, "-l", str(folder / "log"), "start")
        run(programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "plaqueview", "plaqueview")
        yield f"postgres://plaqueview@127.0.0.1:{port}/plaqueview"
    finally:
        run(programs / "pg_ctl", "-D", cluster, "-m", "immediate", "stop", is_required=False)
        shutil.rmtree(folder, ignore_errors=True)


def run(program: Path, *words: str, is_required: bool = True) -> None:
    """`program` has run, as the user `postgres` where this process is root."""
    prefix: Sequence[str] = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
    subprocess.run([*prefix, str(program), *words], check=is_required, stdout=subprocess.DEVNULL, cwd="/")
