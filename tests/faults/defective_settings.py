"""The product's settings, and one defect: the one that DEFECT names (see ``controls``)."""

from campone.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.defects.Defects"]  # noqa: F405 (from the line above)
