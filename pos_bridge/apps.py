"""The door through which outside tills reach the ledger."""

from django.apps import AppConfig


class PosBridgeConfig(AppConfig):
    name = "pos_bridge"
    verbose_name = "External POS bridge"

    def ready(self) -> None:
        """Let the API description know our views and fields before anyone asks for it."""
        from pos_bridge import openapi as openapi  # noqa: PLC0414 (needs the models; registers by being imported)
