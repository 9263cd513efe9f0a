"""Every route × every method × every state of a key, generated from the URL conf.

Nothing here lists what the views allow: that is read from the routes and their ``required_scopes``, so that a view
that forgets its scopes, or a path beside the common base class, fails without anyone remembering to test it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from adapters.doorway import answer_vendor
from apikeys.authentication import ApiKeyAuthentication
from apikeys.minting import Minted
from apikeys.models import Scope
from apikeys.tokens import check_characters, make_token, prefix_of
from kasse.models import Transaction
from pos_bridge.activity import BASE_PATH
from pos_bridge.admission import TillAuthentication
from pos_bridge.api import NothingHere
from pos_bridge.till_view import TillView
from pos_bridge.wire import MOST_BYTES
from tenants.models import Tenant
from tests.factories import BOTH, NOON, mint
from tests.till import HOST, Till, body_of, croissants_and_coffee

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW"]
# A new route needs a path here, and with it gets all the tests below.
PATHS = {
    "transactions": "/transactions/",
    "transaction": "/transactions/seeblick-2026-04-29-T-1/",
    "batch": "/transactions/batch/",
    "summary": "/transactions/summary/?business_date=2026-04-29",
    "gaps": "/gaps/",
    "reconciliations": "/reconciliations/",
    "products": "/products/",
    "ping": "/ping/",
    "nothing-here": "/receipts/",
}
PUBLIC = {SpectacularAPIView, SpectacularSwaggerSplitView}


def patterns_below(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern of the URL conf with the path it begins with."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns_below(pattern, f"{prefix}{pattern.pattern}")
        else:
            yield f"/{prefix}{pattern.pattern}".replace("/^", "/"), pattern


def view_of(pattern: URLPattern) -> Any:
    """The class behind a pattern, or the function."""
    return getattr(pattern.callback, "cls", pattern.callback)


ROUTES = {
    pattern.name: view_of(pattern) for path, pattern in patterns_below(get_resolver()) if path.startswith(BASE_PATH)
}


class TestTheUrlConf:
    def test_has_only_till_views_below_the_base_path(self) -> None:
        assert ROUTES
        for view in ROUTES.values():
            assert issubclass(view, TillView), view

    def test_has_nothing_else_below_api_but_vendors_calls_and_the_description(self) -> None:
        views = {view_of(pattern) for path, pattern in patterns_below(get_resolver()) if path.startswith("/api/")}

        assert views - set(ROUTES.values()) == PUBLIC | {answer_vendor}

    def test_names_a_scope_for_every_method_that_a_view_has(self) -> None:
        for view in set(ROUTES.values()) - {NothingHere}:
            handled = {method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}
            assert set(view.required_scopes) == handled, view
            for scopes in view.required_scopes.values():
                assert scopes
                assert set(scopes) <= set(Scope), view

    def test_asks_the_write_scope_alone_for_every_write(self) -> None:
        for view in ROUTES.values():
            for method, scopes in view.required_scopes.items():
                wanted = scopes == (Scope.POS_WRITE,) if method != "GET" else Scope.POS_READ in scopes
                assert wanted, (view, method)

    def test_gives_every_route_a_path_here(self) -> None:
        assert set(PATHS) == set(ROUTES)
        for name, path in PATHS.items():
            whole = path.partition("?")[0]
            for spelling in (whole, whole.rstrip("/")):
                assert resolve(BASE_PATH + spelling).url_name == name

    def test_needs_authentication_and_a_scope_by_default(self) -> None:
        framework = settings.REST_FRAMEWORK
        assert framework["DEFAULT_AUTHENTICATION_CLASSES"] == ["pos_bridge.admission.TillAuthentication"]
        assert TillAuthentication.authenticate is ApiKeyAuthentication.authenticate
        assert framework["DEFAULT_PERMISSION_CLASSES"] == ["apikeys.permissions.HasScope"]
        for view in ROUTES.values():
            assert view.authentication_classes == TillView.authentication_classes
            assert view.permission_classes == TillView.permission_classes


@dataclass(frozen=True)
class Caller:
    """A key in some state; ``refused`` is the code of the 401 that it earns, None if it is good."""

    token: str | None
    refused: str | None = None
    scopes: frozenset[str] = frozenset(BOTH)
    host: str = HOST
    at_home: bool = True


def callers(seeblick: Tenant, waldrand: Tenant) -> dict[str, Caller]:
    """One of each."""
    closed = Tenant.objects.create(slug="im-winter-zu", name="Camping Im Winter Zu", is_active=False)
    good = mint(seeblick)
    revoked = mint(seeblick)
    revoked.key.revoke(at=NOON)
    return {
        "none": Caller(None, "invalid_key"),
        "malformed": Caller("ck_" + "a" * 31, "invalid_key"),
        "made up": Caller("ck_" + "a" * 32, "invalid_key"),
        "unknown prefix": Caller(make_token(), "invalid_key"),
        "wrong secret": Caller(with_another_secret(good.token), "invalid_key"),
        "revoked": Caller(revoked.token, "key_inactive"),
        "expired": Caller(mint(seeblick, expires_at=NOON).token, "key_inactive"),
        "inactive tenant": Caller(mint(closed).token, "key_inactive"),
        "on another tenant's host": Caller(good.token, "invalid_key", host="waldrand.campone.example"),
        "on a host that names nobody": Caller(good.token, "invalid_key", host="nobody.campone.example"),
        "revoked, on another tenant's host": Caller(revoked.token, "invalid_key", host="waldrand.campone.example"),
        "good": Caller(good.token),
        "good, on its own host": Caller(good.token, host="Seeblick.CampOne.example.:443"),
        "read only": Caller(mint(seeblick, scopes=[Scope.POS_READ]).token, scopes=frozenset({Scope.POS_READ})),
        "write only": Caller(mint(seeblick, scopes=[Scope.POS_WRITE]).token, scopes=frozenset({Scope.POS_WRITE})),
        "another tenant's": Caller(mint(waldrand).token, at_home=False),
    }


def with_another_secret(token: str) -> str:
    """A token of ours in every respect but its secret: same prefix, right check characters."""
    body = prefix_of(token) + make_token()[11:-2]
    return body + check_characters(body, settings.SECRET_KEY)


def expected(view: type[TillView], route: str, method: str, caller: Caller) -> tuple[int, str | None]:
    """Status and code, from what the contract says of the view's scopes."""
    scopes = view.required_scopes.get("GET" if method == "HEAD" else method, ())
    if caller.refused:
        return 401, caller.refused
    if method not in {"GET", "HEAD", "POST"} or (not scopes and view is not NothingHere):
        return 405, "method_not_allowed"
    if view is NothingHere:
        return 404, "not_found"
    if not set(scopes) & caller.scopes:
        return 403, "insufficient_scope"
    if route in {"transaction", "batch"} and method != "POST" and not caller.at_home:
        return 404, "not_found"
    return (201 if method == "POST" and route == "transactions" else 200), None


class TestEveryRoute:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("route", ROUTES)
    def test_answers_every_caller_as_its_scopes_say(
        self, seeblick: Tenant, waldrand: Tenant, route: str, method: str
    ) -> None:
        """Each caller posts a sale of its own, so that what is new stays new."""
        sell_what_is_read_back(Till(mint(seeblick).token))
        seen, wanted = {}, {}
        for state, caller in callers(seeblick, waldrand).items():
            till = Till(caller.token, host=caller.host)
            answer = till.call(method, PATHS[route], body=sent(route, state) if method == "POST" else b"")
            code = body_of(answer)["code"] if answer.content and answer.status_code >= 400 else None
            wanted[state] = expected(ROUTES[route], route, method, caller)
            seen[state] = answer.status_code, wanted[state][1] if method == "HEAD" else code
            assert (answer.get("WWW-Authenticate") == "Bearer") == (answer.status_code == 401), state
            assert "Allow" in answer or answer.status_code != 405, state
            assert not (method == "HEAD" and answer.content), state

        assert seen == wanted

    @pytest.mark.parametrize("route", ROUTES)
    def test_names_in_allow_what_it_takes(self, till: Till, route: str) -> None:
        answer = till.call("DELETE", PATHS[route])

        view = ROUTES[route]
        heads = {"HEAD"} if "GET" in view.required_scopes else set()
        taken = {"GET", "HEAD", "POST"} if view is NothingHere else {*view.required_scopes} | heads
        assert {method.strip() for method in answer["Allow"].split(",")} == taken

    @pytest.mark.parametrize("route", ROUTES)
    def test_names_the_scope_that_is_missing(self, seeblick: Tenant, route: str) -> None:
        for method, scopes in ROUTES[route].required_scopes.items():
            lacking = [scope for scope in Scope if scope not in scopes]
            if not lacking:
                continue
            answer = Till(mint(seeblick, scopes=lacking).token).call(method, PATHS[route], body=sent(route, "x"))
            assert body_of(answer)["required_scope"] == " ".join(scopes)

    def test_stores_nothing_for_whom_it_refuses(self, seeblick: Tenant, waldrand: Tenant) -> None:
        good = {"good", "good, on its own host", "write only", "another tenant's"}
        for state, caller in callers(seeblick, waldrand).items():
            Till(caller.token, host=caller.host).call("POST", "/transactions/", body=sale(state))

        assert set(Transaction.objects.values_list("external_ref", flat=True)) == good


def sell_what_is_read_back(till: Till) -> None:
    """The sales to which the paths above lead."""
    for reference in ("seeblick-2026-04-29-T-1", "batch"):
        till.post(croissants_and_coffee(external_ref=reference))


def sent(route: str, reference: str) -> bytes:
    """What a route takes."""
    if route == "batch":
        return b'{"transactions": [' + sale(reference) + b"]}"
    return b'{"business_date": "2026-04-29", "transactions": []}' if route == "reconciliations" else sale(reference)


def sale(reference: str) -> bytes:
    return json.dumps(croissants_and_coffee(external_ref=reference)).encode()


Deed = Callable[[Till], Any]


class TestTheKeyIsAskedForBeforeAnythingElse:
    @pytest.mark.parametrize(
        "deed",
        [
            lambda till: till.call("POST", "/transactions/", body=b"{"),
            lambda till: till.call("POST", "/transactions/", body=b" " * (MOST_BYTES + 1)),
            lambda till: till.call("POST", "/transactions/", body=b"<a/>", headers={"content-type": "text/xml"}),
            lambda till: till.call("DELETE", "/transactions/"),
            lambda till: till.call("BREW", "/coffee/"),
            lambda till: till.get("/receipts/"),
            lambda till: till.get(""),
            lambda till: till.get("/transactions/?bussiness_date=x"),
            lambda till: till.get("/transactions/%00/"),
            lambda till: till.get("/ping/", accept="text/html"),
            lambda till: till.read_back("seeblick-2026-04-29-T-1"),
            lambda till: till.read_back("no such thing"),
        ],
        ids=range(12),
    )
    @pytest.mark.parametrize("token", [None, "ck_" + "a" * 32])
    def test_whatever_else_is_wrong(self, till: Till, token: str | None, deed: Deed) -> None:
        till.post(croissants_and_coffee())

        answer = deed(Till(token))

        assert answer.status_code == 401
        assert body_of(answer)["detail"] == "invalid_key"

    def test_so_a_stranger_never_learns_whether_a_reference_exists(self, till: Till, seeblick: Tenant) -> None:
        till.post(croissants_and_coffee())
        revoked = mint(seeblick)
        revoked.key.revoke(at=NOON)
        for token in (None, revoked.token, with_another_secret(revoked.token)):
            there, not_there = (without_id(Till(token).read_back(ref)) for ref in ("seeblick-2026-04-29-T-1", "T-404"))
            assert there == not_there


def without_id(answer: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    body = {name: value for name, value in body_of(answer).items() if name != "request_id"}
    headers = {name: value for name, value in answer.items() if name != "X-Request-Id"}
    return answer.status_code, body, headers


MALFORMED = [
    "",
    "Bearer",
    "Bearer ",
    "{token}",
    "Basic {token}",
    "Token {token}",
    "Bearer: {token}",
    "Bearer\t{token}",
    "Bearer  {token}",
    "Bearer {token} ",
    " Bearer {token}",
    "Bearer {token}x",
    "Bearer {short}",
    "Bearer {token},{token}",
    "Bearer {token} {token}",
    'Bearer "{token}"',
    "Bearer <{token}>",
    "Bearer {upper}",
    "Bearer token={token}",
    "Bearer {token}\0",
    "Bearer {wide}",
]


class TestTheAuthorizationHeader:
    @pytest.mark.parametrize("form", MALFORMED)
    def test_in_no_right_form_is_401(self, key: Minted, form: str) -> None:
        token = key.token
        wide = "ck_" + "".join(chr(ord(letter) + 0xFEE0) for letter in token[3:]).encode().decode("latin-1")
        header = form.format(token=token, short=token[:-1], upper=token.upper(), wide=wide)

        answer = Till(None).get("/ping/", authorization=header)

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert body_of(answer)["detail"] == "invalid_key"

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
    def test_takes_its_scheme_in_any_case(self, key: Minted, scheme: str) -> None:
        assert Till(None).get("/ping/", authorization=f"{scheme} {key.token}").status_code == 200

    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            ("/ping/?api_key={}", {}),
            ("/ping/?access_token={}", {}),
            ("/ping/?token={}", {}),
            ("/ping/", {"cookie": "token={}"}),
            ("/ping/", {"cookie": "authorization=Bearer {}"}),
            ("/ping/", {"x_api_key": "{}"}),
            ("/ping/", {"x_authorization": "Bearer {}"}),
            ("/ping/", {"proxy_authorization": "Bearer {}"}),
            ("/ping/", {"x_forwarded_authorization": "Bearer {}"}),
        ],
    )
    def test_is_the_only_place_for_a_key(self, key: Minted, path: str, headers: dict[str, str]) -> None:
        answer = Till(None).get(
            path.format(key.token), **{name: text.format(key.token) for name, text in headers.items()}
        )

        assert answer.status_code == 401

    def test_is_not_a_field_of_the_body(self, key: Minted) -> None:
        assert Till(None).post(croissants_and_coffee(token=key.token, api_key=key.token)).status_code == 401


class TestAnotherMethodInAHeader:
    OVERRIDES = ("x_http_method_override", "x_http_method", "x_method_override")

    @pytest.mark.parametrize("header", OVERRIDES)
    def test_turns_no_post_into_a_get(self, seeblick: Tenant, header: str) -> None:
        reader = Till(mint(seeblick, scopes=[Scope.POS_READ]).token)

        assert reader.post(croissants_and_coffee(), **{header: "GET"}).status_code == 403

    @pytest.mark.parametrize("header", OVERRIDES)
    def test_turns_no_get_into_a_post(self, seeblick: Tenant, header: str) -> None:
        reader = Till(mint(seeblick, scopes=[Scope.POS_READ]).token)

        assert reader.get("/transactions/", **{header: "POST"}).status_code == 200
        assert reader.get("/transactions/", **{header: "DELETE"}).status_code == 200
        assert Transaction.objects.count() == 0

    def test_in_the_query_changes_nothing(self, till: Till) -> None:
        assert till.call("POST", "/transactions/?_method=DELETE", body=sale("T-1")).status_code == 201


class TestHead:
    @pytest.mark.parametrize("route", [name for name, view in ROUTES.items() if "GET" in view.required_scopes])
    def test_answers_with_the_headers_of_get_and_nothing_else(self, till: Till, route: str) -> None:
        sell_what_is_read_back(till)

        get, head = till.call("GET", PATHS[route]), till.call("HEAD", PATHS[route])

        assert head.status_code == get.status_code == 200
        assert head.content == b""
        assert {name: head[name] for name in head.headers if name != "X-Request-Id"} == {
            name: get[name] for name in get.headers if name != "X-Request-Id"
        }
