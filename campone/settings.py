"""Django's settings: everything an operator may choose comes from the environment (``environment.py``)."""

from __future__ import annotations

import logging
from datetime import timedelta

import django_stubs_ext
from csp.constants import NONE, SELF
from django.urls import reverse_lazy

from campone.environment import PROJECT, read_environment

django_stubs_ext.monkeypatch()

ENVIRONMENT = read_environment()

# --- who we are -------------------------------------------------------------------------------------
SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = ENVIRONMENT.secret_key_fallbacks
DEBUG = False
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts
TENANT_DOMAIN = ENVIRONMENT.tenant_domain
PUBLIC_URL = ENVIRONMENT.public_url
PROXY_COUNT = ENVIRONMENT.proxy_count
ROOT_URLCONF = "campone.urls"
WSGI_APPLICATION = "campone.wsgi.application"
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- the bridge -------------------------------------------------------------------------------------
POS_CONFLICT_POLICY = ENVIRONMENT.conflict_policy
ACTIVITY_RETENTION_DAYS = ENVIRONMENT.activity_retention_days

# --- figures and traces for the operator ------------------------------------------------------------
METRICS_TOKEN = ENVIRONMENT.metrics_token
METRICS_ADDRESSES = ENVIRONMENT.metrics_addresses
METRICS_TENANTS = ENVIRONMENT.metrics_tenants
METRICS_FOLDER = ENVIRONMENT.metrics_folder
TRACES_ENDPOINT = ENVIRONMENT.traces_endpoint

# --- mails --------------------------------------------------------------------------------------------
EMAIL_BACKEND = ENVIRONMENT.mail_server.backend
EMAIL_HOST = ENVIRONMENT.mail_server.host
EMAIL_PORT = ENVIRONMENT.mail_server.port
EMAIL_HOST_USER = ENVIRONMENT.mail_server.user
EMAIL_HOST_PASSWORD = ENVIRONMENT.mail_server.password
EMAIL_USE_SSL = ENVIRONMENT.mail_server.use_ssl
EMAIL_USE_TLS = ENVIRONMENT.mail_server.use_tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENVIRONMENT.mail_sender or "campone@localhost"

# --- calls to other machines ------------------------------------------------------------------------
ALLOW_LOOPBACK_CALLS = ENVIRONMENT.allow_loopback_calls

INSTALLED_APPS = [
    "campone",
    "adapters",
    "pos_bridge",
    "journal",
    "kasse",
    "catalogue",
    "apikeys",
    "tenants",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "axes",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # Outermost, so that every call is logged and carries its request id, whatever happens inside.
    "pos_bridge.activity.ActivityLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Innermost: answers in place of the page that has tried a password too many.
    "axes.middleware.AxesMiddleware",
]

# The whole way of a till's call (pos_bridge.handler): a key needs no session, no form token, no message.
TILL_MIDDLEWARE = ["pos_bridge.activity.ActivityLogMiddleware"]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "campone.frame.frame",
            ],
        },
    },
]

# --- where the rows live ----------------------------------------------------------------------------
DATABASES = {"default": ENVIRONMENT.database}

# --- the API ----------------------------------------------------------------------------------------
# A redirect would turn a till's POST into a GET and lose the sale; both spellings are routed instead.
APPEND_SLASH = False
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["pos_bridge.admission.TillAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apikeys.permissions.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["pos_bridge.wire.JSONBytesParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "pos_bridge.problems.answer_exception",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "External POS bridge",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "LICENSE": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    # Never a name from the environment: the description is the same for every installation, and committed.
    "SERVERS": [
        {"url": "/", "description": "The host that serves this description"},
        {"url": "https://api.campone.example", "description": "The host common to all campgrounds"},
        {
            "url": "https://{campground}.campone.example",
            "description": "A campground's own host",
            "variables": {"campground": {"default": "seeblick"}},
        },
    ],
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # Without a badge from a validator outside; a key that is typed in stays in the page.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "persistAuthorization": False},
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/public/pos",
    "PREPROCESSING_HOOKS": ["pos_bridge.openapi.keep_canonical_paths"],
    "POSTPROCESSING_HOOKS": ["pos_bridge.openapi.describe_answers"],
}

# --- people -----------------------------------------------------------------------------------------
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "apikeys.hashing.ApiKeyHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# A name is locked for the address that guesses, and open to everybody else: nobody can lock a colleague out from afar.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_CALLABLE = "tenants.views.locked_out"
AXES_CLIENT_IP_CALLABLE = "tenants.addresses.ip_address_of"
AXES_USERNAME_CALLABLE = "tenants.views.counted_as"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
LOGIN_URL = reverse_lazy("sign-in")
LOGIN_REDIRECT_URL = reverse_lazy("home")

# --- the browser's fences ---------------------------------------------------------------------------
SECURE = not ENVIRONMENT.development
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
# The __Host- prefix makes browsers refuse the cookie for any other host: one campground's session is
# no use on a neighbour's address.
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE
# A till's POST must not be redirected: it would come back as a GET, and the token has crossed the wire already.
SECURE_REDIRECT_EXEMPT = [r"^api/"]
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.proxy_count else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What is not ours does not run, load or receive anything: no script and no style stands in a page itself.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# --- language and time ------------------------------------------------------------------------------
LANGUAGE_CODE = "de"
LANGUAGES = [("de", "Deutsch"), ("fr", "Français"), ("it", "Italiano"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [PROJECT / "campone" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- files ------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.static_root
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
VAR = PROJECT / "var"

# --- what is told to the operator -------------------------------------------------------------------
LOG_FORMAT = ENVIRONMENT.log_format
LOG_CALLS = ENVIRONMENT.log_calls
if LOG_FORMAT == "json":
    logging.captureWarnings(True)  # they are lines like others
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "campone.operation.log_lines.TextLine"},
        "json": {"()": "campone.operation.log_lines.JSONLine"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": ENVIRONMENT.log_level},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        # One line for each refused call would repeat the activity log, and let anyone fill the disk.
        "django.request": {"level": "ERROR"},
        # Tells each step of writing a PDF.
        "fontTools": {"level": "WARNING"},
        "django.security.DisallowedHost": {"handlers": [], "level": "CRITICAL"},
    },
}
