#!/usr/bin/env python3
"""Django's command line; puts `platform/` on the path, so that it runs from a clone that is not installed."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "plaqueview.settings")
    execute_from_command_line(sys.argv)
