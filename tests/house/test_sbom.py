"""What PlaqueView is made of, for an auditor: every pinned package, and the hashes of those that run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("sbom")
    subprocess.run([sys.executable, ROOT / "deploy" / "sbom.py", made], check=True, capture_output=True)
    return made


def components(path: Path) -> list[dict[str, Any]]:
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["bomFormat"] == "CycloneDX"
    found: list[dict[str, Any]] = told["components"]
    return found


def pins(name: str) -> set[tuple[str, str]]:
    lines = (ROOT / "deploy" / name).read_text(encoding="utf-8").splitlines()
    found = [Requirement(line.rstrip(" \\")) for line in lines if line[:1].isalnum()]
    return {(canonicalize_name(pin.name), str(pin.specifier).removeprefix("==")) for pin in found}


@pytest.mark.parametrize(("made", "list_of_pins"), [("platform", "locked.txt"), ("python", "constraints.txt")])
def test_every_pinned_package_of_python_is_named(folder, made, list_of_pins):
    found = components(folder / f"{made}.cdx.json")

    assert {(canonicalize_name(one["name"]), one["version"]) for one in found} == pins(list_of_pins)


def test_every_package_of_the_platform_has_its_hashes(folder):
    bare = [
        one["name"]
        for one in components(folder / "platform.cdx.json")
        if not any(place.get("hashes") for place in one["externalReferences"])
    ]

    assert bare == []


def test_every_package_of_the_pages_is_named_with_its_hash(folder):
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = components(folder / "pages.cdx.json")

    named = {(one["purl"].partition("?")[0].replace("%40", "@"), bool(one.get("hashes"))) for one in found}
    assert named == {
        (f"pkg:npm/{package.get('name') or path.rpartition('node_modules/')[2]}@{package['version']}", True)
        for path, package in lock.items()
        if path
    }
