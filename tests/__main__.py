"""Every check, and what became of each: `python -m tests [STEP or GROUP]…`.

Runs in the environment that deploy/bootstrap.py made. Steps whose program this machine lacks are skipped, and say so.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO

from tests.results import Results, read_results, results_file
from tests.steps import BESIDE, SHOWN, TESTS, Step, StepSkipped, install_missing_programs

STEPS = (*(step for steps in BESIDE for step in steps), *SHOWN)
GROUPS = {"lint": ("ruff", "format", "mypy", "floors")}
LINES_OF_A_FAILURE = 20


@dataclass(frozen=True)
class Outcome:
    """What became of one step; `note` says why it was skipped, `said` is all that was not shown."""

    step: Step
    result: str
    seconds: float
    note: str = ""
    said: str = ""


def main() -> int:
    """0 when no step failed."""
    names = chosen_names()
    # Who asks for one step alone watches it.
    watched = names if len(names) == 1 else names & {step.name for step in SHOWN}
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=1 + len(BESIDE)) as threads:
        programs = threads.submit(provide_programs, names)
        beside = [threads.submit(run_all, chosen(steps, names - watched), run_beside, programs) for steps in BESIDE]
        shown = run_all(chosen(STEPS, watched), run_shown, programs)
        outcomes = [*shown, *(outcome for each in beside for outcome in each.result())]
    print_summary(outcomes, time.monotonic() - started)
    return 1 if any(outcome.result == "failed" for outcome in outcomes) else 0


def chosen_names() -> set[str]:
    """Those on the command line; all when none is there."""
    parser = argparse.ArgumentParser(prog="python -m tests", description=__doc__)
    names = [step.name for step in STEPS]
    parser.add_argument("steps", nargs="*", choices=[*names, *GROUPS, []], metavar="STEP", help=", ".join(names))
    words = parser.parse_args().steps
    return {name for word in words for name in GROUPS.get(word, (word,))} or set(names)


def chosen(steps: Sequence[Step], names: set[str]) -> Sequence[Step]:
    return [step for step in steps if step.name in names]


def provide_programs(names: set[str]) -> None:
    """Who asks for some of the steps has what they need."""
    if len(names) == len(STEPS):
        install_missing_programs()


def run_all(steps: Sequence[Step], run: Callable[[Step], Outcome], programs: Future[None]) -> Sequence[Outcome]:
    """One after the other; only tests wait for `programs` of other makers."""
    outcomes = []
    for step in steps:
        if step in TESTS:
            programs.result()
        outcomes.append(run(step))
    return outcomes


def run_shown(step: Step) -> Outcome:
    """`step` has run, with its output shown as it comes."""
    print(f"\n=== {step.name}: {step.claim}", flush=True)
    outcome = run(step, sys.stdout)
    print(f"=== {line_of(outcome)}", flush=True)
    return outcome


def run_beside(step: Step) -> Outcome:
    """`step` has run, with its output shown when it failed."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        outcome = run(step, log)
        log.seek(0)
        said = log.read()
    shown = f"\n{said}" if outcome.result == "failed" else ""
    print(f"\n=== {line_of(outcome)}: {step.claim}{shown}", flush=True)
    return Outcome(step, outcome.result, outcome.seconds, outcome.note, said)


def run(step: Step, log: IO[str]) -> Outcome:
    started = time.monotonic()
    try:
        result, note = "passed" if step.run(log) else "failed", ""
    except StepSkipped as reason:
        result, note = "skipped", str(reason)
    return Outcome(step, result, time.monotonic() - started, note)


def line_of(outcome: Outcome) -> str:
    return f"{outcome.step.name:<12} {outcome.result:<8} {outcome.seconds:7.1f} s  {outcome.note}".rstrip()


def print_summary(outcomes: Sequence[Outcome], seconds: float) -> None:
    """A line per step, what failed in those that did, and last the counts as pytest has them."""
    print("\n=== summary")
    for outcome in outcomes:
        print(line_of(outcome))
    tests = [outcome.step.name for outcome in outcomes if outcome.step in TESTS]
    results = {name: read_results(results_file(name)) for name in tests}
    for outcome in outcomes:
        if outcome.result == "failed":
            print_failure(outcome, results.get(outcome.step.name, Results()))
    steps = [outcome.result for outcome in outcomes]
    print("\nsteps: " + ", ".join(f"{steps.count(result)} {result}" for result in ("passed", "failed", "skipped")))
    print_counts(list(results.values()), seconds)


def print_failure(outcome: Outcome, results: Results) -> None:
    """The tests that failed; where there are none, the last that was said."""
    print(f"\n=== {outcome.step.name} failed")
    lines = results.failures or outcome.said.rstrip().splitlines()[-LINES_OF_A_FAILURE:]
    print("\n".join(lines) or "it ended before it said what became of a test; see above")


def print_counts(results: Sequence[Results], seconds: float) -> None:
    """As pytest's own last line."""
    if not results:
        return
    counts = {
        "failed": sum(len(each.failures) for each in results),
        "passed": sum(each.passed for each in results),
        "skipped": sum(each.skipped for each in results),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    print(f"===== {told or 'no tests ran'} in {seconds:.2f}s =====", flush=True)


if __name__ == "__main__":
    sys.exit(main())
