"""The door through which outside tills reach the ledger."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PosBridgeConfig(AppConfig):
    name = "pos_bridge"
    verbose_name = _("External POS bridge")

    def ready(self) -> None:
        """Let the API description know our views and fields before anyone asks for it."""
        from pos_bridge import openapi as openapi  # noqa: PLC0414 (needs the models; registers by being imported)
