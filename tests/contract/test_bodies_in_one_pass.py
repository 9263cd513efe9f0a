"""Bodies written by hand for the quick reader: the ordinary ones it must take itself, and traps laid for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pos_bridge.contract import read_sale
from pos_bridge.examples import FIVE_FIELDS, SALES
from tests.contract.both_readers import TERMS, strictly
from tests.pos_bridge.breaking import failing
from tests.promises import page
from tests.till import Till, croissants_and_coffee

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
PRODUCT_PAGE = page.EXAMPLE.encode()
BODY = json.dumps(croissants_and_coffee()).encode()


def changed(old: bytes, new: bytes, body: bytes = BODY) -> bytes:
    """The ordinary body with its first ``old`` replaced."""
    assert old in body
    return body.replace(old, new, 1)


def with_field(field: bytes, body: bytes = BODY) -> bytes:
    return body[:-1] + b", " + field + b"}"


TWICE = b'"external_ref": "T-0", '
# Each looks, in one way or another, like a sale that is in order.
TRAPS = {
    "a key twice": changed(b"{", b"{" + TWICE),
    "a key twice, its colons made up for by an escaped one": changed(
        b"08:14:32Z", b"08\\u003a14:32Z", changed(b"{", b"{" + TWICE)
    ),
    "the same with a capital letter": changed(b"08:14:32Z", b"08\\u003A14:32Z", changed(b"{", b"{" + TWICE)),
    "a key twice, once escaped": changed(b"{", b'{"extern\\u0061l_ref": "T-0", '),
    "a key twice in a line": changed(b'"quantity": 2', b'"quantity": 2, "quantity": 2'),
    "a key twice in a line, escaped colon in its text": changed(
        b'"Croissant"', b'"Crois\\u003asant"', changed(b'"quantity": 2', b'"quantity": 2, "quantity": 2')
    ),
    "the lines twice": changed(b"{", b'{"items": [], '),
    "the lines twice, escaped colon in a text": changed(b'"Kaffee"', b'"\\u003a"', changed(b"{", b'{"items": [], ')),
    "a key twice in a payment": with_field(b'"payments": [{"method": "CARD", "method": "CASH", "amount": "12.50"}]'),
    "payments twice": with_field(b'"payments": null, "payments": [{"method": "CASH", "amount": "12.50"}]'),
    "a null twice": with_field(b'"currency": null, "currency": null'),
    "metadata twice": with_field(b'"metadata": {"a": ":"}, "metadata": {"a": "\\u003a"}'),
    "a key twice in the metadata": with_field(b'"metadata": {"a": 1, "a": 1}'),
    "a key twice in the metadata, once escaped": with_field(b'"metadata": {"a": 1, "\\u0061": 1}'),
    "a key twice deep in the metadata": with_field(b'"metadata": {"a": [{"b": 1, "b": 2}]}'),
    "a key twice, and escaped colons in the metadata": with_field(
        b'"metadata": {"a": "\\u003a\\u003a"}', changed(b"{", b"{" + TWICE)
    ),
    "metadata that is deep": with_field(b'"metadata": {"a": [[[[[[[]]]]]]]}'),
    "metadata that is a list": with_field(b'"metadata": []'),
    "metadata with a raw line end": with_field(b'"metadata": {"a": "\n"}'),
    "metadata with NaN": with_field(b'"metadata": {"a": NaN}'),
    "metadata with a number too long": with_field(b'"metadata": {"a": 1234567890123456}'),
    "metadata with an exponent": with_field(b'"metadata": {"a": 1e3}'),
    "metadata with half a pair": with_field(b'"metadata": {"a": "\\uD83D"}'),
    "metadata too large": with_field(b'"metadata": {"a": "' + b"x" * 2048 + b'"}'),
    "a raw line end in a text": changed(b"Croissant", b"Crois\nsant"),
    "a raw tab in a text": changed(b"Croissant", b"Crois\tsant"),
    "a raw control character": changed(b"Croissant", b"Crois\x01sant"),
    "a raw DEL": changed(b"Croissant", b"Crois\x7fsant"),
    "a raw control character of the second block": changed(b"Croissant", "Crois\x85sant".encode()),
    "an escaped NUL": changed(b"Croissant", b"Crois\\u0000sant"),
    "an escaped backspace": changed(b"Croissant", b"Crois\\bsant"),
    "an escaped form feed": changed(b"Croissant", b"Crois\\fsant"),
    "an escaped DEL": changed(b"Croissant", b"Crois\\u007Fsant"),
    "an escaped control character of the second block": changed(b"Croissant", b"Crois\\u009Fsant"),
    "half a pair": changed(b"Croissant", b"Crois\\udc00sant"),
    "half a pair after an escaped backslash": changed(b"Croissant", b"Crois\\\\\\ud800sant"),
    "half a pair as bytes": changed(b"Croissant", b"Crois\xed\xa0\x80sant"),
    "leading zeros in a number": changed(b'"12.50"', b"0012.50"),
    "a plus": changed(b'"12.50"', b"+12.50"),
    "an exponent": changed(b'"12.50"', b"1.25e1"),
    "an exponent in a text": changed(b'"12.50"', b'"1.25e1"'),
    "digits of another script": changed(b'"12.50"', '"１2.50"'.encode()),
    "a line end after a number": changed(b'"12.50"', b'"12.50\\n"'),
    "a total in a list": changed(b'"12.50"', b'["12.50"]'),
    "an unknown field": with_field(b'"total": "12.50"'),
    "an unknown field in a line": changed(b'"quantity": 2', b'"quantity": 2, "vat": "8.1"'),
    "no lines": changed(b'"total_amount": "12.50"', b'"total_amount": "0"').split(b'"items"')[0]
    + b'"items": [], "occurred_at": "2026-04-29T08:14:32Z"}',
    "no payments": with_field(b'"payments": []'),
    "an empty currency": with_field(b'"currency": ""'),
    "a reference of a blank": changed(b"seeblick-2026-04-29-T-1", b" "),
    "a description of nothing": changed(b'"Croissant"', b'""'),
    "a kind of nothing": changed(b'"quantity": 2', b'"quantity": 2, "kind": ""'),
    "a quantity of minus nothing": changed(b'"quantity": 2', b'"quantity": -0.000'),
    "a rate of last year": changed(b'"quantity": 2', b'"quantity": 2, "vat_rate": "7.7"'),
    "a rate below zero": changed(b'"quantity": 2', b'"quantity": 2, "vat_rate": "-8.1"'),
    "a tip below zero": with_field(b'"tip_amount": "-0.01"'),
    "a comma too many": BODY[:-1] + b",}",
    "a second document": BODY + b"{}",
    "a byte order mark": b"\xef\xbb\xbf" + BODY,
    "a comment": BODY + b" // Kiosk",
    "a list of one": b"[" + BODY + b"]",
}


class TestABodyThatIsATrap:
    @pytest.mark.parametrize("name", TRAPS)
    def test_is_left_to_the_strict_reader(self, name: str) -> None:
        assert read_sale(TRAPS[name], TERMS) is None

    def test_is_one_indeed(self) -> None:
        """The strict reader refuses each, but for those with a field that we do not know."""
        taken = {name for name, body in TRAPS.items() if strictly(body)}

        assert taken == {"an unknown field", "an unknown field in a line"}


def ordinary_bodies() -> dict[str, bytes]:
    """What tills send on an ordinary day."""
    abroad = croissants_and_coffee(external_ref="Käse-1", metadata={"Kasse": "Küche 2: süß", "n": [1, None, True]})
    documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES} | SALES
    return {
        "the product page": PRODUCT_PAGE,
        **{f"{name}, in ASCII": json.dumps(each).encode() for name, each in documents.items()},
        **{f"{name}, in UTF-8": json.dumps(each, ensure_ascii=False).encode() for name, each in documents.items()},
        **{f"{name}, indented": json.dumps(each, indent=2).encode() for name, each in documents.items()},
        "letters escaped": json.dumps(abroad).encode(),
        "all that is optional null": json.dumps({**dict.fromkeys(OPTIONAL), **FIVE_FIELDS}).encode(),
        "numbers as numbers": changed(b'"12.50"', b"12.50"),
        "line ends in a text": changed(b"Croissant", b'Croissant\\n\\tmit \\"Schoggi\\" \\/ Nuss'),
        "an emoji": changed(b"Croissant", "🥐".encode()),
        "500 lines": json.dumps(
            croissants_and_coffee(
                total_amount="500.00",
                items=[{"description": "Brot", "quantity": 1, "unit_price": 1, "line_total": 1, "vat_rate": 2.6}] * 500,
            )
        ).encode(),
    }


OPTIONAL = (
    "currency", "rounding_amount", "tip_amount", "payments", "refund_of", "till_id", "receipt_seq",
    "sent_at", "metadata",
)  # fmt: skip
ORDINARY_BODIES = ordinary_bodies()


class TestAnOrdinaryBody:
    @pytest.mark.parametrize("name", ORDINARY_BODIES)
    def test_is_read_in_one_pass(self, name: str) -> None:
        body = ORDINARY_BODIES[name]

        assert read_sale(body, TERMS) == strictly(body) is not None

    def test_goes_no_other_way_over_http(self, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pos_bridge.intake.check_sale", failing(AssertionError("The long way was taken.")))

        assert till.call("POST", "/transactions/", body=PRODUCT_PAGE).status_code == 201
