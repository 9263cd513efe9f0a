"""The project: joins the rooms. Nobody imports it."""

from django.apps import AppConfig


class CamponeConfig(AppConfig):
    name = "campone"

    def ready(self) -> None:
        """Register the numbered system checks."""
        from campone import checks  # noqa: F401 (registering is the import's whole purpose)
