r"""Patterns of the API description: what matches one of them, the service takes.

They are written for every reader's regular expressions (ECMA-262, Python, Java): ``\uXXXX`` for what cannot be
seen, no look-around. The service takes a little more than can be said so: leading zeros, a small ``t`` in an
instant, in a reference a leading dot or characters beyond the Basic Multilingual Plane. There the pattern is the
narrower of the two, so that data made from it is valid.
"""

from __future__ import annotations

YEAR = "20(0[1-9]|[1-9][0-9])"
LEAP_YEAR = "20(0[48]|[2468][048]|[13579][26])"
DAY = (
    f"({YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|{LEAP_YEAR}-02-29)"
)
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
OFFSET = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"

CALENDAR_DAY = f"^{DAY}$"
INSTANT = f"^{DAY}T{TIME}{OFFSET}$"
# As answers write it.
UTC_INSTANT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z$"
AMOUNT_ANSWERED = r"^-?[0-9]{1,8}\.[0-9]{2}$"
# What amounts add up to has no bound of its own.
SUM_ANSWERED = r"^-?[0-9]{1,16}\.[0-9]{2}$"
PRICE_ANSWERED = r"^-?[0-9]{1,8}\.[0-9]{2,4}$"
RATE_ANSWERED = r"^[0-9]{1,3}\.[0-9]{2}$"

RATE = r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$"
CURRENCY = "^[A-Z]{3}$"
# Neither NUL nor control characters, but tabs and line ends.
TEXT = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$"

# Letters, digits, marks and symbols of every script, but for the dot: without blanks and slashes, and without what
# cannot be seen or turns the reading direction.
_SEEN = (
    r"\u0021-\u002d\u0030-\u007e\u00a1-\u00ac\u00ae-\u05ff\u0606-\u061b\u061d-\u06dc\u06de-\u070e\u0710-\u088f"
    r"\u0892-\u08e1\u08e3-\u167f\u1681-\u180d\u180f-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff"
    r"\ue000-\ufefe\uff00-\ufff8\ufffc\ufffd"
)
_BLANKS = r"\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
# The service refuses "." and ".." alone; a pattern that said so would need to look ahead.
REFERENCE = f"^[{_SEEN}]([{_SEEN}{_BLANKS}./]{{0,253}}[{_SEEN}.])?$"


def decimal(*, places: int, negative: bool, zero: bool) -> str:
    """A decimal number as text: at most 8 digits before the point, at most ``places`` after it."""
    sign = "-?" if negative else ""
    if zero:
        return rf"^{sign}[0-9]{{1,8}}(\.[0-9]{{1,{places}}})?$"
    return rf"^{sign}([1-9][0-9]{{0,7}}(\.[0-9]{{1,{places}}})?|0\.({_digits_but_zero(places)}))$"


def _digits_but_zero(places: int) -> str:
    """One to ``places`` digits of which at least one is not 0."""
    return "|".join("0" * zeros + "[1-9]" + "[0-9]?" * (places - zeros - 1) for zeros in range(places))
