"""deploy/security.md names tests, settings and decisions that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy" / "security.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists():
    files = set(re.findall(r"`((?:frontend/)?tests/[\w/]+(?:\.test)?\.(?:py|ts))`", TEXT))
    names = set(re.findall(r"`(test_\w+)`", TEXT))
    defined = {
        name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }

    assert len(files) > 15
    assert [name for name in sorted(files) if not (ROOT / name).is_file()] == []
    assert sorted(names - defined) == []


def test_every_setting_and_document_that_is_named_exists():
    settings = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")

    assert [name for name in set(re.findall(r"PLAQUEVIEW_\w+", TEXT)) if f"{name}=" not in settings] == []
    assert [link for link in re.findall(r"\]\((\.\./[^)]+)\)", TEXT) if not (ROOT / "deploy" / link).is_file()] == []


def test_every_chapter_of_the_standard_is_there():
    assert {int(number) for number in re.findall(r"\bV(\d+)\b", TEXT)} == set(range(1, 18))


def test_what_is_open_is_said_first():
    open_rows = re.findall(r"^\| (\d+\.\d+)[^|]*\| open \|", TEXT, flags=re.MULTILINE)
    told = TEXT.split("## V1 ")[0]

    assert [row for row in open_rows if f"{row.split()[0]}" not in told] == []
