"""How long to wait: full jitter, so that tills that failed together do not come back together. Pure."""

from random import Random

FIRST_WAIT = 0.5
LONGEST_CONNECTION_WAIT = 60.0
LONGEST_SALE_WAIT = 900.0
FIRST_KEY_WAIT = 30.0
LONGEST_KEY_WAIT = 900.0
LONGEST_WAIT = 4000.0
"""Further ahead no wait can lie: an hour is the longest that a bridge may ask for, and a tenth is added."""


def full_jitter(failures: int, *, first: float, longest: float, rng: Random) -> float:
    """Anything from 0 up to a bound that doubles with each failure in a row; seconds."""
    return rng.uniform(0.0, min(longest, first * 2.0 ** min(failures, 32)))


def after_broken_connection(failures: int, *, rng: Random) -> float:
    """Before anything is sent again where nothing came through."""
    return full_jitter(failures, first=FIRST_WAIT, longest=LONGEST_CONNECTION_WAIT, rng=rng)


def after_refused_key(failures: int, *, rng: Random) -> float:
    """Before a key is tried again: a person has to do something, so at least half the bound is waited."""
    bound = min(LONGEST_KEY_WAIT, FIRST_KEY_WAIT * 2.0 ** min(failures, 32))
    return rng.uniform(bound / 2, bound)


def after_failed_sale(attempts: int, *, rng: Random) -> float:
    """Before one sale is tried again that nothing is known of, while others go on."""
    return full_jitter(attempts, first=FIRST_WAIT, longest=LONGEST_SALE_WAIT, rng=rng)


def as_asked(seconds: float, *, rng: Random) -> float:
    """Not before the bridge asked for, and not all at that very moment."""
    return seconds + rng.uniform(0.0, min(seconds * 0.1, 10.0))
