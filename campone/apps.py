"""The project: joins the rooms. Nobody imports it."""

from django.apps import AppConfig


class CamponeConfig(AppConfig):
    name = "campone"

    def ready(self) -> None:
        """Register the numbered system checks, and name the registers of the admin."""
        from campone import checks  # noqa: F401 (registering is the import's whole purpose)
        from campone.registers import name_registers

        name_registers()
