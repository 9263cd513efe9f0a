"""The project's settings for tests: an environment is given where none is, people's passwords hash fast."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-" + "k7Qz2mX9vB4nL8pR3sT6wY1cF5gH0jD" * 2)
os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1,api.campone.example,.campone.example")
os.environ.setdefault("TENANT_DOMAIN", "campone.example")
os.environ.setdefault("PUBLIC_URL", "https://api.campone.example")
# Threads of one test each keep a connection of their own; the real servers of the tests pool as in production.
os.environ.setdefault("DATABASE_POOL_SIZE", "0")

from campone.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "apikeys.hashing.ApiKeyHasher"]
SECURE_SSL_REDIRECT = False
MIDDLEWARE = [each for each in MIDDLEWARE if "whitenoise" not in each]  # noqa: F405 (nothing is collected)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LOGGING = {**LOGGING, "root": {"handlers": ["console"], "level": "ERROR"}}  # noqa: F405
