"""The product's settings, for migrating alone, with the migration that needs room."""

from campone.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.growing"]  # noqa: F405 (from the line above)
