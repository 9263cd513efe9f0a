"""What a key is called: on pages, in files, and in the books it is posted to."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from journal.accounts import ANY, UNKNOWN, UNMAPPED
from kasse.models import PaymentMethod, Source

SINGLE = {
    "rounding": gettext_lazy("Cash rounding"),
    "tips": gettext_lazy("Tips"),
    "vouchers": gettext_lazy("Vouchers sold"),
    UNMAPPED: gettext_lazy("Unclear amounts"),
}


def label_of(key: str) -> str:
    """``revenue.shop.2.6`` as a person says it; a key that nobody knows stays as it is."""
    kind, _dot, rest = key.partition(".")
    first, _dot, second = rest.partition(".")
    if key in SINGLE:
        return str(SINGLE[key])
    if kind == "revenue":
        return _("Revenue %(category)s, %(rate)s") % {"category": _category(first), "rate": _rate(second)}
    if kind == "vat":
        return _("VAT %s") % _rate(rest)
    if kind == "tender":
        return _tender(first, second) if second else _tender("", first)
    return key


def _category(word: str) -> str:
    names = {ANY: _("of all categories"), "other": _("without category"), "service-charge": _("service charge")}
    return names.get(word, word.replace("-", " ").title())


def _rate(word: str) -> str:
    names = {ANY: _("every VAT rate"), UNKNOWN: _("VAT rate unknown")}
    return names.get(word, f"{word}%")


def _tender(source: str, method: str) -> str:
    code = method.upper()
    name = str(PaymentMethod(code).label) if code in PaymentMethod.values else method
    if source.upper() in Source.values:
        return pgettext("tender", "%(method)s, %(source)s") % {"method": name, "source": Source(source.upper()).label}
    return name
