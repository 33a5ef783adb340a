"""What `make demo` says on a machine that lacks something, and when it does nothing."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
NO_COMPILER = (
    "scipy has no ready-made wheel for this machine and no compiler built it; "
    "use Python 3.11 to 3.14 on Linux or macOS, or install a C compiler"
)


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, at work on an empty folder."""
    found = importlib.util.spec_from_file_location("bootstrap", ROOT / "deploy" / "bootstrap.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    for name, folder in {"ROOT": "", "VENV": ".venv", "BIN": ".venv/bin", "STAMPS": ".venv/stamps.json"}.items():
        monkeypatch.setattr(module, name, tmp_path / folder)
    return module


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        (
            "error: command 'gcc' failed\n  ERROR: Failed building wheel for scipy\n",
            NO_COMPILER,
        ),
        (
            "ERROR: No matching distribution found for onnxruntime<2,>=1.24 (from plaqueview)",
            "the package index offers no onnxruntime<2,>=1.24 for this Python and machine",
        ),
        ("Max retries exceeded with url", "the package index is out of reach; no network?"),
        ("first\nlast\n", "pip failed: last (all of it is in .venv/pip.log)"),
    ],
)
def test_what_pip_says_becomes_one_line(bootstrap: ModuleType, output: str, line: str) -> None:
    assert bootstrap.explain_pip(output) == line


def test_what_npm_says_becomes_one_line(bootstrap: ModuleType) -> None:
    output = "npm error code EUSAGE\nnpm error\nnpm error The lock file is out of date.\nnpm error A complete log\n"

    assert bootstrap.explain_npm(output) == "npm error The lock file is out of date."


def test_an_old_python_is_refused_with_one_line(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))

    with pytest.raises(bootstrap.BootstrapError, match=r"is too old, 3\.11 or newer is needed; .*PYTHON=python3\.12"):
        bootstrap.require_python()


def test_a_full_disk_is_refused_before_anything_is_made(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil._ntuple_diskusage(10 * 1024**3, 9 * 1024**3, 1024**3)  # type: ignore[attr-defined]  # its class is private
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    with pytest.raises(bootstrap.BootstrapError, match=r"has 1\.0 GiB free, 2\.0 GiB are needed"):
        bootstrap.make_venv()

    assert not (tmp_path / ".venv").exists()


def test_a_python_without_ensurepip_uses_its_pip(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stripped").mkdir()
    for name in ("ensurepip", "virtualenv"):  # as Debian's python3 without python3-venv
        (tmp_path / "stripped" / f"{name}.py").write_text(f"raise ModuleNotFoundError({name!r})")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "stripped"))

    bootstrap.make_venv()

    monkeypatch.delenv("PYTHONPATH")
    pip = subprocess.run([tmp_path / ".venv/bin/pip", "--version"], capture_output=True, text=True, check=True)
    assert str(tmp_path / ".venv") in pip.stdout


def test_a_hash_changes_with_content_and_with_name(bootstrap: ModuleType, tmp_path: Path) -> None:
    for name, content in {"one": "a", "two": "a", "three": "b"}.items():
        (tmp_path / name).write_text(content)

    hashes = {bootstrap.hash_of([tmp_path / name]) for name in ("one", "two", "three")}

    assert len(hashes) == 3
    assert bootstrap.hash_of([tmp_path / "one"]) in hashes


def test_what_was_compiled_once_is_found_by_the_next_process(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    (tmp_path / "imported.py").write_text("")

    subprocess.run([sys.executable, "-c", "import imported"], cwd=tmp_path, check=True, env=bootstrap.environment())

    assert len(list(tmp_path.glob("__pycache__/imported.*.pyc"))) == 1


def test_help_lists_every_target() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}

    said = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    ).stdout

    names = [line.split()[1] for line in said.splitlines()]
    assert names == ["demo", "test", "bench", "drills", "sbom", "lint", "help"]
