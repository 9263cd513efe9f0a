from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys.minting import Minted
from tests.contract.bare_wsgi import call
from tests.contract.sales import new_sale, nothing_is_stored, on_one_campground
from tests.till import Till, body_of

SALE = json.dumps(new_sale()).encode()

JSON_IN_UTF_8 = [
    "application/json", "application/json; charset=utf-8", 'Application/JSON; Charset="UTF-8"',
    "application/json;charset=utf8", "application/json; version=1",
]  # fmt: skip
ANYTHING_ELSE = [
    "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "application/jsonp", "application/ld+json", "application/*", "*/*", "json", "application",
    "application/json, text/plain", "application/json; charset=utf-16", "application/json; charset=latin-1",
    "application/json; charset=ascii", "application/json; charset=", "application/json; charset=nonsense",
]  # fmt: skip
NO_JSON = ["text/html", "application/xml", "text/*", "image/png", "nonsense", "///", ";;;", "x" * 5000]
JSON_TOO = ["*/*", "application/*", "application/json", "text/html, */*;q=0.1", "application/json; charset=utf-8"]
CODECS = ["hex", "undefined", "rot13", "zlib", "idna", "utf-16", "utf-7", "unicode_escape", "\xe9"]


HEADERS = [
    "HTTP_ACCEPT", "HTTP_ACCEPT_CHARSET", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_CONTENT_ENCODING", "HTTP_HOST", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_ORIGIN", "HTTP_RANGE",
    "HTTP_TRANSFER_ENCODING", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REQUEST_ID",
    "HTTP_X_HTTP_METHOD_OVERRIDE", "CONTENT_TYPE", "CONTENT_LENGTH",
]  # fmt: skip
LATIN_1 = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
PIECES = [
    "application/json", "text/html", "*", "/", ";", ",", "q=", "0.5", "=", '"', "W/", "Bearer", " ", "ck_", "de",
    "-CH", "chunked",
    "gzip", "charset", "*0*=", "''", "%", ":", "bytes=0-", "\xe9", "9" * 20,
]  # fmt: skip


def post(till: Till, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return till.call("POST", "/transactions/", body=SALE, headers=named)


class TestContentType:
    def test_of_json_in_utf_8_is_taken(self, till: Till) -> None:
        answers = [post(till, content_type=content_type) for content_type in JSON_IN_UTF_8]

        assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200]

    def test_of_anything_else_is_refused(self, till: Till) -> None:
        for content_type in ANYTHING_ELSE:
            answer = post(till, content_type=content_type)

            assert (answer.status_code, body_of(answer)["code"]) == (415, "unsupported_media_type"), content_type
        assert nothing_is_stored()

    @pytest.mark.parametrize("charset", CODECS)
    def test_chooses_no_codec_for_the_query_string(self, key: Minted, charset: str) -> None:
        header = f"application/json; charset={charset}"

        asked = call(key.token, "GET", "/transactions/", query="external_ref=caf%C3%A9", body=b"x", CONTENT_TYPE=header)
        posted = call(key.token, "POST", "/transactions/", query="a=%C3%A9", body=SALE, CONTENT_TYPE=header)

        assert (asked.status_code, asked.body["count"]) == (200, 0)
        assert (posted.status_code, posted.body["code"]) == (415, "unsupported_media_type")

    @given(
        header=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80),
        start=st.sampled_from(
            ["", "application/json;", "application/json; charset*=", "application/json; charset*0*="]
        ),
    )
    @on_one_campground
    def test_is_answered_whatever_it_says(self, key: Minted, header: str, start: str) -> None:
        for query in ("", "page=1"):
            answer = call(key.token, "POST", "/transactions/", body=b"{}", query=query, CONTENT_TYPE=start + header)

            assert answer.status_code in {400, 415}
            assert answer.body["status"] == answer.status_code

    @pytest.mark.parametrize(
        "parameter", ["charset*=nonsense'de'a", "charset*=undefined'de'%41", "x*=nonsense''", "x*0*=''"]
    )
    def test_in_an_encoding_of_its_own_brings_no_crash(self, key: Minted, parameter: str) -> None:
        answer = call(key.token, "POST", "/transactions/", body=SALE, CONTENT_TYPE=f"application/json; {parameter}")

        assert answer.status_code in {201, 415}
        assert answer.headers["X-Request-Id"]

    @pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=idna"])
    def test_brings_no_crash_with_a_thousand_parameters(self, key: Minted, charset: str) -> None:
        header = f"application/json{charset}"

        answer = call(key.token, "GET", "/transactions/", query="a=1&" * 2000, body=b"{}", CONTENT_TYPE=header)

        assert (answer.status_code, answer.body["code"]) == (400, "bad_request")
        assert answer.headers["X-Request-Id"]


class TestAnyHeader:
    @given(
        name=st.sampled_from(HEADERS),
        value=st.one_of(LATIN_1, st.lists(st.sampled_from(PIECES), max_size=12).map("".join)),
        path=st.sampled_from(["/transactions/", "/products/", "/ping/", "/transactions/T-1/", "/nowhere"]),
    )
    @on_one_campground
    def test_is_answered_whatever_it_says(self, key: Minted, name: str, value: str, path: str) -> None:
        header: dict[str, Any] = {name: value}

        answer = call(key.token, "GET", path, **header)

        assert answer.status_code < 500, answer.content
        assert answer.status_code == 304 or answer.body
        assert answer.headers["X-Request-Id"].isascii()


class TestContentEncoding:
    @pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
    def test_of_any_kind_is_refused(self, till: Till, coding: str) -> None:
        answer = post(till, content_encoding=coding)

        assert (answer.status_code, body_of(answer)["code"]) == (415, "unsupported_media_type")
        assert nothing_is_stored()


class TestAccept:
    def test_without_json_is_refused(self, till: Till) -> None:
        for accept in NO_JSON:
            for answer in (post(till, accept=accept), till.get("/ping/", accept=accept)):
                assert (answer.status_code, body_of(answer)["code"]) == (406, "not_acceptable"), accept
        assert nothing_is_stored()

    def test_that_leaves_json_a_place_is_served(self, till: Till) -> None:
        assert {till.get("/ping/", accept=accept).status_code for accept in JSON_TOO} == {200}
