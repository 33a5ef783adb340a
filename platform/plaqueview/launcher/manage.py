"""Django's management commands, also beside a running demo."""

import os
from collections.abc import Sequence
from pathlib import Path

from django.core.management import execute_from_command_line

DEMO_ENVIRONMENT = Path(".demo") / "environment"


def run_management_command(program: str, words: Sequence[str]) -> int:
    """Runs `manage.py WORDS`; where no variable of ours is set, in the environment of the demo in this folder."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")
    if not any(name.startswith("PLAQUEVIEW_") for name in os.environ) and DEMO_ENVIRONMENT.is_file():
        adopt_environment(DEMO_ENVIRONMENT)
    execute_from_command_line([program, *words])
    return 0


def adopt_environment(path: Path) -> None:
    """The variables of `path`, lines of NAME=value as the demo writes them, are in this process's environment."""
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)
