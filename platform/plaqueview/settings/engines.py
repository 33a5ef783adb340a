"""The engines underneath: database, Redis, storage, and the tasks' broker."""

import socket
from typing import Any

from environs import validate

from plaqueview.settings.environment import env, is_absolute, read, url_of

DATABASES = {"default": read(env.dj_db_url, "PLAQUEVIEW_DATABASE_URL", conn_max_age=60)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, readers never wait: WAL, and a transaction that will write takes its lock at the start.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }

REDIS_URL = read(env.str, "PLAQUEVIEW_REDIS_URL", validate=url_of("redis", "rediss"))
CACHES = {"default": {"BACKEND": "plaqueview.core.redis_cache.Cache", "LOCATION": REDIS_URL}}
# A broker that is gone is told within two minutes, and what lies between forgets no connection. macOS has no word for
# the first.
KEEPALIVE_S = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
# How the feed speaks with the broker, and who tells it what happened.
FEED_BROKER: dict[str, Any] = {  # Any: redis-py's own options
    # As many pages as come or go at once ask at once; the library's own hundred would turn the others away.
    "max_connections": 5000,
    # That takes a busy machine longer, and a socket waits longer for its next event, than the five seconds after which
    # redis-py gives up by itself.
    "socket_connect_timeout": 30,
    "socket_timeout": 30,
    "socket_keepalive": True,
    "socket_keepalive_options": {
        getattr(socket, name): value for name, value in KEEPALIVE_S.items() if hasattr(socket, name)
    },
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, **FEED_BROKER}], "capacity": 1000, "expiry": 30},
    }
}
STORAGE_DIR = read(env.path, "PLAQUEVIEW_STORAGE_DIR", validate=is_absolute)
# With a bucket, stored files lie there and the directory is each machine's own (docs/decisions/0043-bucket.md).
S3_BUCKET = read(env.str, "PLAQUEVIEW_S3_BUCKET", "")
S3_COPIES_KEPT_S = read(env.int, "PLAQUEVIEW_S3_COPIES_KEPT_S", 24 * 3600, validate=validate.Range(min=60))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": STORAGE_DIR}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "plaqueview.core.bucket.Bucket",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": read(env.str, "PLAQUEVIEW_S3_URL", None, validate=url_of("http", "https")),
            "region_name": read(env.str, "PLAQUEVIEW_S3_REGION", None),
            "access_key": read(env.str, "PLAQUEVIEW_S3_ACCESS_KEY", None),
            "secret_key": read(env.str, "PLAQUEVIEW_S3_SECRET_KEY", None),
            "addressing_style": read(
                env.str, "PLAQUEVIEW_S3_ADDRESSING", "auto", validate=validate.OneOf(["auto", "path", "virtual"])
            ),
        },
    }

CELERY_BROKER_URL = read(env.str, "PLAQUEVIEW_BROKER_URL", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A killed worker's message is seen again after the visibility timeout; the job's lease decides whether it may run.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": read(env.int, "PLAQUEVIEW_VISIBILITY_TIMEOUT_S", 30, validate=validate.Range(min=1)),
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # Without the second, who sends a task would wait for a broker that hangs as long as it hangs.
    "socket_connect_timeout": 5,
    "socket_timeout": 5,
}
# The clock's own errands stand here, and the department's schedules in the database beside them.
CELERY_BEAT_SCHEDULER = "plaqueview.core.beat:Scheduler"
# It writes down what it sent after so many tasks, some ten seconds, not after three minutes: the doctor looks there.
CELERY_BEAT_SYNC_EVERY = 10
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {  # Any: Celery's own options
    "inference.requeue_expired": {"task": "inference.requeue_expired", "schedule": 10.0},
    "longitudinal.requeue_expired": {"task": "longitudinal.requeue_expired", "schedule": 10.0},
    "enhancement.requeue_expired": {"task": "enhancement.requeue_expired", "schedule": 10.0},
    "studies.forget_removed": {"task": "studies.forget_removed", "schedule": 3600.0},
    "inbox.tend": {"task": "inbox.tend", "schedule": 5.0},
    "outbox.tend": {"task": "outbox.tend", "schedule": 5.0},
    "webhooks.tend": {"task": "webhooks.tend", "schedule": 5.0},
    "webhooks.forget": {"task": "webhooks.forget", "schedule": 3600.0},
    "monitoring.tend": {"task": "monitoring.tend", "schedule": 10.0},
    "training.tend": {"task": "training.tend", "schedule": 10.0},
    "studies.settle_quiet": {"task": "studies.settle_quiet", "schedule": 5.0},
    "studies.release_abandoned": {"task": "studies.release_abandoned", "schedule": 30.0},
    "core.forget": {"task": "core.forget", "schedule": 3600.0},
    "operations.apply_retention": {"task": "operations.apply_retention", "schedule": 24 * 3600.0},
}
