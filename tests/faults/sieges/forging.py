"""Tokens that are wrong in the one place where it costs something to find out: shape and check characters are right.

``python -m tests.faults.sieges.forging COUNT PREFIX``, in the product's environment, prints so many pairs as JSON: one
under a prefix that nobody has, one under that which exists.
"""

from __future__ import annotations

import json
import secrets
import sys

import django

from tests.server.service import Service


def forge(service: Service, count: int, *, prefix: str) -> list[tuple[str, str]]:
    """Pairs of tokens, made where the secret is known."""
    return [(unknown, known) for unknown, known in json.loads(service.run("-m", __name__, str(count), prefix))]


def pair(prefix: str) -> tuple[str, str]:
    """One of each."""
    from django.conf import settings  # Django is not ready before ``django.setup()``

    from apikeys.tokens import ALPHABET, RANDOM_LENGTH, check_characters, make_token

    length = RANDOM_LENGTH + len("ck_") - len(prefix)
    body = prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))
    return make_token(), body + check_characters(body, settings.SECRET_KEY)


if __name__ == "__main__":
    django.setup()
    json.dump([pair(sys.argv[2]) for _ in range(int(sys.argv[1]))], sys.stdout)
