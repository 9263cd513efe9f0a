"""The settings of a version that is nobody's: the product's, and the migrations that STEPS names."""

import os

from campone.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.upgrading"]  # noqa: F405 (from the line above)
MIGRATION_MODULES = {"upgrading": f"tests.upgrading.migrations.{os.environ['STEPS']}"}
