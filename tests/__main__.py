"""Every check, one after the other, and what became of each: `python -m tests [STEP or GROUP]…`.

Runs in the environment that deploy/bootstrap.py made. Steps whose program this machine lacks are skipped, and say so.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.steps import STEPS, Step, StepSkipped, install_missing_programs

GROUPS = {"lint": ("ruff", "format", "mypy", "floors")}


@dataclass(frozen=True)
class Outcome:
    """What became of one step; `note` says why it was skipped."""

    step: Step
    result: str
    seconds: float
    note: str = ""


def main() -> int:
    """0 when no step failed."""
    steps = chosen_steps()
    if len(steps) == len(STEPS):
        install_missing_programs()
    outcomes = [run(step) for step in steps]
    print_summary(outcomes)
    return 1 if any(outcome.result == "failed" for outcome in outcomes) else 0


def chosen_steps() -> Sequence[Step]:
    """Those named on the command line, in the order of the table; all when none is named."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    names = [step.name for step in STEPS]
    parser.add_argument("steps", nargs="*", choices=[*names, *GROUPS, []], metavar="STEP", help=", ".join(names))
    chosen = {name for word in parser.parse_args().steps for name in GROUPS.get(word, (word,))}
    return [step for step in STEPS if not chosen or step.name in chosen]


def run(step: Step) -> Outcome:
    """`step` has run, with its output shown as it comes."""
    print(f"\n=== {step.name}: {step.claim}", flush=True)
    started = time.monotonic()
    try:
        result, note = "passed" if step.run() else "failed", ""
    except StepSkipped as reason:
        result, note = "skipped", str(reason)
        print(f"skipped: {reason}", flush=True)
    return Outcome(step, result, time.monotonic() - started, note)


def print_summary(outcomes: Sequence[Outcome]) -> None:
    """A line per step, then how many passed, failed and were skipped."""
    print("\n=== summary")
    for outcome in outcomes:
        line = f"{outcome.step.name:<12} {outcome.result:<8} {outcome.seconds:7.1f} s  {outcome.note}"
        print(line.rstrip())
    results = [outcome.result for outcome in outcomes]
    counts = ", ".join(f"{results.count(result)} {result}" for result in ("passed", "failed", "skipped"))
    print(f"\nsteps: {counts}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
