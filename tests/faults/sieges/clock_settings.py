"""The product's settings, for a server under libfaketime: sleep in a way that it does not spoil.

With a monotonic clock left alone, libfaketime 0.9.10 refuses the absolute sleeps of Python 3.11 (``EINVAL``).
"""

import select
import time

from campone.settings import *  # noqa: F403


def sleep(seconds: float) -> None:
    """As ``time.sleep()``, by another call of the kernel's."""
    select.select((), (), (), seconds)


time.sleep = sleep
