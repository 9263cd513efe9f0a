"""Where the bridge is, and the token for it: from the environment or a file, never from a command line."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from till_client.errors import Misconfigured

BASE_PATH = "/api/v1/public/pos/"
SHAPE = re.compile(r"ck[a-z]*_[A-Za-z0-9]{32}")
SECRET = 24


class Token:
    """An API key's token. It shows no more of itself than its public prefix, wherever it is printed."""

    __slots__ = ("_raw",)

    def __init__(self, raw: str) -> None:
        if not SHAPE.fullmatch(raw):
            raise Misconfigured("That is not a whole token: ck_ and 32 letters or digits.")
        self._raw = raw

    def __repr__(self) -> str:
        return f"Token({self._raw[:-SECRET]}…)"

    def __reduce__(self) -> str:
        raise TypeError("A token is not pickled.")

    def header(self) -> str:
        """The value of ``Authorization``: the one place where the token leaves this object."""
        return f"Bearer {self._raw}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the bridge is reached; ``base`` is the path of the API with its final slash."""

    secure: bool
    host: str
    port: int | None
    base: str

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{'https' if self.secure else 'http'}://{self.host}{port}{self.base}"


def address_from(url: str, *, allow_http: bool = False) -> Address:
    """Read the server's root, the API's base or the full transactions URL; all three mean the same.

    Without TLS everybody on the way can read the token, so plain HTTP is for this machine alone unless
    ``allow_http`` says that the way is safe.

    Raises:
        Misconfigured: not such a URL.

    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Misconfigured("The address of the bridge is not a URL.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Misconfigured("The address of the bridge begins with https:// and a host name.")
    if parts.username is not None or parts.query or parts.fragment:
        raise Misconfigured("No user name, query or fragment belongs into the address of the bridge.")
    if parts.scheme == "http" and not (allow_http or is_loopback(parts.hostname)):
        raise Misconfigured("Beyond this machine the bridge needs https://, or the token could be read on the way.")
    root = f"{parts.path}/".partition(BASE_PATH)[0].rstrip("/")
    return Address(secure=parts.scheme == "https", host=parts.hostname, port=port, base=root + BASE_PATH)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_from(environment: Mapping[str, str] = os.environ) -> str:
    """``TILL_URL``.

    Raises:
        Misconfigured: it is not set.

    """
    url = environment.get("TILL_URL", "").strip()
    if not url:
        raise Misconfigured("Set TILL_URL to the address of the bridge.")
    return url


def token_from(environment: Mapping[str, str] = os.environ) -> Token:
    """``TILL_TOKEN``, or the content of the file that ``TILL_TOKEN_FILE`` names.

    Raises:
        Misconfigured: neither is set, both are, or it is no token.

    """
    raw, path = environment.get("TILL_TOKEN", "").strip(), environment.get("TILL_TOKEN_FILE", "").strip()
    if bool(raw) == bool(path):
        raise Misconfigured("Set TILL_TOKEN, or TILL_TOKEN_FILE to a file that holds the token; one of the two.")
    if path:
        try:
            raw = Path(path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Misconfigured(f"TILL_TOKEN_FILE: {path} cannot be read.") from None
    return Token(raw)
