"""`platform/` is a source root and never a package."""

import platform
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_platform_is_the_standard_librarys() -> None:
    assert platform.__file__ is not None
    assert Path(platform.__file__).parent == Path(sysconfig.get_path("stdlib"))


def test_the_source_root_holds_exactly_one_package() -> None:
    held = {path.name for path in (ROOT / "platform").iterdir() if path.name != "__pycache__"}

    assert held == {"plaqueview"}
