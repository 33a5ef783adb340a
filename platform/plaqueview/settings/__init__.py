"""Django's settings, read once from the environment; a missing or malformed variable stops the start with one line.

Every variable is listed with one comment in `deploy/env.example`.
"""
# ruff: noqa: F403  (Django takes the names in capitals)

from plaqueview.settings.department import *
from plaqueview.settings.engines import *
from plaqueview.settings.environment import env
from plaqueview.settings.logs import *
from plaqueview.settings.process import *
from plaqueview.settings.security import *
from plaqueview.settings.web import *

env.seal()
