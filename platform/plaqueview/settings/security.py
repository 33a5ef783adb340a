"""Who comes in, and what a browser may do."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from environs import validate

from plaqueview.settings.environment import are_identifier_keys, are_networks, env, is_https_if_any, read
from plaqueview.settings.process import FEED_URL, IS_BEHIND_TLS, ORIGIN

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
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "plaqueview.accounts.password_links.LinkGenerator"
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
MFA_ADAPTER = "plaqueview.accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "PlaqueView"
MFA_RECOVERY_CODES_SHOW_ONCE = True
SECOND_FACTOR_REQUIRED = (
    read(env.str, "PLAQUEVIEW_SECOND_FACTOR", "offered", validate=validate.OneOf(["offered", "required"])) == "required"
)
OPENID_URL = read(env.str, "PLAQUEVIEW_OPENID_URL", "", validate=is_https_if_any)
OPENID_NAME = read(env.str, "PLAQUEVIEW_OPENID_NAME", "Hospital account")
OPENID_USERNAME_CLAIM = read(env.str, "PLAQUEVIEW_OPENID_USERNAME_CLAIM", "preferred_username")
OPENID_PROVIDER = "hospital"
SOCIALACCOUNT_ADAPTER = "plaqueview.accounts.openid.OpenIdAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": OPENID_PROVIDER,
                "name": OPENID_NAME,
                "client_id": read(env.str, "PLAQUEVIEW_OPENID_CLIENT_ID", ""),
                "secret": read(env.str, "PLAQUEVIEW_OPENID_CLIENT_SECRET", ""),
                "settings": {"server_url": OPENID_URL, "oauth_pkce_enabled": True},
            }
        ],
    }
}
USERSESSIONS_ADAPTER = "plaqueview.accounts.adapter.SessionsAdapter"
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS: dict[str, str] = {}
# Ten failures a minute from one address, five in five minutes for one account; then it is locked for that long.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key", "reauthenticate": "10/m/user"}

# -- browser security ------------------------------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
# Behind TLS browsers keep cookies of this prefix to this very host. Source: RFC 6265bis, 4.1.3.2.
COOKIE_PREFIX = "__Host-" if IS_BEHIND_TLS else ""
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}plaqueview_sessionid"
SESSION_COOKIE_AGE = read(env.int, "PLAQUEVIEW_SESSION_AGE_S", 12 * 3600, validate=validate.Range(min=60))
SESSION_IDLE_S = read(env.int, "PLAQUEVIEW_SESSION_IDLE_S", 30 * 60, validate=validate.Range(min=60))
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_BEHIND_TLS
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}plaqueview_csrftoken"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = IS_BEHIND_TLS
CSRF_TRUSTED_ORIGINS = [ORIGIN]
CSRF_FAILURE_VIEW = "plaqueview.core.problems.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_BEHIND_TLS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_BEHIND_TLS else None
# nginx leads from http to https, and how far HSTS reaches beyond this host is the department's choice.
# models.W040: an index that holds more columns than it orders by is made where the database knows such.
SILENCED_SYSTEM_CHECKS = ["models.W040", "security.W005", "security.W008", "security.W021"]
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

# -- what names a patient, in the database ----------------------------------------------------------------------------
IDENTIFIER_KEYS = tuple(read(env.list, "PLAQUEVIEW_IDENTIFIER_KEYS", [], validate=are_identifier_keys))

# -- whereto this installation connects when a user names the address ------------------------------------------------
NODE_NETWORKS = [ip_network(text) for text in read(env.list, "PLAQUEVIEW_NODE_NETWORKS", [], validate=are_networks)]
NODES_ON_PRIVATE_NETWORKS = read(env.bool, "PLAQUEVIEW_NODES_ON_PRIVATE_NETWORKS", True)
NODES_ON_LOOPBACK = read(env.bool, "PLAQUEVIEW_NODES_ON_LOOPBACK", False)
