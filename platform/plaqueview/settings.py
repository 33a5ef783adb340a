"""Django's settings, read once from the environment; a missing or malformed variable stops the start with one line.

Every variable is listed with one comment in `deploy/env.example`.
"""

import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from environs import Env, EnvError, ValidationError, validate

from plaqueview import __version__

T = TypeVar("T")
env = Env()


def read(parse: Callable[..., T | None], name: str, *default: Any, **rules: Any) -> T:  # Any: the parsers' own
    """The variable's value; a missing or malformed one ends the process, and the line says which."""
    try:
        return parse(name, *default, **rules)  # type: ignore[return-value]  # the parsers say None for their defaults
    except EnvError as error:
        raise SystemExit(f"PlaqueView cannot start: {error}") from None


def url_of(*schemes: str) -> Callable[[str], None]:
    """A check for "scheme://host", with nothing that the scheme does not need."""

    def check(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in schemes or not parts.netloc:
            raise ValidationError(f"needs to begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")

    return check


def is_secret(key: str) -> None:
    if len(key) < 32 or len(set(key)) < 10:
        raise ValidationError("needs at least 32 characters, at random")


def is_key(text: str) -> None:
    """32 bytes in base64, as `model_keys` prints them; empty is none."""
    try:
        is_whole = not text or len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ValidationError("needs 32 bytes in base64, as `plaqueview manage model_keys` prints them")


def are_keys(texts: list[str]) -> None:
    for text in texts:
        is_key(text)


def is_secret_if_any(key: str) -> None:
    if key:
        is_secret(key)


def is_origin(url: str) -> None:
    url_of("http", "https")(url)
    if url != f"{urlsplit(url).scheme}://{urlsplit(url).netloc}":
        raise ValidationError("needs a scheme, a host and a port, with no path: http://127.0.0.1:8000")


def is_absolute(path: Path) -> None:
    if not path.is_absolute():
        raise ValidationError("needs an absolute path")


def is_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValidationError("needs the name of a time zone: Europe/Ljubljana") from None


def are_hosts(hosts: list[str]) -> None:
    if not hosts or "*" in hosts:
        raise ValidationError("needs host names, separated by commas, and no *")


# -- process ---------------------------------------------------------------------------------------------------------
DEBUG = read(env.bool, "PLAQUEVIEW_DEBUG", False)
SECRET_KEY = read(env.str, "PLAQUEVIEW_SECRET_KEY", validate=is_secret)
ORIGIN = read(env.str, "PLAQUEVIEW_ORIGIN", validate=is_origin)
FEED_URL = read(
    env.str, "PLAQUEVIEW_FEED_URL", ORIGIN.replace("http", "ws", 1) + "/ws/feed", validate=url_of("ws", "wss")
)
ALLOWED_HOSTS = read(env.list, "PLAQUEVIEW_ALLOWED_HOSTS", validate=are_hosts)
IS_BEHIND_TLS = ORIGIN.startswith("https://")

ROOT_URLCONF = "plaqueview.urls"
WSGI_APPLICATION = "plaqueview.wsgi.application"
ASGI_APPLICATION = "plaqueview.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español"), ("fa", "فارسی")]
# What reports say; before the words of other apps, which translate some of the same.
LOCALE_PATHS = [Path(__file__).parent / "reports" / "locale"]
TIME_ZONE = read(env.str, "PLAQUEVIEW_TIME_ZONE", "UTC", validate=is_time_zone)
USE_TZ = True
USE_I18N = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "csp",
    "plaqueview.core",
    "plaqueview.audit",
    "plaqueview.accounts",
    "plaqueview.patients",
    "plaqueview.studies",
    "plaqueview.annotations",
    "plaqueview.registry",
    "plaqueview.inference",
    "plaqueview.longitudinal",
    "plaqueview.pacs",
    "plaqueview.reports",
    "plaqueview.inbox",
    "plaqueview.outbox",
    "plaqueview.training",
    "plaqueview.feed",
    "plaqueview.operations",
    "django_celery_beat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",  # before static files: a web worker takes its policy from its own file's answer
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "plaqueview.core.middleware.limit_request_size",
    "plaqueview.core.middleware.keep_answers_private",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

# -- database, broker, storage ---------------------------------------------------------------------------------------
DATABASES = {"default": read(env.dj_db_url, "PLAQUEVIEW_DATABASE_URL", conn_max_age=60)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, readers never wait: WAL, and a transaction that will write takes its lock at the start.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }

REDIS_URL = read(env.str, "PLAQUEVIEW_REDIS_URL", validate=url_of("redis", "rediss"))
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # A socket waits for its next event longer than the five seconds after which redis-py gives up by itself.
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": 30}], "capacity": 1000, "expiry": 30},
    }
}
STORAGE_DIR = read(env.path, "PLAQUEVIEW_STORAGE_DIR", validate=is_absolute)

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
    "socket_connect_timeout": 5,
}
# The clock's own errands stand here, and the department's schedules in the database beside them.
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "inference.requeue_expired": {"task": "inference.requeue_expired", "schedule": 10.0},
    "longitudinal.requeue_expired": {"task": "longitudinal.requeue_expired", "schedule": 10.0},
    "inbox.tend": {"task": "inbox.tend", "schedule": 5.0},
    "outbox.tend": {"task": "outbox.tend", "schedule": 5.0},
    "training.tend": {"task": "training.tend", "schedule": 10.0},
    "studies.settle_quiet": {"task": "studies.settle_quiet", "schedule": 5.0},
    "core.forget": {"task": "core.forget", "schedule": 3600.0},
}

# -- accounts and sign-in --------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ALLAUTH_TRUSTED_PROXY_COUNT = read(env.int, "PLAQUEVIEW_TRUSTED_PROXIES", 0, validate=validate.Range(min=0))
ACCOUNT_ADAPTER = "plaqueview.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS: dict[str, str] = {}
# Ten failures a minute from one address, five in five minutes for one account; then it is locked for that long.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key", "reauthenticate": "10/m/user"}

# -- browser security ------------------------------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_NAME = "plaqueview_sessionid"
SESSION_COOKIE_AGE = read(env.int, "PLAQUEVIEW_SESSION_AGE_S", 12 * 3600, validate=validate.Range(min=60))
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_BEHIND_TLS
CSRF_COOKIE_NAME = "plaqueview_csrftoken"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = IS_BEHIND_TLS
CSRF_TRUSTED_ORIGINS = [ORIGIN]
CSRF_FAILURE_VIEW = "plaqueview.core.problems.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_BEHIND_TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_BEHIND_TLS else None
# nginx leads from http to https, and how far HSTS reaches beyond this host is the department's choice.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021"]
X_FRAME_OPTIONS = "DENY"
FEED_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(FEED_URL))
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The codecs of the viewer are WebAssembly; nothing else may be compiled at run time.
        "script-src": ["'self'", "'wasm-unsafe-eval'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'", FEED_ORIGIN],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# -- static files and the built frontend -----------------------------------------------------------------------------
WEB_DIR = Path(__file__).parent / "web"
STATIC_URL = "/static/"
# Where `collectstatic` puts the files for nginx; without it, this process serves them from the packages.
STATIC_ROOT = read(env.path, "PLAQUEVIEW_STATIC_DIR", None)
STATICFILES_DIRS = [("web", WEB_DIR)] if WEB_DIR.is_dir() else []
WHITENOISE_USE_FINDERS = STATIC_ROOT is None
# The bundler puts a hash of the content into these names.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/web/assets/.+-[\w-]{8}\.\w+$"
WHITENOISE_AUTOREFRESH = False

# -- requests --------------------------------------------------------------------------------------------------------
REQUEST_MAX_BYTES = read(env.int, "PLAQUEVIEW_REQUEST_MAX_BYTES", 16 * 1024**2, validate=validate.Range(min=1024))
UPLOAD_MAX_FILES = read(env.int, "PLAQUEVIEW_UPLOAD_MAX_FILES", 20_000, validate=validate.Range(min=1))
UPLOAD_MAX_BYTES = read(env.int, "PLAQUEVIEW_UPLOAD_MAX_BYTES", 8 * 1024**3, validate=validate.Range(min=1))
UPLOAD_MAX_COMPRESSION_RATIO = read(
    env.int, "PLAQUEVIEW_UPLOAD_MAX_COMPRESSION_RATIO", 200, validate=validate.Range(min=1)
)
DATA_UPLOAD_MAX_MEMORY_SIZE = REQUEST_MAX_BYTES
DATA_UPLOAD_MAX_NUMBER_FILES = UPLOAD_MAX_FILES

# -- REST ------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "plaqueview.accounts.authentication.TokenAuthentication",
        "plaqueview.accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["plaqueview.core.permissions.ActionPermission"],
    "DEFAULT_PAGINATION_CLASS": "plaqueview.core.api.CappedPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "plaqueview.core.schema.ProblemAutoSchema",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "EXCEPTION_HANDLER": "plaqueview.core.api.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "PlaqueView",
    "VERSION": __version__,
    "DESCRIPTION": "FLAIR studies, the plaques that the network and the readers mark, and their counts. "
    "Research use only, not a medical device.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Action": "plaqueview.core.access.Action",
        "AnnotationState": "plaqueview.annotations.models.AnnotationState.values",
        "Evidence": "plaqueview.annotations.models.Evidence.values",
        "DoubleReadingState": "plaqueview.annotations.models.DoubleReadingState.values",
        "EventKind": "plaqueview.audit.models.EventKind",
        "FetchedOutcome": "plaqueview.inbox.models.REMARKABLE",
        "FetchState": "plaqueview.inbox.models.FetchState.values",
        "JobStage": "plaqueview.inference.models.JobStage.values",
        "JobState": "plaqueview.inference.models.JobState.values",
        "ModelStage": "plaqueview.registry.models.Stage",
        "RegistrationState": "plaqueview.longitudinal.models.RegistrationState.values",
        "NodeKind": "plaqueview.pacs.models.NodeKind.values",
        "PeerProblem": "plaqueview.pacs.peer.PeerProblem.values",
        "SentDocument": "plaqueview.pacs.models.SentDocument.values",
        "ReviewStepName": "plaqueview.annotations.models.Step.values",
        "Role": "plaqueview.core.access.Role",
        "StudyState": "plaqueview.studies.models.StudyState",
        "RunStage": "plaqueview.training.models.RunStage.values",
        "PromotionKind": "plaqueview.training.models.PromotionKind.values",
        "Start": "plaqueview.training.recipe.Start",
        "FiringState": "plaqueview.training.models.FiringState.values",
        "SnapshotState": "plaqueview.training.models.SnapshotState.values",
        "Side": "plaqueview.training.models.Side.values",
        "TransferState": "plaqueview.outbox.models.TransferState.values",
        "UploadState": "plaqueview.studies.models.UploadState",
    },
}

# -- what the department decides -------------------------------------------------------------------------------------
DEFAULT_SITE_NAME = read(env.str, "PLAQUEVIEW_SITE", "Demo")
FEED_RECHECK_S = read(env.float, "PLAQUEVIEW_FEED_RECHECK_S", 60.0, validate=validate.Range(min=0.1))
FEED_PRESENCE_S = read(env.float, "PLAQUEVIEW_FEED_PRESENCE_S", 45.0, validate=validate.Range(min=0.1))
QUIET_PERIOD_S = read(env.float, "PLAQUEVIEW_QUIET_PERIOD_S", 5.0, validate=validate.Range(min=0.0))
MINIMUM_LESION_VOLUME_MM3 = read(
    env.float, "PLAQUEVIEW_MINIMUM_LESION_VOLUME_MM3", 14.1, validate=validate.Range(min=0.0)
)
REPORT_LANGUAGE = read(
    env.str, "PLAQUEVIEW_REPORT_LANGUAGE", "en", validate=validate.OneOf([code for code, _ in LANGUAGES])
)
FOLLOW_UP_MONTHS = read(env.int, "PLAQUEVIEW_FOLLOW_UP_MONTHS", 12, validate=validate.Range(min=1))
REVIEW_NEEDS_SECOND_READER = read(env.bool, "PLAQUEVIEW_REVIEW_NEEDS_SECOND_READER", False)
LESION_CONNECTIVITY = read(env.int, "PLAQUEVIEW_LESION_CONNECTIVITY", 26, validate=validate.OneOf([6, 18, 26]))
JOB_LEASE_S = read(env.int, "PLAQUEVIEW_JOB_LEASE_S", 20, validate=validate.Range(min=1))
JOB_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_JOB_MAX_ATTEMPTS", 3, validate=validate.Range(min=1))
JOB_TIME_LIMIT_S = read(env.int, "PLAQUEVIEW_JOB_TIME_LIMIT_S", 600, validate=validate.Range(min=1))
INFERENCE_THREADS = read(env.int, "PLAQUEVIEW_INFERENCE_THREADS", 0, validate=validate.Range(min=0))
TRANSFER_LEASE_S = read(env.int, "PLAQUEVIEW_TRANSFER_LEASE_S", 120, validate=validate.Range(min=1))
TRANSFER_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_TRANSFER_MAX_ATTEMPTS", 16, validate=validate.Range(min=1))
TRANSFER_RETRY_S = read(env.float, "PLAQUEVIEW_TRANSFER_RETRY_S", 10.0, validate=validate.Range(min=0.0))
FETCH_LEASE_S = read(env.int, "PLAQUEVIEW_FETCH_LEASE_S", 180, validate=validate.Range(min=1))
FETCH_MAX_ATTEMPTS = read(env.int, "PLAQUEVIEW_FETCH_MAX_ATTEMPTS", 6, validate=validate.Range(min=1))
FETCH_RETRY_S = read(env.float, "PLAQUEVIEW_FETCH_RETRY_S", 10.0, validate=validate.Range(min=0.0))
TRAINING_VALIDATION_SHARE = read(
    env.float, "PLAQUEVIEW_TRAINING_VALIDATION_SHARE", 0.15, validate=validate.Range(min=0.0, max=0.5)
)
TRAINING_TEST_SHARE = read(env.float, "PLAQUEVIEW_TRAINING_TEST_SHARE", 0.25, validate=validate.Range(min=0.0, max=0.5))
TRAINING_LEASE_S = read(env.int, "PLAQUEVIEW_TRAINING_LEASE_S", 60, validate=validate.Range(min=1))
TRAINING_DEVICE = read(env.str, "PLAQUEVIEW_TRAINING_DEVICE", "cpu", validate=validate.OneOf(["cpu", "cuda"]))
TRAINING_THREADS = read(env.int, "PLAQUEVIEW_TRAINING_THREADS", 0, validate=validate.Range(min=0))
MODEL_SIGNING_KEY = read(env.str, "PLAQUEVIEW_MODEL_SIGNING_KEY", "", validate=is_key)
MODEL_TRUSTED_KEYS = read(env.list, "PLAQUEVIEW_MODEL_TRUSTED_KEYS", [], validate=are_keys)
GATE_MINIMUM_PATIENTS = read(env.int, "PLAQUEVIEW_GATE_MINIMUM_PATIENTS", 3, validate=validate.Range(min=1))
GATE_LOWEST_DICE = read(env.float, "PLAQUEVIEW_GATE_LOWEST_DICE", 0.3, validate=validate.Range(min=0.0, max=1.0))
GATE_DICE_MARGIN = read(env.float, "PLAQUEVIEW_GATE_DICE_MARGIN", 0.02, validate=validate.Range(min=0.0, max=1.0))
GATE_LESION_F1_MARGIN = read(
    env.float, "PLAQUEVIEW_GATE_LESION_F1_MARGIN", 0.05, validate=validate.Range(min=0.0, max=1.0)
)
GATE_STRATUM_MARGIN = read(env.float, "PLAQUEVIEW_GATE_STRATUM_MARGIN", 0.1, validate=validate.Range(min=0.0, max=1.0))
GATE_ACTIVE_SHARE = read(env.float, "PLAQUEVIEW_GATE_ACTIVE_SHARE", 0.5, validate=validate.Range(min=0.0, max=1.0))
GATE_SLOWEST = read(env.float, "PLAQUEVIEW_GATE_SLOWEST", 1.5, validate=validate.Range(min=1.0))
DICOM_AE_TITLE = read(env.str, "PLAQUEVIEW_DICOM_AE_TITLE", "PLAQUEVIEW")
DICOM_CALLING_AE_TITLES = read(env.list, "PLAQUEVIEW_DICOM_CALLING_AE_TITLES", [])
METRICS_TOKEN = read(env.str, "PLAQUEVIEW_METRICS_TOKEN", "", validate=is_secret_if_any)
DISK_RESERVE_BYTES = read(env.int, "PLAQUEVIEW_DISK_RESERVE_BYTES", 1024**3, validate=validate.Range(min=0))

# -- logging: one event a line, ids only -----------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"without_readiness": {"()": "plaqueview.core.logs.WithoutReadiness"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_readiness"]}},
    "root": {"handlers": ["stderr"], "level": read(env.log_level, "PLAQUEVIEW_LOG_LEVEL", "INFO")},
    # Below these levels libraries write what they handle: DICOM elements, SQL parameters, headers.
    "loggers": {
        "django.db.backends": {"level": "INFO"},
        "httpx": {"level": "WARNING"},
        "highdicom": {"level": "ERROR"},
        "pydicom": {"level": "ERROR"},
        "pynetdicom": {"level": "ERROR"},
        "onnx_ir": {"level": "WARNING"},
        "onnxscript": {"level": "WARNING"},
        "py.warnings": {"level": "ERROR"},
    },
}
# Python's warnings quote the values that libraries stumble over, a patient's name among them.
logging.captureWarnings(not DEBUG)

env.seal()
