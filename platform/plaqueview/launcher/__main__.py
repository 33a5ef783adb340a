"""Command line: `plaqueview demo`, `plaqueview manage`, `plaqueview --version`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from plaqueview import __version__
from plaqueview.launcher.demo import run_demo
from plaqueview.launcher.errors import LauncherError
from plaqueview.launcher.manage import run_management_command
from plaqueview.launcher.plan import DemoPlan


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit status: 0 done, 1 refused with one line, 2 usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["manage"]:  # Django parses its own options, --help included
        return run_management_command("plaqueview manage", words[1:])
    options = _parser().parse_args(words)
    try:
        return asyncio.run(run_demo(_plan_of(options)))
    except LauncherError as error:
        print(f"plaqueview: {error}", file=sys.stderr)
        return 1


def _plan_of(options: argparse.Namespace) -> DemoPlan:
    return DemoPlan(
        port=options.port,
        dicom_port=options.dicom_port,
        data_dir=options.data_dir.absolute(),
        study=options.study.absolute() if options.study else None,
        opens_browser=not options.no_browser,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="plaqueview", description="Reads MS FLAIR MRI with a network and a reader.")
    parser.add_argument("--version", action="version", version=f"plaqueview {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("manage", help="Django's management commands: `plaqueview manage help` lists them")
    demo = commands.add_parser("demo", help="run everything on this machine, in one folder")
    demo.add_argument("--port", type=int, default=8000, help="of the pages and the API; the feed takes the next one")
    demo.add_argument("--dicom-port", type=int, default=11112, help="of the DICOM listener (default: %(default)s)")
    demo.add_argument("--data-dir", type=Path, default=Path(".demo"), help="keeps everything (default: %(default)s)")
    demo.add_argument("--study", type=Path, help="a DICOM folder, a zip or a NIfTI file to import")
    demo.add_argument("--no-browser", action="store_true", help="open no browser when ready")
    return parser


if __name__ == "__main__":
    sys.exit(main())
