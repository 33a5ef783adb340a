"""The wheel holds all that runs, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel_files(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def tracked_files(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git clone, so nobody knows which files are ours")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


def test_it_holds_two_packages(wheel_files: set[str]) -> None:
    top = {name.partition("/")[0] for name in wheel_files}

    assert {name for name in top if not name.endswith(".dist-info")} == {"plaqueview", "inference_worker"}


def test_it_holds_every_file_of_both_packages(wheel_files: set[str]) -> None:
    ours = {name.removeprefix("platform/") for name in tracked_files("platform/plaqueview", "inference_worker")}

    assert ours - wheel_files == set()


def test_it_holds_every_migration(wheel_files: set[str]) -> None:
    made = {path.relative_to(ROOT / "platform") for path in ROOT.glob("platform/plaqueview/*/migrations/0*.py")}

    assert len(made) >= 8
    assert {str(path) for path in made} - wheel_files == set()


def test_it_holds_the_model_that_ships(wheel_files: set[str]) -> None:
    weights = {Path(name).suffix for name in wheel_files if name.startswith("inference_worker/weights/")}

    assert {".onnx", ".safetensors", ".json", ".md"} <= weights


def test_it_holds_the_built_pages(wheel_files: set[str]) -> None:
    if not (ROOT / "platform" / "plaqueview" / "web" / "index.html").exists():
        pytest.skip("the pages are not built here; `make test` builds them first")

    assert "plaqueview/web/index.html" in wheel_files
    assert any(name.startswith("plaqueview/web/assets/") and name.endswith(".js") for name in wheel_files)
