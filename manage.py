#!/usr/bin/env python3
"""Django's command line; puts `platform/` on the path, so that it runs from a clone that is not installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))

from plaqueview.launcher.manage import run_management_command

if __name__ == "__main__":
    sys.exit(run_management_command("manage.py", sys.argv[1:]))
