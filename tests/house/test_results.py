"""The summary at the end of `make test` names what failed, without a look at what came before."""

import os
import subprocess
import sys
from pathlib import Path

from tests.results import Results, read_results

TESTS = """
import pytest

@pytest.fixture
def broken():
    raise OSError("no such slice")

def test_that_holds(): ...

@pytest.mark.parametrize("count", [1, 2])
def test_of_a_count(count):
    assert count == 1

def test_of_a_broken_fixture(broken): ...

@pytest.mark.skip(reason="needs a scanner")
def test_of_a_scanner(): ...
"""


def test_what_failed_is_named_as_pytest_names_it(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    kept = ["-o", "junit_family=xunit1", "--junitxml", "results.xml"]
    alone = dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    subprocess.run([sys.executable, "-m", "pytest", *kept], cwd=tmp_path, env=alone, capture_output=True, check=False)

    results = read_results(tmp_path / "results.xml")

    assert results == Results(
        passed=2,
        skipped=1,
        failures=(
            "FAILED test_sample.py::test_of_a_count[2] - assert 2 == 1",
            'ERROR test_sample.py::test_of_a_broken_fixture - failed on setup with "OSError: no such slice"',
        ),
    )


def test_a_step_that_left_no_results_had_none(tmp_path: Path) -> None:
    assert read_results(tmp_path / "nothing.xml") == Results()
