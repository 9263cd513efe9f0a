from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kasse.models import Transaction
from pos_bridge.fields import fault_in_reference
from tests.contract.sales import faults_of, new_sale, nothing_is_stored, on_one_campground
from tests.till import BASE, Body, Till, body_of

ACCEPTED = [
    "lightspeed-2026-04-29-T-1234", "1", "0", "-", "~", "...", ".a", "a.", "...json", "T-1.json", "T-1.xml",
    "products", "ping", "transactions", "transactions/1", "a/b", "a//b", "a/../b", "../a", "a/..", "a/./b",
    "a b", "a  b", "a\u00a0b", "a+b", "a%2Bb", "a%b", "100%", "%", "%2F", "%252F", "%00", "%0A", "%ZZ",
    "a=b&c=d", "a;b",
    "?", "a?b", "#", "a#b", "a?page=2#end", "a:b", "a@b", "a,b", "a'b", 'a"b', "a\\b", "\\", "<b>", "{a}", "[a]",
    "*", "|",
    "Beleg 7 – Glacé", "caf\u00e9", "cafe\u0301", "ГОСТ-1", "收据", "إيصال", "🏕", "👍🏽", "é" * 255, "🏕" * 255,
    "a" * 255,
]  # fmt: skip

REFUSED: dict[str, list[Any]] = {
    "blank": [""],
    "dots_only": [".", ".."],
    "outer_slash": ["/", "//", "/a", "a/", "/a/", "a//", "./", "/.."],
    "surrounding_blanks": [" ", " a", "a ", "\u00a0a", "a\u00a0", "a\u3000", "\u2003a", "a\u202f", "\u1680"],
    "unprintable": [
        "a\tb", "a\nb", "a\r\nb", "\ta", "a\n",
        "a\u200bb", "a\u200db", "a\u200eb", "a\u202eb", "a\u2066b\u2069", "a\u2060b", "a\u00adb", "\ufeffa",
        "a\u061cb",
        "a\u2028b", "a\u2029b", "a\U000e0041b",
    ],
    "max_length": ["a" * 256, "🏕" * 256, "e\u0301" * 128],
    "invalid": [5, 1.5, True, False, [], {}, ["a"]],
    "null": [None],
    "required": [...],
}  # fmt: skip

REFERENCES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=255).filter(
    lambda text: fault_in_reference(text) is None
)
PIECES = [
    "/",
    "..",
    ".",
    "%2F",
    "%",
    "%25",
    "+",
    " ",
    "?",
    "#",
    "&",
    "=",
    "a",
    "A",
    "\u00e9",
    "e\u0301",
    "\\",
    ";",
    "🏕",
]
TRICKY = (
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=12)
    .map("".join)
    .filter(lambda text: fault_in_reference(text) is None)
)

LOOK_ALIKES = [
    ("beleg-1", "BELEG-1"), ("caf\u00e9", "cafe\u0301"), ("\ufb01", "fi"), ("straße", "strasse"), ("I", "ı"),
    ("a", "ａ"), ("a b", "a+b"), ("a b", "a%20b"), ("a/b", "a%2Fb"), ("a%2Fb", "a%252Fb"), ("a b", "a  b"),
    ("a b", "a\u00a0b"), ("1", "01"),
]  # fmt: skip

NO_REFERENCES = [
    "%00", "%0A", "a%0A", "a%00b", "%20", "%20a", "a%20", "%2F", "/", "//", "%2Fa", "a//", ".", "..", "%2E", "%2E%2E",
    "%FF", "%ED%A0%80", "%C0%80", "%C3", "%E2%80%AE", "%C2%85", "%C2%A0", "%EF%BB%BF",
    "a" * 256, "a" * 50_000, "%F0%9F%8F%95" * 256,
]  # fmt: skip


def stored_under(till: Till, reference: str) -> list[Body]:
    """What the three ways of reading a reference give."""
    encoded = quote(reference, safe="")
    answers = [till.get(f"/transactions/{encoded}/"), till.get(f"/transactions/{encoded}")]
    listed: list[Body] = body_of(till.get(f"/transactions/?external_ref={encoded}"))["results"]
    return [body_of(answer) for answer in answers] + listed


class TestAReference:
    def test_reads_back_in_every_way(self, till: Till) -> None:
        for reference in ACCEPTED:
            answer = till.post(new_sale(external_ref=reference))

            assert answer.status_code == 201, answer.content
            sale = body_of(answer)
            assert sale["external_ref"] == reference
            assert stored_under(till, reference) == [sale, sale, sale]
            assert body_of(till.call("GET", answer["Location"].partition(BASE)[2])) == sale

    @pytest.mark.parametrize("code", REFUSED)
    def test_is_refused_if_it_would_not_survive_a_path(self, till: Till, code: str) -> None:
        for value in REFUSED[code]:
            assert faults_of(till.post(new_sale(external_ref=value))) == {("external_ref", code)}, ascii(value)
        assert nothing_is_stored()

    @pytest.mark.parametrize("code", sorted(REFUSED.keys() - {"blank", "null", "required"}))
    def test_of_a_refunded_sale_keeps_the_same_rules(self, till: Till, code: str) -> None:
        for value in REFUSED[code]:
            assert faults_of(till.post(new_sale(refund_of=value))) == {("refund_of", code)}, ascii(value)

    @pytest.mark.parametrize("value", ["", None, ...])
    def test_of_a_refunded_sale_may_be_missing(self, till: Till, value: Any) -> None:
        assert body_of(till.post(new_sale(refund_of=value)))["refund_of"] is None

    @given(st.one_of(REFERENCES, TRICKY))
    @on_one_campground
    def test_that_is_accepted_reads_back_as_it_was_sent(self, till: Till, reference: str) -> None:
        answer = till.post(new_sale(external_ref=reference))

        assert answer.status_code in {200, 201}
        assert [sale["external_ref"] for sale in stored_under(till, reference)] == [reference] * 3

    @given(st.text(max_size=260))
    @on_one_campground
    def test_is_accepted_or_refused_by_the_published_rule(self, till: Till, reference: str) -> None:
        printable = all(unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in reference)
        outer = reference[:1].isspace() or reference[-1:].isspace() or {reference[:1], reference[-1:]} & {"/"}
        good = printable and not outer and reference not in {".", ".."} and 1 <= len(reference) <= 255
        before = Transaction.objects.count()

        answer = till.post(new_sale(external_ref=reference))

        assert (answer.status_code in {200, 201}) == good, answer.content
        assert Transaction.objects.count() - before == (answer.status_code == 201)

    @given(st.one_of(REFERENCES, TRICKY), st.one_of(REFERENCES, TRICKY), st.data())
    @on_one_campground
    def test_is_never_taken_for_another(self, till: Till, one: str, other: str, data: st.DataObject) -> None:
        other = data.draw(
            st.sampled_from([other, one.swapcase(), unicodedata.normalize("NFD", one), quote(one), f"{one}.json"])
        )
        assume(one != other and len(other) <= 255 and fault_in_reference(other) is None)

        first, second = (till.post(new_sale(external_ref=reference)) for reference in (one, other))

        assert body_of(first)["id"] != body_of(second)["id"]
        assert body_of(till.read_back(one))["id"] == body_of(first)["id"]

    def test_that_looks_alike_is_another(self, till: Till) -> None:
        for number, pair in enumerate(LOOK_ALIKES):
            references = [f"{number}-{reference}" for reference in pair]

            answers = [till.post(new_sale(external_ref=reference)) for reference in references]

            assert [answer.status_code for answer in answers] == [201, 201], pair
            assert [body_of(till.read_back(reference))["external_ref"] for reference in references] == references


class TestAPath:
    def test_that_can_be_no_reference_is_not_found(self, till: Till) -> None:
        for path in NO_REFERENCES:
            answers = [till.get(f"/transactions/{path}{end}") for end in ("", "/")]

            assert [answer.status_code for answer in answers] == [404, 404], path[:80]

    @given(st.binary(max_size=300))
    @on_one_campground
    def test_of_any_bytes_is_answered(self, till: Till, path: bytes) -> None:
        assert till.get(f"/transactions/{quote(path, safe='/')}").status_code in {200, 404}

    def test_with_broken_escapes_finds_what_it_spells(self, till: Till) -> None:
        sale = body_of(till.post(new_sale(external_ref="100%")))

        assert body_of(till.get("/transactions/100%/")) == sale

    def test_of_the_neighbour_is_as_absent_as_any(self, till: Till, neighbours_till: Till) -> None:
        neighbours_till.post(new_sale(external_ref="waldrand-1"))

        theirs, nobodys = body_of(till.read_back("waldrand-1")), body_of(till.read_back("waldrand-2"))

        assert theirs["status"] == 404
        assert {**theirs, "request_id": ""} == {**nobodys, "request_id": ""}
        assert body_of(till.get("/transactions/?external_ref=waldrand-1"))["count"] == 0
