"""What pytest said of each test of a step, kept as JUnit XML for the summary at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

FOLDER = Path(__file__).parents[1] / "test-results"


@dataclass(frozen=True)
class Results:
    """How many tests of a step passed and were skipped, and on each that failed a line like pytest's own."""

    passed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()


def results_file(step: str) -> Path:
    return FOLDER / f"{step}.xml"


def read_results(file: Path) -> Results:
    """Nothing, when the step left no results."""
    if not file.exists():
        return Results()
    cases = list(ET.parse(file).getroot().iter("testcase"))
    failures = tuple(line for case in cases for line in failures_of(case))
    skipped = sum(case.find("skipped") is not None for case in cases)
    return Results(sum(len(case.findall("*")) == 0 for case in cases), skipped, failures)


def failures_of(case: ET.Element) -> Sequence[str]:
    """A case has two entries when its end failed, too."""
    name = f"{case.get('file')}::{case.get('name')}"
    words = {"failure": "FAILED", "error": "ERROR"}
    return [f"{words[part.tag]} {name} - {first_line_of(part)}" for part in case if part.tag in words]


def first_line_of(part: ET.Element) -> str:
    lines = (part.get("message") or "").splitlines() or [""]
    return lines[0][:160]
