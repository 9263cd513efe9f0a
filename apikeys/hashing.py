"""How keys are kept at rest: Django's Argon2 hasher, its cost tuned for a random secret.

Django's own parameters (100 MiB, about 110 ms) protect passwords that people choose. A token carries 131
random bits; no memory-hardness is needed to keep it from being guessed, and at Django's cost seven calls a
second would fill two cores.
"""

from __future__ import annotations

from functools import lru_cache

from django.contrib.auth.hashers import Argon2PasswordHasher


class ApiKeyHasher(Argon2PasswordHasher):
    """Argon2id with one pass over 8 MiB: about 3 ms."""

    algorithm = "argon2_api_key"
    time_cost = 1
    memory_cost = 8192
    parallelism = 1


def hash_token(token: str) -> str:
    """The encoded hash of a raw token, with a fresh salt."""
    hasher = ApiKeyHasher()
    return hasher.encode(token, hasher.salt())


def token_fits(token: str, encoded: str) -> bool:
    """Whether ``encoded`` was made from ``token``. Costs a full Argon2."""
    return ApiKeyHasher().verify(token, encoded)


def is_outdated(encoded: str) -> bool:
    """Whether a hash was made with other parameters than today's."""
    return _is_outdated(encoded, ApiKeyHasher.time_cost, ApiKeyHasher.memory_cost, ApiKeyHasher.parallelism)


@lru_cache(maxsize=10_000)
def _is_outdated(encoded: str, *_todays_cost: int) -> bool:
    """Asked on every call, and so remembered."""
    return ApiKeyHasher().must_update(encoded)
