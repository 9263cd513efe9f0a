"""The way of a till's call through Django, without what only pages need.

No session, no cookie, no form token, no message: a till has a key. ``settings.TILL_MIDDLEWARE`` is all the
middleware there is, and the signals that begin and end a request are not sent, since nothing of ours listens:
what Django itself does at the end of one, giving the connection back, is done here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import Any, cast

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch, get_resolver
from django.utils.module_loading import import_string

from kasse.statements import give_connection_back, look_again
from pos_bridge.activity import is_api_path
from pos_bridge.wire import TillRequest, WSGIApplication


class TillMiddleware(BaseHandler):
    """A handler of Django's with the tills' middleware in place of the pages'."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain, the first of the setting outermost."""
        chain = convert_exception_to_response(self._get_response)
        for name in reversed(settings.TILL_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(name)(chain))
        self._middleware_chain = chain

    def _get_response(self, request: HttpRequest) -> HttpResponse:
        """What the view says: there are no hooks to be asked, no template to be rendered, no transaction to begin."""
        look_again()
        match = self.resolve_request(request)
        return cast(HttpResponse, match.func(request, *match.args, **match.kwargs))

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """The view of a path; those of the last few hundred paths are remembered."""
        request.resolver_match = match = _view_at(request.path_info)
        return match


@lru_cache(maxsize=256)
def _view_at(path: str) -> ResolverMatch:
    return get_resolver().resolve(path)


class TillHandler(TillMiddleware, WSGIHandler):
    """WSGI for the tills' API."""

    request_class = TillRequest

    def __call__(  # type: ignore[override]  # Django says what is true for it: a response
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a call, in one piece."""
        request = self.request_class(environ)
        try:
            # Not ``get_response()``: answers are logged elsewhere, and there is one map of paths.
            response = cast(HttpResponse, self._middleware_chain(request))
        finally:
            give_connection_back()
        headers = [*response.items(), ("X-Content-Type-Options", "nosniff")]
        if self._transport_security and request.is_secure():
            headers.append(("Strict-Transport-Security", self._transport_security))
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        return [response.content]

    @cached_property
    def _transport_security(self) -> str:
        """What Django's security middleware says to pages."""
        seconds = settings.SECURE_HSTS_SECONDS
        return f"max-age={seconds}; includeSubDomains; preload" if seconds else ""


class ByPath:
    """WSGI: the tills' API to the one handler, everything else to the other."""

    def __init__(self, *, tills: WSGIApplication, pages: WSGIApplication) -> None:
        self.tills = tills
        self.pages = pages

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        application = self.tills if is_api_path(environ.get("PATH_INFO", "")) else self.pages
        return application(environ, start_response)
