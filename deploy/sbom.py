"""Writes what PlaqueView is made of, in CycloneDX's form, with the programs of others that read the lock files.

    python deploy/sbom.py FOLDER

`platform.cdx.json` is the platform image with the hashes of its packages, `python.cdx.json` every Python package that
is pinned, also for training and for the tests, `pages.cdx.json` every package from which the pages are built.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON_LISTS = {"platform.cdx.json": "deploy/locked.txt", "python.cdx.json": "deploy/constraints.txt"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="made when it is not there")
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, pins in PYTHON_LISTS.items():
        describe_python(ROOT / pins, folder / name)
    describe_pages(folder / "pages.cdx.json")
    print(f"{', '.join(sorted(path.name for path in folder.glob('*.cdx.json')))} in {folder}")
    return 0


def describe_python(pins: Path, target: Path) -> None:
    # Its own validation takes six seconds and wants a graph of dependencies, which a list of pins has not.
    options = ["--no-validate", "--output-reproducible", "--pyproject", ROOT / "pyproject.toml", "-o", target]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", "requirements", pins, *options], check=True)


def describe_pages(target: Path) -> None:
    words = ["npm", "sbom", "--package-lock-only", "--sbom-format", "cyclonedx"]
    said = subprocess.run(words, cwd=ROOT / "frontend", check=True, capture_output=True)
    target.write_bytes(said.stdout)


if __name__ == "__main__":
    sys.exit(main())
