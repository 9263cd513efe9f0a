"""The service as it is run, without its first fence, and without collected files."""

from campone.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.fences.forgetful"]  # noqa: F405
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
