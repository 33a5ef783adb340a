"""The command line: `python -m inference_worker COMMAND`.

Exit status: 0 success, 2 usage, 1 refused input, with one line on standard error; 130 stopped from the keyboard.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

# A command's module is imported only when it is called: those that train need torch, the others must run without it.
COMMANDS: Mapping[str, str] = {
    "segment": "mark the plaques of one FLAIR series",
    "changes": "find what is new or enlarging between two FLAIRs of one patient",
    "enhancement": "find the lesions of one FLAIR that took up contrast agent",
    "preprocess": "prepare one FLAIR series as the network sees it",
    "synthesise": "make FLAIR studies with plaques of known place, size and class",
    "train": "train a network on folders of labelled studies (needs the extra 'training')",
    "evaluate": "compare predictions with labels, by patient",
    "compare": "compare models of a cross-validation on the patients held out from each",
    "figures": "draw the steps of the preprocessing, or the brain masks of many studies",
    "export": "write trained weights as the ONNX graph that inference runs (needs the extra 'training')",
}
STOPPED = 130  # as a shell tells of a program that SIGINT ended
PROGRAM = "python -m inference_worker"


def main(arguments: Sequence[str]) -> int:
    overview = argparse.ArgumentParser(
        prog=PROGRAM,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:12}{summary}" for name, summary in COMMANDS.items()),
    )
    overview.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    overview.add_argument("rest", nargs=argparse.REMAINDER, help="`COMMAND --help` lists them", metavar="...")
    chosen = overview.parse_args(arguments)
    return call(chosen.command, chosen.rest)


def call(name: str, arguments: Sequence[str]) -> int:
    try:
        return run(name, importlib.import_module(f"inference_worker.commands.{name}"), arguments)
    except ModuleNotFoundError as error:
        return refuse(name, f"package {error.name} is missing; install plaqueview[training]")


def run(name: str, command: ModuleType, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} {name}", description=COMMANDS[name])
    command.add_arguments(parser)
    parsed = parser.parse_args(arguments)
    try:
        command.run(parsed)
    except (*command.REFUSALS, OSError) as error:
        return refuse(name, str(error))
    except KeyboardInterrupt:
        return refuse(name, "stopped from the keyboard", status=STOPPED)
    return 0


def refuse(name: str, reason: str, *, status: int = 1) -> int:
    sys.stderr.write(f"{name}: {' '.join(reason.split())}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
