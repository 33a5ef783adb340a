"""deploy/env.example and the settings name the same variables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "platform" / "plaqueview" / "settings"
EXAMPLE = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")


def variables_of_settings() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in SETTINGS.glob("*.py")]
    return [name for text in texts for name in re.findall(r'"(PLAQUEVIEW_\w+)"', text)]


def variables_of_example() -> list[str]:
    return re.findall(r"^#?(PLAQUEVIEW_\w+)=", EXAMPLE, flags=re.MULTILINE)


def test_every_variable_is_read_once() -> None:
    read = variables_of_settings()

    assert sorted(read) == sorted(set(read))


def test_every_variable_stands_in_the_example_once() -> None:
    assert sorted(variables_of_example()) == sorted(variables_of_settings())


def test_a_secret_has_no_value_in_the_example() -> None:
    assert "\nPLAQUEVIEW_SECRET_KEY=\n" in EXAMPLE


def test_only_settings_read_the_environment() -> None:
    package = ROOT / "platform" / "plaqueview"
    # These hand the environment on to processes that they start.
    starters = {*(package / "launcher").rglob("*.py"), package / "studies" / "pixels.py"}
    others = [path for path in (ROOT / "platform").rglob("*.py") if SETTINGS not in path.parents]
    readers = {path for path in others if re.search(r"os\.(environ\b(?!\.setdefault)|getenv)", path.read_text())}

    assert readers - starters == set()
