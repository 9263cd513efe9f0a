"""The mail server, as one address names it; without one no mail is sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

BACKENDS = "django.core.mail.backends"
# By scheme: the port, and whether the connection is sealed from its beginning, or once both have greeted.
SCHEMES = {"smtp": (25, False, False), "smtp+starttls": (587, False, True), "smtps": (465, True, False)}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mails go, in the words of Django's settings."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    use_ssl: bool = False
    use_tls: bool = False


def read_mail_server(url: str, *, development: bool) -> MailServer:
    """The server that a URL names; "" is the console in development, and none elsewhere.

    Raises:
        ImproperlyConfigured: it names none. The URL may hold a password, and is not repeated.
    """
    if not url:
        return MailServer(f"{BACKENDS}.{'console' if development else 'dummy'}.EmailBackend")
    try:
        parts = urlsplit(url)
        port, use_ssl, use_tls = SCHEMES[parts.scheme]
        return MailServer(
            backend=f"{BACKENDS}.smtp.EmailBackend",
            host=_needed(parts.hostname),
            port=parts.port or port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            use_ssl=use_ssl,
            use_tls=use_tls,
        )
    except (ValueError, KeyError):
        raise ImproperlyConfigured(
            "EMAIL_URL must begin with smtp://, smtp+starttls:// or smtps:// and name a mail server."
        ) from None


def read_sender(address: str, server: MailServer) -> str:
    """The address that mails come from; it may be left out where none are sent.

    Raises:
        ImproperlyConfigured: it is none.
    """
    try:
        validate_email(address)
    except ValidationError:
        if address or server.host:
            raise ImproperlyConfigured("EMAIL_FROM must be an address such as bridge@campone.example.") from None
    return address


def _needed(host: str | None) -> str:
    if not host:
        raise ValueError
    return host
