"""The pages of connections, below /einstellungen/."""

from __future__ import annotations

from django.urls import re_path

from adapters import views

ONE = r"^integrationen/adapter/(?P<pk>[0-9]{1,18})"
EVENT = rf"{ONE}/ereignisse/(?P<event>[0-9]{{1,18}})"

urlpatterns = [
    re_path(r"^integrationen/adapter/?\Z", views.connections, name="connections"),
    re_path(r"^integrationen/adapter/neu/(?P<code>[a-z0-9_]{1,20})/?\Z", views.open_new, name="open-connection"),
    re_path(rf"{ONE}/?\Z", views.connection, name="connection"),
    re_path(rf"{ONE}/aendern/?\Z", views.change, name="change-connection"),
    re_path(rf"{ONE}/schalter/?\Z", views.switch, name="switch-connection"),
    re_path(rf"{ONE}/holen/?\Z", views.fetch_now, name="fetch-now"),
    re_path(rf"{ONE}/adresse/?\Z", views.renew, name="renew-address"),
    re_path(rf"{EVENT}/?\Z", views.event, name="vendor-event"),
    re_path(rf"{EVENT}/nochmals/?\Z", views.map_again, name="map-again"),
    re_path(rf"{EVENT}/beiseite/?\Z", views.set_aside, name="set-aside"),
]
