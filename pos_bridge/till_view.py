"""What every path of the API has in common: who calls, what it may cost, what it may do.

Source: wire contract, sections 1 and 4.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from django.db import DatabaseError, Error
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied, UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apikeys.authentication import KeyInactiveAnswer, key_of
from apikeys.models import Scope
from apikeys.permissions import Scopes, require_address, require_https
from apikeys.states import state_of
from kasse.sqlite import on_sqlite
from pos_bridge.activity import call_of, keep_row, may_be_the_log, write_row
from pos_bridge.admission import Admission, OutOfDate, TillAuthentication, authenticator_of
from pos_bridge.answers import instant_text
from pos_bridge.paging import Pages
from pos_bridge.problems import problem_of
from pos_bridge.product_list import ProductPage
from pos_bridge.rehearsing import rehearsed
from pos_bridge.riding import settle
from pos_bridge.throttling import COUNTED_STATUSES, BudgetUsedUp, Charge
from pos_bridge.wire import JSONBytesParser, JSONNegotiation, PayloadTooLarge, read_body

_PARSERS: list[BaseParser] = [JSONBytesParser()]
_RENDERERS: list[BaseRenderer] = [JSONRenderer()]
_NEGOTIATION = JSONNegotiation()
READS: Scopes = {"GET": (Scope.POS_READ,)}
READING = frozenset({"GET", "HEAD"})


class Unconfirmed(Exception):
    """A call was to be refused on what is only remembered of its key."""


class BridgeDisabled(PermissionDenied):
    """403 ``pos_bridge_disabled``."""

    default_code = "pos_bridge_disabled"


class TillView(APIView):
    """What every path has in common: who calls, what it may cost, what it may do.

    The order is that of the contract. The key is asked for before anything else is looked at; what does not
    count against the budget (405, 406, 413, 415) is refused before the call is counted.
    """

    http_method_names = ["get", "head", "post"]
    required_scopes: Scopes = {}
    # Methods that are counted at their end, by the statement that stores a sale or a row of the log. Until then what is
    # remembered of the key will do, and the statement confirms it. All others are counted before they begin.
    counted_last: frozenset[str] = frozenset()
    format_kwarg = None
    authenticator: TillAuthentication
    admission: Admission
    charge: Charge | None = None

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer on what is remembered of the key; if that is not confirmed, ask who calls, and answer then."""
        self.call = call_of(request)
        self.recalls = request.method in self.counted_last and not on_sqlite()
        try:
            answer = super().dispatch(request, *args, **kwargs)
        except Unconfirmed:
            self.call.begin_anew()
            self.recalls, self.charge = False, None
            answer = super().dispatch(request, *args, **kwargs)
        key = self.call.api_key
        if key is not None and key.expires_at is not None and state_of(key, at=self.call.at) == "expires_soon":
            answer["X-Api-Key-Expires"] = instant_text(key.expires_at)
        return answer

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The framework's request, with what every call asks for at hand."""
        wrapped = super().initialize_request(request, *args, **kwargs)
        wrapped.META, wrapped.method = request.META, request.method
        self.authenticator = authenticator_of(wrapped)
        return wrapped

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let a call in, or raise what refuses it."""
        # Strangers before the body: whoever sends one slowly holds a thread for as long.
        self.authenticator.look_at(request)
        complete = read_body(request._request)  # noqa: SLF001 (Django's own, which has the body)
        self.authenticator.recalls_at = self.call.at if self.recalls else None
        self.perform_authentication(request)
        self._refuse_free_of_charge(request, complete)
        self.admission = cast(Admission, self.authenticator.admission)  # there is one, since there is a key
        remembered = self.admission.row if self.authenticator.recalled else None
        self.charge = Charge(self.admission.key, at=self.call.at, remembered=remembered)
        if request.method not in self.counted_last:
            self.charge.pay()
        require_https(request)
        require_address(request)
        self.check_permissions(request)
        if not self.admission.bridge.enabled:
            raise BridgeDisabled

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]  # no Response of the framework's
        """What refuses a call, as an answer.

        Raises:
            Unconfirmed: it is none that is counted, and so nothing would confirm that it is right.
        """
        unconfirmed = self.authenticator.recalled and not (self.charge and self.charge.counted)
        if unconfirmed and not isinstance(exc, Error) and problem_of(exc).status not in COUNTED_STATUSES:
            raise Unconfirmed from exc
        answer = super().handle_exception(exc)
        if isinstance(exc, MethodNotAllowed):
            answer["Allow"] = ", ".join(self.allowed_methods)
        return answer

    def perform_authentication(self, request: Request) -> None:
        """Authenticate, by the one way there is, and tell the activity log whose call this is."""
        try:
            request.user, request.auth = self.authenticator.authenticate(request)  # type: ignore[assignment]  # nobody
        except KeyInactiveAnswer as refused:
            self.call.api_key = refused.key
            raise
        self.call.api_key = key_of(request)

    def _refuse_free_of_charge(self, request: Request, complete: bool) -> None:
        method = str(request.method).lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(str(request.method))
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if not complete:
            raise PayloadTooLarge
        if method == "post" and not self._parser_for(request):
            raise UnsupportedMediaType(request.content_type)

    def _parser_for(self, request: Request) -> BaseParser | None:
        return self.get_content_negotiator().select_parser(request, self.get_parsers())

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Count the call and write its row, if nothing has yet; or give back what was charged for an answer that does
        not count. Without its row nothing is answered that counts: if the database has gone meanwhile, that is said.

        Raises:
            Unconfirmed: what is remembered of the key is out of date.
        """
        if self.charge is None:
            return response
        if response.status_code in COUNTED_STATUSES:
            try:
                self._settle(response.status_code)
            except OutOfDate:
                raise Unconfirmed from None
            except (BudgetUsedUp, Error) as instead:
                response = self.handle_exception(instead)
        elif self.charge.counted:
            # With the database away, one call of the budget is the smaller loss.
            with suppress(Error):
                self.charge.refund()
        return rehearsed(request, response, self.call) if self.charge.key.is_test else response

    def _settle(self, status: int) -> None:
        charge = cast(Charge, self.charge)
        if self.call.logged:
            return
        try:
            if charge.counted:
                write_row(self.call, status)
            else:
                settle(charge, self.call, status)
        except DatabaseError as error:
            # If the log alone ails, the call is counted and answered without its row.
            if not may_be_the_log(error):
                raise
            if charge.counted:
                keep_row(self.call, status, error)
            charge.pay()

    def get_renderers(self) -> list[BaseRenderer]:
        """For the negotiation; answers are written by ``json_answer()``."""
        return _RENDERERS

    def get_parsers(self) -> list[BaseParser]:
        """They keep nothing of a call, so one of each is enough."""
        return _PARSERS

    def get_content_negotiator(self) -> JSONNegotiation:
        return _NEGOTIATION

    @property
    def default_response_headers(self) -> dict[str, str]:
        """None: ``Allow`` goes with 405, and answers vary with nothing."""
        return {}

    def page_of(
        self, request: Request, rows: QuerySet[Any, Any] | ProductPage, bodies: Callable[[list[Any]], list[Any]]
    ) -> HttpResponse:
        """One page of ``rows``, turned into bodies."""
        pages = Pages()
        return pages.answer(bodies(pages.paginate_queryset(cast("QuerySet[Any]", rows), request, view=self) or []))
