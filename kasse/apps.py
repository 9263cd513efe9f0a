"""The ledger: every finished sale, from the front desk and from outside tills."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KasseConfig(AppConfig):
    name = "kasse"
    verbose_name = _("Cash desk")
