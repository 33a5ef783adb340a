"""Drills: `python -m tests.drills [NAME]…` strikes a running department and says what became of it.

A department as `deploy/compose.yaml` describes it runs on this machine, with modalities that send and readers who read.
Each drill prints one JSON object a line; the status is 1 when something was lost, doubled or damaged, or did not come
back. `--table FILE` writes them as Markdown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.drills.department import ROOT, Department, python_path, running_department, wait_until

if TYPE_CHECKING:  # it needs Django, which is set up once the department is there
    from tests.drills.traffic import Told

SETTLE_TIMEOUT_S = 600.0
WARM_UP_S = 10.0
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
HEADS = {
    "drill": "what was done",
    "ready_s": "ready, s",
    "next_study_s": "next study, s",
    "requests": "reads",
    "failures": "failed",
    "accepted": "accepted",
    "lost": "lost",
    "doubled": "doubled",
    "damaged": "damaged",
    "outcome": "outcome",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drills", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="drills to do (all)")
    parser.add_argument("--table", type=Path, metavar="FILE", help="Markdown to write")
    parser.add_argument(
        "--from", dest="commit", metavar="COMMIT", help="an older version, and only its upgrade to this"
    )
    arguments = parser.parse_args()
    names = ("versions",) if arguments.commit else arguments.names
    with tempfile.TemporaryDirectory(prefix="plaqueview-drills-") as name:
        source = checked_out(arguments.commit, Path(name, "older")) if arguments.commit else ROOT
        with running_department(Path(name), source) as place:
            speak_to(place)
            lines = list(struck(place, names))
    if arguments.table:
        arguments.table.write_text(markdown(lines))
    return 0 if all(line["outcome"] == "sound" for line in lines) else 1


def checked_out(commit: str, folder: Path) -> Path:
    """The folder holds that version."""
    folder.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], check=True, input=archive)
    return folder


def speak_to(department: Department) -> None:
    """Django in this process looks into the department's own tables and files."""
    os.environ.update({**department.environment, "PYTHONPATH": python_path(ROOT)})
    import django

    django.setup()


def struck(department: Department, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:  # Any: JSON
    """One line for each drill, printed as it is there."""
    from tests.drills.table import DRILLS

    for name in names or (name for name in DRILLS if name != "versions"):
        line = strike(department, name)
        print(json.dumps(line), flush=True)
        yield line


def strike(department: Department, name: str) -> Mapping[str, Any]:  # Any: JSON
    from tests.drills.findings import are_settled, find
    from tests.drills.table import DRILLS, send_and_read
    from tests.drills.traffic import traffic

    drill, outcome, seconds = DRILLS[name], "", {}
    try:
        with drill.place(department) as place, traffic(place, drill.load) as told:
            time.sleep(WARM_UP_S)
            with timed(seconds, "ready_s"):
                drill.strike(place, told)
            with timed(seconds, "next_study_s"):
                send_and_read(place, told)
        wait_until(lambda: are_settled(told), what="every accepted study to be read", timeout_s=SETTLE_TIMEOUT_S)
    except (AssertionError, TimeoutError) as error:
        outcome = str(error)
    found = find(told)
    return {
        "drill": drill.what,
        "ready_s": seconds.get("ready_s"),
        "next_study_s": seconds.get("next_study_s"),
        "requests": told.requests,
        "failures": told.failures,
        **{name: getattr(found, name) for name in ("accepted", "lost", "doubled", "damaged", "jobs", "audit_problems")},
        **figures(told),
        "outcome": outcome or ("sound" if found.is_sound else "not sound"),
    }


def figures(told: "Told") -> Mapping[str, Any]:  # Any: JSON
    """What the table has no column for."""
    return {
        "refusals": told.refusals,
        "reasons": told.reasons,
        "latency_ms": {kind: percentiles(seconds) for kind, seconds in sorted(told.latencies_s.items())},
        "feed_gap_s": [round(max(told.gaps_s), 1), len(told.gaps_s)] if told.gaps_s else None,
        "notes": told.notes,
        "load": os.getloadavg()[0],
    }


def percentiles(seconds: Sequence[float]) -> Mapping[str, float]:
    """In milliseconds."""
    ordered = sorted(seconds)
    at = {name: ordered[int(share * (len(ordered) - 1))] for name, share in SHARES.items()}
    return {"n": len(ordered), **{name: round(value * 1000, 1) for name, value in at.items()}}


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[name] = round(time.monotonic() - started, 1)


def markdown(lines: Sequence[Mapping[str, Any]]) -> str:  # Any: JSON
    head = f"| {' | '.join(HEADS.values())} |\n|{'---|' * len(HEADS)}\n"
    return head + "".join(f"| {' | '.join(str(line[name]) for name in HEADS)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
