"""The ground floor: campgrounds, the people who work there, and the fence round each one's rows."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = _("Campgrounds")
