"""The floors hold, and nobody hides an import from the linter that guards them."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "platform" / "plaqueview", ROOT / "inference_worker")
MODULES = sorted(path for package in PACKAGES for path in package.rglob("*.py") if "migrations" not in path.parts)


def functions_of(tree: ast.AST) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def imported_names(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "plaqueview"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_hides_an_import_of_ours(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {name for function in functions_of(tree) for name in imported_names(function)}

    assert {name for name in hidden if name.partition(".")[0] in {"plaqueview", "inference_worker"}} == set()


def test_every_arrow_points_down() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    checked = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout


def test_no_contract_excuses_a_single_import() -> None:
    """Exceptions are the edges of the worker and its imaging, both of them floors of the house."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    excused = {line for contract in contracts for line in contract.get("ignore_imports", [])}

    assert excused == {
        "inference_worker.tasks -> **",
        "inference_worker.errands -> **",
        "inference_worker.enhancement_tasks -> **",
        "inference_worker.gate_tasks -> **",
        "inference_worker.run_ledger -> **",
        "inference_worker.shadow_tasks -> **",
        "inference_worker.training_tasks -> **",
        "inference_worker.** -> plaqueview.imaging",
        "inference_worker.** -> plaqueview.imaging.**",
    }
