"""The steps of `make test`: one table, and how each is run."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.postgresql import find_postgresql, running_postgresql

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
}


class StepSkipped(Exception):  # noqa: N818 (no error: a step that this machine cannot run)
    """This machine lacks what the step needs; the message says what."""


@dataclass(frozen=True)
class Step:
    """A check: what it claims, and a function that says whether the claim holds."""

    name: str
    claim: str
    run: Callable[[], bool]


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


def succeeds(words: Sequence[str | Path], *, folder: Path = ROOT, variables: Mapping[str, str] | None = None) -> bool:
    """The command ended with status 0; its output was shown."""
    environment = dict(os.environ, **(variables or {}))
    return subprocess.run([str(word) for word in words], cwd=folder, env=environment, check=False).returncode == 0


def python(*words: str) -> Callable[[], bool]:
    """A step that runs a module of this environment."""
    return lambda: succeeds([PYTHON, "-m", *words])


def npm(script: str) -> Callable[[], bool]:
    """A step that runs one of the frontend's scripts."""
    return lambda: succeeds(["npm", "run", "--silent", script], folder=FRONTEND)


def check_migrations() -> bool:
    variables = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": os.pathsep.join((str(ROOT), "platform"))}
    return succeeds([PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"], variables=variables)


def run_on_postgresql() -> bool:
    """The tests of the database again, on the database of a department."""
    if find_postgresql() is None:
        raise StepSkipped("no PostgreSQL server on this machine")
    with running_postgresql() as url:
        return succeeds(
            [PYTHON, "-m", "pytest", "-m", "django_db and not slow"], variables={"PLAQUEVIEW_DATABASE_URL": url}
        )


def run_in_browser() -> bool:
    if not is_there("chromium") and sys.platform != "darwin":
        raise StepSkipped("no Chromium on this machine")
    return succeeds([PYTHON, "-m", "pytest", "tests/e2e"])


def install_wheel() -> bool:
    """The wheel, in an environment with nothing but its dependencies, runs its commands."""
    with tempfile.TemporaryDirectory(prefix="plaqueview-wheel-") as name:
        folder = Path(name)
        made = succeeds([PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", folder, ROOT])
        made = made and succeeds([PYTHON, "-m", "venv", folder / "venv"])
        pip = folder / "venv" / "bin" / "pip"
        constraints = ROOT / "deploy" / "constraints.txt"
        made = made and succeeds([pip, "install", "-q", "-c", constraints, *folder.glob("*.whl")])
        return made and commands_run(folder)


def commands_run(folder: Path) -> bool:
    """What `folder/venv` has installed answers, far from the clone."""
    bin_dir = folder / "venv" / "bin"
    commands = (
        [bin_dir / "plaqueview", "--version"],
        [bin_dir / "plaqueview", "manage", "check"],
        [bin_dir / "python", "-m", "inference_worker", "segment", "--help"],
    )
    return all(succeeds(words, folder=folder, variables=installed_environment(folder)) for words in commands)


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


STEPS = (
    Step("ruff", "no lint", python("ruff", "check")),
    Step("format", "formatted", python("ruff", "format", "--check")),
    Step("mypy", "types hold", python("mypy")),
    Step("floors", "an arrow points only down", lambda: succeeds([Path(PYTHON).with_name("lint-imports")])),
    Step("migrations", "tables are as the models say", check_migrations),
    Step("oxlint", "no lint in the frontend", npm("lint")),
    Step("typescript", "the frontend's types hold", npm("typecheck")),
    Step("vitest", "the frontend's units do as they should", npm("test")),
    Step("pytest", "every part does as it should", python("pytest")),
    Step("postgresql", "so it does on PostgreSQL", run_on_postgresql),
    Step("browser", "a reader can do the work in a browser", run_in_browser),
    Step("wheel", "the wheel installs into an empty environment and runs", install_wheel),
)
