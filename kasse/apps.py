"""The ledger: every finished sale, from the front desk and from outside tills."""

from django.apps import AppConfig


class KasseConfig(AppConfig):
    name = "kasse"
    verbose_name = "Cash desk"
