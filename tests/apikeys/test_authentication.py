from __future__ import annotations

from typing import Any, cast

import pytest
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.views import APIView

from apikeys import verification
from apikeys.minting import Minted
from apikeys.models import Scope
from apikeys.permissions import HasScope, InsufficientScope
from apikeys.tokens import make_token
from apikeys.verification import ProvenTokens
from tenants.models import Tenant
from tests.factories import NOON, mint
from tests.till import Till, body_of


class TestTheAuthorizationHeader:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_names_its_scheme_in_any_case(self, till: Till, key: Minted, scheme: str) -> None:
        assert till.get("/ping/", authorization=f"{scheme} {key.token}").status_code == 200

    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "{token}",
            "Basic {token}",
            "Token {token}",
            "Bearer  {token}",
            "Bearer {token} {token}",
            "Bearer {token},Bearer {token}",
            "Bearer\t{token}",
            'Bearer "{token}"',
            "Bearer {token}x",
            "Bearer ck_äöü",
            "Bearer ck_" + "a" * 32,
            "Bearer " + "x" * 10_000,
        ],
    )
    def test_of_another_form_is_no_key(self, till: Till, key: Minted, header: str) -> None:
        answer = till.get("/ping/", authorization=header.format(token=key.token))

        assert (answer.status_code, body_of(answer)["detail"]) == (401, "invalid_key")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_is_asked_for_when_it_is_missing(self, waldrand: Tenant) -> None:
        answer = Till(None).get("/ping/")

        assert (answer.status_code, body_of(answer)["detail"]) == (401, "invalid_key")
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_is_the_only_place_where_a_token_counts(self, waldrand: Tenant, key: Minted) -> None:
        elsewhere = Till(None)
        elsewhere.client.cookies["token"] = key.token

        answers = [
            elsewhere.get(f"/ping/?token={key.token}"),
            elsewhere.get("/ping/", x_api_key=key.token),
            elsewhere.get("/ping/", proxy_authorization=f"Bearer {key.token}"),
        ]

        assert [answer.status_code for answer in answers] == [401, 401, 401]
        assert not [answer for answer in answers if key.token in answer.content.decode()]


class TestTheHost:
    @pytest.mark.parametrize(
        "host", ["seeblick.campone.example", "SEEBLICK.campone.example:443", "api.campone.example", "127.0.0.1:8000"]
    )
    def test_of_the_campground_and_the_common_ones_work(self, key: Minted, waldrand: Tenant, host: str) -> None:
        assert Till(key.token, host=host).get("/ping/").status_code == 200

    @pytest.mark.parametrize("host", ["waldrand.campone.example", "nobody.campone.example"])
    def test_of_another_campground_makes_the_key_invalid(self, key: Minted, waldrand: Tenant, host: str) -> None:
        answer = Till(key.token, host=host).get("/ping/")

        assert (answer.status_code, body_of(answer)["detail"]) == (401, "invalid_key")


class TestBusy:
    def test_is_said_when_too_many_tokens_wait_for_their_first_check(
        self, till: Till, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verification, "_proven", ProvenTokens(queue=0))

        answer = till.get("/ping/")

        assert (answer.status_code, body_of(answer)["detail"], answer["Retry-After"]) == (503, "busy", "1")


class TestHasScope:
    def ask(self, scopes: list[str], required: dict[str, Any] | None, method: str = "GET") -> bool:
        request = Request(RequestFactory().generic(method, "/"))
        request.auth = cast(Any, mint(Tenant.objects.get(slug="seeblick"), scopes=scopes).key)
        view = APIView()
        if required is not None:
            view.required_scopes = required  # type: ignore[attr-defined]
        return HasScope().has_permission(request, view)

    @pytest.mark.parametrize("required", [None, {}, {"POST": (Scope.POS_WRITE,)}, {"GET": ()}])
    def test_closes_a_method_for_which_a_view_names_no_scope(
        self, seeblick: Tenant, required: dict[str, Any] | None
    ) -> None:
        with pytest.raises(InsufficientScope) as refused:
            self.ask(["pos:read", "pos:write"], required)

        assert refused.value.required_scope == ""

    def test_opens_with_one_of_the_named_scopes(self, seeblick: Tenant) -> None:
        assert self.ask(["pos:write"], {"GET": (Scope.POS_READ, Scope.POS_WRITE)})

    def test_does_not_take_writing_for_reading(self, seeblick: Tenant) -> None:
        with pytest.raises(InsufficientScope) as refused:
            self.ask(["pos:write"], {"GET": (Scope.POS_READ,)})

        assert refused.value.required_scope == "pos:read"

    def test_asks_of_head_what_it_asks_of_get(self, seeblick: Tenant) -> None:
        assert self.ask(["pos:read"], {"GET": (Scope.POS_READ,)}, "HEAD")
        with pytest.raises(InsufficientScope):
            self.ask(["pos:write"], {"GET": (Scope.POS_READ,)}, "HEAD")


class TestEveryCall:
    def test_leaves_the_token_in_no_answer(self, till: Till, key: Minted) -> None:
        other = mint(key.key.tenant, name="Bistro till")
        other.key.revoke(at=NOON)
        answers = [
            till.get("/ping/"),
            till.get(f"/transactions/{key.token}/"),
            till.get(f"/transactions/?unknown={key.token}"),
            Till(other.token).get("/ping/"),
            Till(make_token()).get("/ping/"),
        ]

        for answer in answers:
            assert key.token[11:] not in answer.content.decode() + str(answer.headers)
            assert other.token[11:] not in answer.content.decode() + str(answer.headers)
