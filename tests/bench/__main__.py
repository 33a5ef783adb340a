"""Benchmarks: `python -m tests.bench [NAME]…` prints one JSON object a line for those whose name begins so.

A benchmark is a module of this folder, named as its lines begin, with `run()`, which yields a dict per line: name,
value, unit, peer, peer_value, ratio (over 1: ours is better), goal and n. Values are medians of runs interleaved with
the peer's.
"""

import argparse
import importlib
import json
import pkgutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

KEYS = {"name", "value", "unit", "peer", "peer_value", "ratio", "goal", "n"}


def main() -> int:
    """0 when every benchmark asked for gave its lines, 1 when one failed, 2 when none has the name."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="the beginning of a benchmark's name")
    asked: Sequence[str] = parser.parse_args().names or [""]
    modules = [name for name in benchmark_names() if any(may_yield(name, beginning) for beginning in asked)]
    if not modules:
        known = ", ".join(benchmark_names()) or "none"
        print(f"no benchmark begins with {' or '.join(asked)}; known: {known}", file=sys.stderr)
        return 2
    outcomes = [prints_lines(name, asked) for name in modules]
    return 0 if all(outcomes) else 1


def benchmark_names() -> list[str]:
    """The modules of this folder, by name."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.name.startswith(("_", "support")))


def may_yield(module: str, beginning: str) -> bool:
    """Lines of `module` begin with its name, so either contains the other as its beginning."""
    return module.startswith(beginning) or beginning.startswith(module)


def prints_lines(module: str, asked: Sequence[str]) -> bool:
    """Each line of the benchmark that was asked for is on standard output; what goes wrong is on standard error."""
    try:
        for line in importlib.import_module(f"tests.bench.{module}").run():
            if set(line) != KEYS:
                raise ValueError(f"{module} gave {sorted(line)}, needed are {sorted(KEYS)}")
            if line["name"].startswith(tuple(asked)):
                print(json.dumps(line), flush=True)
    except Exception:  # noqa: BLE001 (whatever one benchmark raises, the others run and the status says so)
        print(f"failed: {module}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
