"""The shape of a token, and the two characters by which we know our own.

``ck_`` + 8 visible + 24 secret; that of a test key begins with ``ckt_``. Of the 24, 22 are random (131 bits) and the
last 2 a check keyed with the server's secret. The check only ever rejects: made-up tokens and typing errors die here,
before database and hash, and known and unknown prefixes take the same time. The stored hash remains the authority.

Source: wire contract, section 1.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from functools import lru_cache

from django.conf import settings

ALPHABET = string.ascii_letters + string.digits
TOKEN = re.compile(r"ckt?_[A-Za-z0-9]{32}")
START, TEST_START = "ck_", "ckt_"
SECRET_LENGTH = 24
RANDOM_LENGTH = 8 + 22
CHECK_LENGTH = 2


def make_token(start: str = START) -> str:
    """A new raw token: the only copy there will ever be in clear."""
    body = start + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return body + check_characters(body, settings.SECRET_KEY)


def prefix_of(token: str) -> str:
    """The public start of a token, stored and shown in clear."""
    return token[:-SECRET_LENGTH]


def is_well_formed(token: str) -> bool:
    """Whether the text has a token's shape; says nothing about whose it is."""
    return TOKEN.fullmatch(token) is not None


def may_be_ours(token: str) -> bool:
    """Whether the check characters fit the server's secret, or one of its fallbacks."""
    body, check = token[:-CHECK_LENGTH], token[-CHECK_LENGTH:]
    expected = (check_characters(body, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    # A list, so that every secret is compared: time does not tell which one fits.
    return any([hmac.compare_digest(check, each) for each in expected])  # noqa: C419


def check_characters(body: str, secret_key: str) -> str:
    """Two base-62 characters that only the holder of ``secret_key`` can compute for ``body``."""
    digest = _check(secret_key).copy()
    digest.update(body.encode())
    number = int.from_bytes(digest.digest()[:8], "big")
    return ALPHABET[number % 62] + ALPHABET[number // 62 % 62]


@lru_cache(maxsize=16)
def _check(secret_key: str) -> hmac.HMAC:
    """Keyed and ready to be copied: keying it is most of the work."""
    key = hashlib.sha256(b"api-key-check:" + secret_key.encode()).digest()
    return hmac.new(key, digestmod="sha256")
