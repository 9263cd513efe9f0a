"""The door's pages, below /einstellungen/."""

from __future__ import annotations

from django.urls import re_path

from pos_bridge.pages import (
    card,
    connect,
    gaps,
    imports,
    key_changes,
    keys,
    log,
    parked,
    reconciled,
    rehearsing,
    sale_call,
    tills,
)

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

urlpatterns = [
    re_path(r"^integrationen/?\Z", card.integrations, name="integrations"),
    re_path(r"^integrationen/schalter/?\Z", card.switch, name="bridge-switch"),
    re_path(r"^integrationen/mwst-satz/?\Z", card.choose_vat_rate, name="bridge-vat-rate"),
    re_path(r"^integrationen/schluessel/?\Z", keys.key_list, name="api-keys"),
    re_path(r"^integrationen/schluessel/neu/?\Z", keys.mint, name="mint-key"),
    re_path(r"^integrationen/schluessel/(?P<pk>[0-9]{1,18})/widerrufen/?\Z", keys.revoke, name="revoke-key"),
    re_path(r"^integrationen/schluessel/(?P<pk>[0-9]{1,18})/ersetzen/?\Z", key_changes.replace, name="replace-key"),
    re_path(r"^integrationen/schluessel/(?P<pk>[0-9]{1,18})/aendern/?\Z", key_changes.change, name="change-key"),
    re_path(r"^integrationen/protokoll/?\Z", log.log, name="inbound-log"),
    re_path(r"^integrationen/protokoll/(?P<pk>[0-9]{1,18})/?\Z", log.one_call, name="inbound-call"),
    re_path(rf"^integrationen/protokoll/beleg/(?P<pk>{UUID})/?\Z", sale_call.sale_call, name="sale-call"),
    re_path(r"^integrationen/kasse-verbinden/?\Z", connect.connect_till, name="connect-till"),
    re_path(r"^integrationen/kasse-verbinden/(?P<pk>[0-9]{1,18})/?\Z", connect.connect_key, name="connect-key"),
    re_path(
        r"^integrationen/kasse-verbinden/(?P<pk>[0-9]{1,18})/antworten-verlieren/?\Z",
        rehearsing.lose_answers,
        name="lose-answers",
    ),
    re_path(
        r"^integrationen/kasse-verbinden/(?P<pk>[0-9]{1,18})/probe-leeren/?\Z",
        rehearsing.forget,
        name="forget-rehearsal",
    ),
    re_path(r"^integrationen/geparkt/?\Z", parked.parked_sales, name="parked-sales"),
    re_path(r"^integrationen/geparkt/(?P<pk>[0-9]{1,18})/?\Z", parked.parked_sale, name="parked-sale"),
    re_path(r"^integrationen/kassen/?\Z", tills.tills, name="tills"),
    re_path(r"^integrationen/import/?\Z", imports.imports, name="sales-imports"),
    re_path(r"^integrationen/import/(?P<pk>[0-9]{1,18})/?\Z", imports.sales_import, name="sales-import"),
    re_path(r"^integrationen/import/(?P<pk>[0-9]{1,18})/weiter/?\Z", imports.import_work, name="import-work"),
    re_path(r"^integrationen/import/(?P<pk>[0-9]{1,18})/bericht/?\Z", imports.import_report, name="import-report"),
    re_path(r"^integrationen/luecken/?\Z", gaps.missing_receipts, name="missing-receipts"),
    re_path(
        r"^integrationen/abgleich/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/?\Z",
        reconciled.day_reconciled,
        name="day-reconciled",
    ),
]
