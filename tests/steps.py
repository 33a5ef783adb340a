"""The steps of `make test`: one table, and how each is run."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.postgresql import find_postgresql, running_postgresql
from tests.results import results_file

ROOT = Path(__file__).parents[1]
FRONTEND = ROOT / "frontend"
PYTHON = sys.executable

# Debian package -> a file or a program that shows it is there.
PROGRAMS = {
    "chromium": "chromium",
    "redis-server": "redis-server",
    "postgresql": "/usr/lib/postgresql/*/bin/initdb",
    "dcmtk": "storescu",
    "dicom3tools": "dciodvfy",
    "orthanc": "Orthanc",
    "orthanc-dicomweb": "/usr/share/orthanc/plugins/libOrthancDicomWeb.so*",
    "nginx-light": "/usr/sbin/nginx",
}


class StepSkipped(Exception):  # noqa: N818 (no error: a step that this machine cannot run)
    """This machine lacks what the step needs; the message says what."""


# Says whether a claim holds; commands write into the file given.
Check = Callable[[IO[str]], bool]


@dataclass(frozen=True)
class Step:
    """A check: what it claims, and a function that says whether the claim holds."""

    name: str
    claim: str
    run: Check


def install_missing_programs() -> None:
    """As root on Debian, what tests of other programs need is there; elsewhere, what is missing is said."""
    missing = [package for package, sign in PROGRAMS.items() if not is_there(sign)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {', '.join(missing)}", flush=True)
        # RUNLEVEL: the packages' own services stay off; tests start private ones.
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
        for words in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *missing]):
            subprocess.run(["apt-get", *words], env=quiet, stdout=subprocess.DEVNULL, check=False)
        missing = [package for package, sign in PROGRAMS.items() if not is_there(sign)]
    if missing:
        print(f"not on this machine, so tests that need them are skipped: {', '.join(missing)}", flush=True)


def is_there(sign: str) -> bool:
    """A program of this name is on the path, or a file of this pattern exists."""
    return any(Path("/").glob(sign.lstrip("/"))) if "/" in sign else shutil.which(sign) is not None


def succeeds(
    words: Sequence[str | Path], log: IO[str], *, folder: Path = ROOT, variables: Mapping[str, str] | None = None
) -> bool:
    """The command ended with status 0; what it said is in `log`."""
    environment = dict(os.environ, **(variables or {}))
    command = [str(word) for word in words]
    ended = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    return ended.returncode == 0


def python(*words: str) -> Check:
    """A step that runs a module of this environment."""
    return lambda log: succeeds([PYTHON, "-m", *words], log)


def npm(script: str) -> Check:
    """A step that runs one of the frontend's scripts."""
    return lambda log: succeeds(["npm", "run", "--silent", script], log, folder=FRONTEND)


def check_floors(log: IO[str]) -> bool:
    return succeeds([Path(PYTHON).with_name("lint-imports")], log)


def check_migrations(log: IO[str]) -> bool:
    variables = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": os.pathsep.join((str(ROOT), "platform"))}
    return succeeds([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], log, variables=variables)


# One more than cores, since tests wait for other processes, too; each has a broker and a database. A browser and a
# network run beside them.
PROCESSES = min(3, (os.cpu_count() or 1) + 1)
# More threads than cores wait for each other in circles.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
# In a step of their own: every process of tests reads every file of theirs, and these load torch.
OF_NETWORKS = ("tests/worker", "tests/training/test_worker.py")


def in_parallel(processes: int) -> tuple[str, ...]:
    """The tests of a file stay together, and the files in their order: `conftest` puts the slow ones first."""
    return ("-n", str(processes), "--dist", "loadfile", "--no-loadscope-reorder")


def but_for(*paths: str) -> Sequence[str]:
    return [f"--ignore={path}" for path in paths]


def pytest(step: str, *words: str) -> Sequence[str | Path]:
    """The command that runs tests and keeps what became of each."""
    results_file(step).unlink(missing_ok=True)
    kept = ("-o", "junit_family=xunit1", "--junitxml", results_file(step))
    return [PYTHON, "-m", "pytest", *kept, *words]


def run_on_sqlite(log: IO[str]) -> bool:
    command = pytest("pytest", *in_parallel(PROCESSES), *but_for(*OF_NETWORKS))
    return succeeds(command, log, variables=ONE_THREAD)


def run_networks(log: IO[str]) -> bool:
    return succeeds(pytest("network", *OF_NETWORKS), log, variables=ONE_THREAD)


def run_on_postgresql(log: IO[str]) -> bool:
    """The tests of the database again, on the database of a department."""
    if find_postgresql() is None:
        raise StepSkipped("no PostgreSQL server on this machine")
    marked = ("-m", "django_db and not slow")
    command = pytest("postgresql", *in_parallel(PROCESSES), *marked, *but_for(*OF_NETWORKS))
    with running_postgresql() as url:
        return succeeds(command, log, variables=ONE_THREAD | {"PLAQUEVIEW_DATABASE_URL": url})


def run_in_browser(log: IO[str]) -> bool:
    if not is_there("chromium") and sys.platform != "darwin":
        raise StepSkipped("no Chromium on this machine")
    return succeeds(pytest("browser", "tests/e2e"), log)


def install_wheel(log: IO[str]) -> bool:
    """The wheel, in an environment with nothing but its dependencies, runs its commands."""
    with tempfile.TemporaryDirectory(prefix="plaqueview-wheel-") as name:
        folder = Path(name)
        made = succeeds([PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder, ROOT], log)
        made = made and succeeds([PYTHON, "-m", "venv", folder / "venv"], log)
        pip = folder / "venv" / "bin" / "pip"
        # As the image does: every package is the one whose hash stands in the lock file.
        quiet = ("install", "-q", "--no-compile")
        made = made and succeeds([pip, *quiet, "--require-hashes", "-r", ROOT / "deploy" / "locked.txt"], log)
        made = made and succeeds([pip, *quiet, "--no-deps", *folder.glob("*.whl")], log)
        return made and succeeds([pip, "check"], log) and commands_run(folder, log)


def commands_run(folder: Path, log: IO[str]) -> bool:
    """What `folder/venv` has installed answers, far from the clone."""
    bin_dir = folder / "venv" / "bin"
    commands = (
        [bin_dir / "plaqueview", "--version"],
        [bin_dir / "plaqueview", "manage", "check"],
        [bin_dir / "python", "-m", "inference_worker", "segment", "--help"],
    )
    return all(succeeds(words, log, folder=folder, variables=installed_environment(folder)) for words in commands)


def installed_environment(folder: Path) -> dict[str, str]:
    """The least that settings need."""
    return {
        "DJANGO_SETTINGS_MODULE": "plaqueview.settings",
        "PLAQUEVIEW_SECRET_KEY": "only-for-this-check-0123456789-abcdefghij",
        "PLAQUEVIEW_ORIGIN": "http://127.0.0.1:8000",
        "PLAQUEVIEW_ALLOWED_HOSTS": "127.0.0.1",
        "PLAQUEVIEW_DATABASE_URL": f"sqlite:///{folder}/plaqueview.sqlite3",
        "PLAQUEVIEW_REDIS_URL": "redis://127.0.0.1:6379/0",
        "PLAQUEVIEW_STORAGE_DIR": str(folder),
    }


BROWSER = Step("browser", "a reader can do the work in a browser", run_in_browser)
PYTEST = Step("pytest", "every part does as it should", run_on_sqlite)
POSTGRESQL = Step("postgresql", "so it does on PostgreSQL", run_on_postgresql)
NETWORK = Step("network", "networks learn, are measured and exported", run_networks)
TESTS = (BROWSER, PYTEST, POSTGRESQL, NETWORK)

# One after the other, shown as they come.
SHOWN = (BROWSER, PYTEST)

# Beside them and beside each other: rows of steps, one after the other, whose output is shown when they fail. A browser
# waits much, which leaves most of the cores to these. PostgreSQL's tests let the types be checked first: meanwhile the
# browser's department starts for the first time, which has a limit of its own.
BESIDE = (
    (
        Step("ruff", "no lint", python("ruff", "check")),
        Step("format", "formatted", python("ruff", "format", "--check")),
        Step("floors", "an arrow points only down", check_floors),
        Step("migrations", "tables are as the models say", check_migrations),
        Step("mypy", "types hold", python("mypy", "--cache-dir", os.devnull)),  # to write a cache takes a third more
        POSTGRESQL,
    ),
    (
        Step("oxlint", "no lint in the frontend", npm("lint")),
        Step("typescript", "the frontend's types hold", npm("typecheck")),
        Step("vitest", "the frontend's units do as they should", npm("test")),
        Step("wheel", "the wheel installs into an empty environment and runs", install_wheel),
        NETWORK,
    ),
)
