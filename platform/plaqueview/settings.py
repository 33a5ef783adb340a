"""Django's settings, read once from the environment; a missing or malformed variable stops the start.

Every variable is listed with one comment in `deploy/env.example`.
"""

from pathlib import Path

from environs import Env

env = Env()

# -- process ---------------------------------------------------------------------------------------------------------
DEBUG = env.bool("PLAQUEVIEW_DEBUG", False)
SECRET_KEY = env.str("PLAQUEVIEW_SECRET_KEY", validate=lambda key: len(key) >= 32)
ORIGIN = env.str("PLAQUEVIEW_ORIGIN")
FEED_URL = env.str("PLAQUEVIEW_FEED_URL", ORIGIN.replace("http", "ws", 1) + "/ws/feed")
ALLOWED_HOSTS = env.list("PLAQUEVIEW_ALLOWED_HOSTS")
IS_BEHIND_TLS = ORIGIN.startswith("https://")

ROOT_URLCONF = "plaqueview.urls"
WSGI_APPLICATION = "plaqueview.wsgi.application"
ASGI_APPLICATION = "plaqueview.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("PLAQUEVIEW_TIME_ZONE", "UTC")
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
    "plaqueview.pacs",
    "plaqueview.feed",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
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
DATABASES = {"default": env.dj_db_url("PLAQUEVIEW_DATABASE_URL", conn_max_age=60)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, readers never wait: WAL, and a transaction that will write takes its lock at the start.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }

REDIS_URL = env.str("PLAQUEVIEW_REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "capacity": 1000, "expiry": 30},
    }
}
STORAGE_DIR = env.path("PLAQUEVIEW_STORAGE_DIR", validate=Path.is_absolute)

CELERY_BROKER_URL = env.str("PLAQUEVIEW_BROKER_URL", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# A killed worker's message is seen again after the visibility timeout; the job's lease decides whether it may run.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.int("PLAQUEVIEW_VISIBILITY_TIMEOUT_S", 30),
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_BEAT_SCHEDULE = {
    "inference.requeue_expired": {"task": "inference.requeue_expired", "schedule": 10.0},
    "studies.settle_quiet": {"task": "studies.settle_quiet", "schedule": 5.0},
}

# -- accounts and sign-in --------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_ADAPTER = "plaqueview.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS: dict[str, str] = {}

# -- browser security ------------------------------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_NAME = "plaqueview_sessionid"
SESSION_COOKIE_AGE = env.int("PLAQUEVIEW_SESSION_AGE_S", 12 * 3600)
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
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The codecs of the viewer are WebAssembly; nothing else may be compiled at run time.
        "script-src": ["'self'", "'wasm-unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'", FEED_URL.removesuffix("/ws/feed")],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# -- static files and the built frontend -----------------------------------------------------------------------------
WEB_DIR = Path(__file__).parent / "web"
STATIC_URL = "/static/"
STATIC_ROOT = env.path("PLAQUEVIEW_STATIC_DIR", STORAGE_DIR / "static")
STATICFILES_DIRS = [("web", WEB_DIR)] if WEB_DIR.is_dir() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

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
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "plaqueview.core.api.problem_response",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "PlaqueView",
    "DESCRIPTION": "FLAIR studies, the plaques that the network and the readers mark, and their counts. "
    "Research use only, not a medical device.",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# -- what the department decides -------------------------------------------------------------------------------------
DEFAULT_SITE_NAME = env.str("PLAQUEVIEW_SITE", "Demo")
QUIET_PERIOD_S = env.float("PLAQUEVIEW_QUIET_PERIOD_S", 5.0)
MINIMUM_LESION_VOLUME_MM3 = env.float("PLAQUEVIEW_MINIMUM_LESION_VOLUME_MM3", 14.1)
LESION_CONNECTIVITY = env.int("PLAQUEVIEW_LESION_CONNECTIVITY", 26)
JOB_LEASE_S = env.int("PLAQUEVIEW_JOB_LEASE_S", 20)
JOB_MAX_ATTEMPTS = env.int("PLAQUEVIEW_JOB_MAX_ATTEMPTS", 3)
INFERENCE_THREADS = env.int("PLAQUEVIEW_INFERENCE_THREADS", 0)
UPLOAD_MAX_FILES = env.int("PLAQUEVIEW_UPLOAD_MAX_FILES", 20_000)
UPLOAD_MAX_BYTES = env.int("PLAQUEVIEW_UPLOAD_MAX_BYTES", 8 * 1024**3)
UPLOAD_MAX_COMPRESSION_RATIO = env.int("PLAQUEVIEW_UPLOAD_MAX_COMPRESSION_RATIO", 200)
DICOM_AE_TITLE = env.str("PLAQUEVIEW_DICOM_AE_TITLE", "PLAQUEVIEW")
DICOM_CALLING_AE_TITLES = env.list("PLAQUEVIEW_DICOM_CALLING_AE_TITLES", [])
DISK_RESERVE_BYTES = env.int("PLAQUEVIEW_DISK_RESERVE_BYTES", 1024**3)

# -- logging: one event a line, ids only -----------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.log_level("PLAQUEVIEW_LOG_LEVEL", "INFO")},
}

env.seal()
