"""The real settings, read from an environment that is made here for one run of the tests."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from plaqueview.launcher.broker import configure_broker

folder = Path(tempfile.mkdtemp(prefix="plaqueview-tests-"))
atexit.register(shutil.rmtree, folder, ignore_errors=True)
for name in ("broker", "storage"):
    (folder / name).mkdir()
broker = configure_broker(folder / "broker")  # `tests/conftest.py` starts it when a test needs it

os.environ.update(
    PLAQUEVIEW_SECRET_KEY="only-for-tests-0123456789-abcdefghijklmnop",
    PLAQUEVIEW_ORIGIN="http://testserver",
    PLAQUEVIEW_ALLOWED_HOSTS="testserver,127.0.0.1,localhost",
    PLAQUEVIEW_FEED_URL="ws://testserver/ws/feed",
    PLAQUEVIEW_REDIS_URL=broker.url,
    PLAQUEVIEW_STORAGE_DIR=str(folder / "storage"),
    PLAQUEVIEW_DISK_RESERVE_BYTES="1",
    PLAQUEVIEW_NODES_ON_LOOPBACK="true",
)
os.environ.setdefault("PLAQUEVIEW_DATABASE_URL", f"sqlite:///{folder}/plaqueview.sqlite3")

from plaqueview.settings import *  # noqa: F403
from plaqueview.settings import DATABASES

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory: threads and child processes of a test see the same tables, in the mode of a clinic.
    DATABASES["default"]["TEST"] = {"NAME": folder / "tests.sqlite3"}

# Signing in is slow by design; here it only costs time.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Every test's client loads the middleware anew: the pages are looked for when asked for, not listed each time.
WHITENOISE_AUTOREFRESH = True
