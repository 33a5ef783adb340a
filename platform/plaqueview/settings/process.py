"""What the process is, and what it is made of."""

from pathlib import Path

from plaqueview.settings.environment import are_hosts, env, is_origin, is_secret, is_time_zone, read, url_of

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
LOCALE_PATHS = [Path(__file__).parents[1] / "reports" / "locale"]
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
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
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
    "plaqueview.enhancement",
    "plaqueview.pacs",
    "plaqueview.reports",
    "plaqueview.inbox",
    "plaqueview.outbox",
    "plaqueview.webhooks",
    "plaqueview.training",
    "plaqueview.monitoring",
    "plaqueview.feed",
    "plaqueview.operations",
    "django_celery_beat",
]

MIDDLEWARE = [
    "plaqueview.core.middleware.name_request",
    "django.middleware.security.SecurityMiddleware",
    "plaqueview.core.middleware.state_content_policy",  # before static files: a worker's policy is its own file's
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "plaqueview.core.middleware.limit_request_size",
    "plaqueview.core.middleware.keep_answers_private",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "plaqueview.pacs.middleware.answer_early",  # docs/decisions/0042-frames-early.md
    "django.contrib.sessions.middleware.SessionMiddleware",
    "plaqueview.accounts.middleware.end_idle_sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "plaqueview.accounts.middleware.require_second_factor",
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
