"""Secrets at rest: sealed with the server's secret key, opened only where they are used.

Each ``purpose`` has a key of its own, so that what was sealed for one campground or one field cannot be moved to
another. A new ``SECRET_KEY`` seals from then on; what former ones have sealed opens as long as they stand in
``SECRET_KEY_FALLBACKS``.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

LABEL = b"campone.sealing.v1:"


class SealBroken(Exception):
    """What was sealed cannot be opened: the secret key is another one, or the purpose is, or it was tampered with."""


def seal(text: str, *, purpose: str) -> str:
    """A text as it may lie in the database; never the same twice."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """The text that was sealed for this purpose.

    Raises:
        SealBroken: nobody can read it any more.
    """
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SealBroken(purpose) from None


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret, purpose)) for secret in _secrets()])


def _secrets() -> list[str]:
    """The newest first: it seals, all of them open."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _key(secret: str, purpose: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=LABEL + purpose.encode()).derive(secret.encode())
    return urlsafe_b64encode(derived)
