"""One short sentence for the person at the till: at most 50 characters, in their language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.http import HttpRequest
from django.utils.translation import get_language_from_request

from pos_bridge.faults import Fault

LANGUAGES = ("de", "fr", "it", "en")
LONGEST = 50

Sentences = Mapping[str, tuple[str, str, str, str]]

# By problem code; the order is that of LANGUAGES.
PROBLEMS: Sentences = {
    "validation_error": ("Beleg abgelehnt", "Ticket refusé", "Scontrino rifiutato", "Sale refused"),
    "total_mismatch": (
        "Beleg abgelehnt: Total stimmt nicht",
        "Ticket refusé: total incorrect",
        "Scontrino rifiutato: totale errato",
        "Sale refused: total does not add up",
    ),
    "payments_mismatch": (
        "Beleg abgelehnt: Zahlungen ergeben nicht das Total",
        "Ticket refusé: paiements différents du total",
        "Scontrino rifiutato: pagamenti diversi dal totale",
        "Sale refused: payments do not match the total",
    ),
    "tip_mismatch": (
        "Beleg abgelehnt: Trinkgeld stimmt nicht",
        "Ticket refusé: pourboire incorrect",
        "Scontrino rifiutato: mancia errata",
        "Sale refused: tip does not add up",
    ),
    "occurred_at_in_future": (
        "Beleg abgelehnt: Uhr der Kasse geht vor",
        "Ticket refusé: l'horloge de la caisse avance",
        "Scontrino rifiutato: orologio cassa avanti",
        "Sale refused: the till's clock is ahead",
    ),
    "currency_mismatch": (
        "Beleg abgelehnt: falsche Währung",
        "Ticket refusé: mauvaise monnaie",
        "Scontrino rifiutato: valuta errata",
        "Sale refused: wrong currency",
    ),
    "unknown_parameter": ("Abfrage abgelehnt", "Requête refusée", "Richiesta rifiutata", "Query refused"),
    "parse_error": (
        "Beleg abgelehnt: nicht lesbar",
        "Ticket refusé: illisible",
        "Scontrino rifiutato: illeggibile",
        "Sale refused: not readable",
    ),
    "too_many": (
        "Zu viele Belege auf einmal",
        "Trop de tickets à la fois",
        "Troppi scontrini alla volta",
        "Too many sales at once",
    ),
    "bad_request": ("Anfrage fehlerhaft", "Requête incorrecte", "Richiesta errata", "Malformed request"),
    "invalid_key": (
        "Kasse nicht angemeldet: Schlüssel prüfen",
        "Caisse non reconnue: vérifier la clé",
        "Cassa non riconosciuta: verificare la chiave",
        "Till not recognised: check its key",
    ),
    "key_inactive": (
        "Schlüssel der Kasse gesperrt oder abgelaufen",
        "Clé de la caisse bloquée ou expirée",
        "Chiave della cassa bloccata o scaduta",
        "The till's key is revoked or has expired",
    ),
    "insufficient_scope": (
        "Der Kasse fehlt die Berechtigung",
        "La caisse n'a pas ce droit",
        "La cassa non è autorizzata",
        "The till may not do this",
    ),
    "https_required": (
        "Kasse falsch eingestellt: https verwenden",
        "Caisse mal réglée: utiliser https",
        "Cassa impostata male: usare https",
        "Till set up wrongly: use https",
    ),
    "address_not_allowed": (
        "Die Kasse darf von diesem Netz nicht senden",
        "La caisse ne peut pas envoyer de ce réseau",
        "La cassa non può inviare da questa rete",
        "The till may not send from this network",
    ),
    "pos_bridge_disabled": (
        "Kassenanbindung ist ausgeschaltet",
        "La liaison de caisse est désactivée",
        "Il collegamento della cassa è disattivato",
        "The till connection is switched off",
    ),
    "not_found": ("Nicht gefunden", "Introuvable", "Non trovato", "Not found"),
    "method_not_allowed": ("Anfrage nicht möglich", "Requête impossible", "Richiesta impossibile", "Not possible here"),
    "not_acceptable": ("Anfrage nicht möglich", "Requête impossible", "Richiesta impossibile", "Not possible here"),
    "external_ref_conflict": (
        "Belegnummer schon vergeben: Büro informieren",
        "Numéro déjà utilisé: avertir le bureau",
        "Numero già usato: avvisare l'ufficio",
        "Receipt number in use: tell the office",
    ),
    "payload_too_large": (
        "Beleg abgelehnt: zu gross",
        "Ticket refusé: trop volumineux",
        "Scontrino rifiutato: troppo grande",
        "Sale refused: too large",
    ),
    "unsupported_media_type": (
        "Beleg abgelehnt: falsches Format",
        "Ticket refusé: mauvais format",
        "Scontrino rifiutato: formato errato",
        "Sale refused: wrong format",
    ),
    "throttled": (
        "Zu viele Anfragen: später nochmals",
        "Trop de requêtes: réessayer plus tard",
        "Troppe richieste: riprovare più tardi",
        "Too many calls: try again later",
    ),
    "server_error": (
        "Störung: später nochmals",
        "Panne: réessayer plus tard",
        "Guasto: riprovare",
        "Fault: try again later",
    ),
    "busy": ("Überlastet: gleich nochmals", "Surchargé: réessayer", "Sovraccarico: riprovare", "Busy: try again"),
    "unavailable": (
        "Störung: später nochmals",
        "Panne: réessayer plus tard",
        "Guasto: riprovare",
        "Fault: try again later",
    ),
}

FIELDS: Sentences = {
    "external_ref": ("Belegnummer", "Numéro", "Numero", "Reference"),
    "payment_method": ("Zahlungsart", "Paiement", "Pagamento", "Payment method"),
    "total_amount": ("Total", "Total", "Totale", "Total"),
    "items": ("Positionen", "Lignes", "Righe", "Lines"),
    "description": ("Bezeichnung", "Désignation", "Descrizione", "Description"),
    "quantity": ("Menge", "Quantité", "Quantità", "Quantity"),
    "unit_price": ("Preis", "Prix", "Prezzo", "Price"),
    "line_total": ("Betrag", "Montant", "Importo", "Amount"),
    "occurred_at": ("Zeitpunkt", "Date et heure", "Data e ora", "Time"),
    "sent_at": ("Sendezeit", "Heure d'envoi", "Ora d'invio", "Time sent"),
    "sku": ("Artikelnummer", "Numéro d'article", "Codice", "Article number"),
    "vat_rate": ("MWST-Satz", "Taux de TVA", "Aliquota IVA", "VAT rate"),
    "category": ("Kategorie", "Catégorie", "Categoria", "Category"),
    "kind": ("Art", "Genre", "Tipo", "Kind"),
    "currency": ("Währung", "Monnaie", "Valuta", "Currency"),
    "rounding_amount": ("Rundung", "Arrondi", "Arrotondamento", "Rounding"),
    "tip_amount": ("Trinkgeld", "Pourboire", "Mancia", "Tip"),
    "payments": ("Zahlungen", "Paiements", "Pagamenti", "Payments"),
    "method": ("Zahlungsart", "Paiement", "Pagamento", "Payment method"),
    "amount": ("Betrag", "Montant", "Importo", "Amount"),
    "refund_of": ("Originalbeleg", "Ticket d'origine", "Originale", "Original"),
    "till_id": ("Gerät", "Appareil", "Apparecchio", "Device"),
    "receipt_seq": ("Laufnummer", "Numéro courant", "Progressivo", "Running number"),
    "metadata": ("Zusatzdaten", "Métadonnées", "Metadati", "Metadata"),
}

RULES: Sentences = {
    "required": ("{} fehlt", "{} manque", "{} manca", "{} missing"),
    "null": ("{} fehlt", "{} manque", "{} manca", "{} missing"),
    "blank": ("{} fehlt", "{} manque", "{} manca", "{} missing"),
    "empty": ("{} fehlen", "{} manquent", "{} mancano", "{} missing"),
    "zero": ("{} darf nicht 0 sein", "{} ne peut être 0", "{} non può essere 0", "{} must not be 0"),
    "max_length": ("{} zu lang", "{}: trop long", "{}: troppo lungo", "{} too long"),
    "min_value": ("{} zu klein", "{}: trop petit", "{}: troppo piccolo", "{} too small"),
    "unknown_vat_rate": ("{} unbekannt", "{} inconnu", "{}: sconosciuta", "{} unknown"),
}
# Their names are plurals.
LISTS = frozenset({"items", "payments", "metadata"})
OTHERWISE = ("{} ungültig", "{}: non valable", "{}: non valido", "{} not valid")


def cashier_message(code: str, faults: Sequence[Fault], request: HttpRequest) -> str:
    """What the cashier reads on the till: the first fault in words, in the language of ``Accept-Language``."""
    return sentence(code, faults, LANGUAGES.index(language_of(request)))


def language_of(request: HttpRequest) -> str:
    """One of ``LANGUAGES``; German where the caller asks for none of them."""
    language = get_language_from_request(request).partition("-")[0]
    return language if language in LANGUAGES else LANGUAGES[0]


def sentence(code: str, faults: Sequence[Fault], language: int) -> str:
    """The sentence for a problem in the language at that place of ``LANGUAGES``."""
    whole = PROBLEMS[code][language]
    names = [step for fault in faults[:1] for step in fault.path if isinstance(step, str)]
    if code != "validation_error" or not names or names[-1] not in FIELDS:
        return whole
    missing = names[-1] in LISTS and faults[0].code in {"required", "null"}
    rule = RULES.get("empty" if missing else faults[0].code, OTHERWISE)[language]
    exact = f"{whole}: {rule.format(FIELDS[names[-1]][language])}"
    return exact if len(exact) <= LONGEST else whole
