"""The door through which outside tills reach the ledger."""

from django.apps import AppConfig


class PosBridgeConfig(AppConfig):
    name = "pos_bridge"
    verbose_name = "External POS bridge"
