"""Which column of a file holds what: guessed from the words of its header, put right by whoever imports it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pos_bridge.importing.tables import Row

LOOKED_AT = 20
PREFIX = "import"
WORDS = re.compile(r"[^\W_]+|%")


class Column(StrEnum):
    """What a column may hold."""

    DAY = "day"
    TIME = "time"
    RECEIPT = "receipt"
    REFERENCE = "reference"
    TILL = "till"
    TOTAL = "total"
    PAYMENT = "payment"
    DESCRIPTION = "description"
    QUANTITY = "quantity"
    UNIT_PRICE = "unit_price"
    LINE_TOTAL = "line_total"
    VAT_RATE = "vat_rate"
    SKU = "sku"
    CATEGORY = "category"
    TIP = "tip"
    ROUNDING = "rounding"
    CURRENCY = "currency"


# As back offices and people write them, in four languages; the first of a column's words fits best.
HEADERS: Mapping[Column, tuple[str, ...]] = {
    Column.REFERENCE: ("external ref", "external reference", "fremdreferenz", "referenz", "reference", "référence",
                       "riferimento", "transaction id", "transaktions id"),
    Column.RECEIPT: ("receipt number", "receipt no", "receipt", "belegnummer", "beleg nr", "belegnr", "beleg", "bon nr",
                     "bonnummer", "bon", "quittung", "quittungsnummer", "rechnungsnummer", "rechnung nr",
                     "numéro de reçu", "reçu", "ticket", "n ticket", "numero scontrino", "scontrino", "ricevuta",
                     "transaktionsnummer", "transaction number", "invoice number", "order number", "account id"),
    Column.DAY: ("date", "datum", "tag", "data", "giorno", "jour", "datum uhrzeit", "datum zeit", "date time",
                 "datetime", "date et heure", "data e ora", "verkaufsdatum", "zeitpunkt", "zeitstempel", "timestamp",
                 "transaction date", "sold at", "occurred at"),
    Column.TIME: ("time", "uhrzeit", "zeit", "heure", "ora", "verkaufszeit"),
    Column.TILL: ("till", "kasse", "terminal", "register", "device", "gerät", "caisse", "cassa", "kassenname"),
    Column.LINE_TOTAL: ("line total", "line amount", "positionsbetrag", "zeilenbetrag", "zeilentotal", "positionstotal",
                        "item total", "montant de la ligne", "total ligne", "totale riga", "importo riga"),
    Column.TOTAL: ("total amount", "total", "gesamtbetrag", "gesamt", "totalbetrag", "betrag", "betrag chf", "summe",
                   "endbetrag", "brutto", "bruttobetrag", "umsatz", "amount", "gross", "montant total", "montant",
                   "montant ttc", "ttc", "totale", "importo", "lordo", "gross sales", "price gross"),
    Column.PAYMENT: ("payment method", "payment", "payment type", "zahlungsart", "zahlungsmittel", "zahlart", "zahlung",
                     "zahlungsmethode", "bezahlt mit", "moyen de paiement", "mode de paiement", "paiement",
                     "metodo di pagamento", "pagamento", "tender", "card type"),
    Column.UNIT_PRICE: ("unit price", "einzelpreis", "stückpreis", "preis", "prix unitaire", "prix",
                        "prezzo unitario", "prezzo", "price"),
    Column.QUANTITY: ("quantity", "qty", "menge", "anzahl", "stück", "stk", "quantité", "qté", "quantità", "qtà",
                      "units"),
    Column.VAT_RATE: ("vat rate", "vat %", "vat", "mwst satz", "mwst %", "mwst", "mehrwertsteuer", "steuersatz",
                      "ust", "taux tva", "tva %", "tva", "taux de tva", "aliquota iva", "iva %", "iva", "tax rate"),
    Column.SKU: ("sku", "article number", "artikelnummer", "artikel nr", "art nr", "numéro d article",
                 "numero articolo", "ean", "plu", "barcode"),
    Column.DESCRIPTION: ("description", "beschreibung", "bezeichnung", "artikel", "artikelname", "produkt", "text",
                         "position", "désignation", "article", "produit", "descrizione", "articolo", "prodotto",
                         "item", "item name", "product", "name"),
    Column.CATEGORY: ("category", "kategorie", "warengruppe", "gruppe", "catégorie", "groupe", "categoria", "gruppo",
                      "accounting group"),
    Column.TIP: ("tip", "tips", "trinkgeld", "pourboire", "mancia", "gratuity"),
    Column.ROUNDING: ("rounding", "rundung", "rundungsdifferenz", "arrondi", "arrotondamento"),
    Column.CURRENCY: ("currency", "währung", "devise", "monnaie", "valuta"),
}  # fmt: skip
# A header with one of these holds another amount than what the guest has paid.
OTHER_AMOUNTS = {"netto", "net", "nette", "ht", "hors", "mwst", "vat", "tva", "iva", "tax", "steuer", "gebühr", "fee",
                 "refund", "cost", "costs", "einkauf"}  # fmt: skip
CURRENCIES = {"chf", "eur", "euro", "gbp", "usd"}
AMOUNTS = {Column.TOTAL, Column.LINE_TOTAL, Column.UNIT_PRICE}
NO_HEADER = -1


def words_of(title: str) -> str:
    """A title as its words alone, without accents: ``Beleg-Nr.`` is ``beleg nr``."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", title) if not unicodedata.combining(each))
    return " ".join(WORDS.findall(plain.casefold()))


PHRASES = {column: tuple(map(words_of, phrases)) for column, phrases in HEADERS.items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is read: where each column stands, what words for payments mean, how references begin.

    ``header`` is the place of the header among the rows, or ``NO_HEADER``; ``titles`` are its cells, ``columns`` are
    places in a row; all count from 0. A payment word is in lower case; "" is that of a row without one.
    """

    header: int
    titles: Sequence[str]
    columns: Mapping[Column, int]
    payments: Mapping[str, str] = field(default_factory=dict)
    prefix: str = PREFIX


class NotEnough(Exception):
    """A layout that lacks what every sale needs; ``code`` says what."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_layout(layout: Layout) -> None:
    """See that a receipt can be named, dated and reckoned up.

    Raises:
        NotEnough: it cannot.
    """
    known = layout.columns.keys()
    if Column.DAY not in known:
        raise NotEnough("no_day")
    if not known & {Column.RECEIPT, Column.REFERENCE}:
        raise NotEnough("no_receipt")
    if not known & {Column.TOTAL, Column.LINE_TOTAL, Column.UNIT_PRICE}:
        raise NotEnough("no_amount")


def guess_layout(rows: Sequence[Row], *, currency: str = "") -> Layout:
    """The header is the row, among the first, in which the most words are known; no row with digits is one unknown."""
    known = [len(guess_columns(row.cells, currency)) for row in rows[:LOOKED_AT]]
    header = max(range(len(known)), key=lambda place: (known[place], -place))
    is_data = not known[header] and any(each.isdigit() for cell in rows[header].cells for each in cell)
    return layout_below(NO_HEADER if is_data else header, rows, currency=currency)


def layout_below(header: int, rows: Sequence[Row], *, currency: str = "") -> Layout:
    """The guess where somebody has said which row is the header."""
    titles = [] if header == NO_HEADER else rows[header].cells
    return _with_lines(Layout(header, titles, guess_columns(titles, currency)), rows)


def guess_columns(titles: Sequence[str], currency: str = "") -> dict[Column, int]:
    """Each column at the title that fits it best; a title is of one column alone, an amount in our ``currency``."""
    others = OTHER_AMOUNTS | (CURRENCIES - {currency.casefold()} if currency else set())
    fits = sorted(_fits(titles, others), key=lambda fit: -fit[0])
    columns: dict[Column, int] = {}
    for _, column, place in fits:
        if column not in columns and place not in columns.values():
            columns[column] = place
    return columns


def _fits(titles: Sequence[str], others: set[str]) -> Iterator[tuple[int, Column, int]]:
    for place, title in enumerate(titles):
        words = words_of(title)
        for column, phrases in PHRASES.items():
            if column in AMOUNTS and others & set(words.split()):
                continue
            for rank, phrase in enumerate(phrases):
                if words == phrase:
                    yield 200 - rank, column, place
                elif f" {phrase} " in f" {words} ":
                    yield 100 - rank, column, place


def _with_lines(layout: Layout, rows: Sequence[Row]) -> Layout:
    """Where receipts go over several rows, with an amount of its own on each, that is the amount of a line.

    One that is the same on all rows of each receipt, or stands on one of them, may be the receipt's: adding that up
    would count it twice.
    """
    columns = layout.columns
    if Column.LINE_TOTAL in columns or not columns.keys() >= {Column.TOTAL, Column.RECEIPT, Column.DAY}:
        return layout
    named = [columns[Column.DAY], columns[Column.RECEIPT]]
    amounts: dict[tuple[str, ...], list[str]] = {}
    for row in rows[layout.header + 1 :]:
        receipt = tuple(row.cells[place] if place < len(row.cells) else "" for place in [*named, columns[Column.TOTAL]])
        if all(receipt[:2]):
            amounts.setdefault(receipt[:2], []).append(receipt[2])
    several = [each for each in amounts.values() if len(each) > 1]
    if not all(map(all, several)) or all(len(set(each)) == 1 for each in several):
        return layout
    moved: dict[Column, int] = {column: place for column, place in columns.items() if column is not Column.TOTAL}
    return replace(layout, columns={**moved, Column.LINE_TOTAL: columns[Column.TOTAL]})
