"""An S3 server in a process of its own, and settings that keep the store in a bucket of it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import uuid4

from django.core.files.storage import storages

from plaqueview.core.bucket import Bucket


@contextmanager
def running_s3() -> Iterator[str]:
    """The address of the server, which holds nothing."""
    command = [sys.executable, "-m", "moto.server", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield next(found[0] for line in server.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        finally:
            server.kill()


def storages_in(url: str, bucket: str) -> dict[str, Any]:
    """Django's setting, as `plaqueview.settings` makes it of the environment."""
    options = {
        "bucket_name": bucket,
        "endpoint_url": url,
        "region_name": "us-east-1",
        "access_key": "reader",
        "secret_key": "only for tests",
        "addressing_style": "path",
    }
    return {"BACKEND": "plaqueview.core.bucket.Bucket", "OPTIONS": options}


def use_new_bucket(settings: Any, url: str) -> Bucket:
    """The store of the settings is a bucket with nothing in it."""
    name = f"store-{uuid4()}"
    settings.STORAGES = {**settings.STORAGES, "default": storages_in(url, name)}
    settings.S3_BUCKET = name
    made = cast(Bucket, storages["default"])
    made.bucket.create()
    return made
