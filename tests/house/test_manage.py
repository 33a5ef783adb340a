"""`manage.py` finds the demo beside it, and never mixes it with another environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW = "from django.conf import settings; print(settings.ORIGIN, settings.DEFAULT_SITE_NAME)"


@pytest.fixture
def demo_folder(tmp_path: Path) -> Path:
    """A folder in which a demo has run."""
    (tmp_path / ".demo").mkdir()
    variables = {
        "SECRET_KEY": "0123456789-abcdefghijklmnopqrstuvwxyz=",
        "ORIGIN": "http://127.0.0.1:8765",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/plaqueview.sqlite3",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "STORAGE_DIR": str(tmp_path),
    }
    lines = [f"PLAQUEVIEW_{name}={value}\n" for name, value in variables.items()]
    (tmp_path / ".demo" / "environment").write_text("".join(lines))
    return tmp_path


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PLAQUEVIEW_", "DJANGO_"))}
    words = [sys.executable, str(ROOT / "manage.py"), "shell", "--verbosity", "0", "--command", SHOW]
    return subprocess.run(words, cwd=folder, env=others | variables, capture_output=True, text=True, check=False)


def test_it_runs_in_the_demos_environment(demo_folder: Path) -> None:
    assert run(demo_folder).stdout == "http://127.0.0.1:8765 Demo\n"


def test_it_mixes_no_two_environments(demo_folder: Path) -> None:
    result = run(demo_folder, PLAQUEVIEW_SITE="Neurology")

    assert result.returncode == 1
    assert result.stderr == 'PlaqueView cannot start: Environment variable "PLAQUEVIEW_SECRET_KEY" not set\n'


def test_without_a_demo_it_says_what_is_missing(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert result.returncode == 1
    assert result.stderr == 'PlaqueView cannot start: Environment variable "PLAQUEVIEW_SECRET_KEY" not set\n'
