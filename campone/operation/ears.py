"""Who hears of answered calls in this process, as the settings say; where nobody does, calls pay nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings

from campone.operation.call_lines import write_calls
from campone.operation.hearing import Ear, Listener
from campone.operation.tallies import WorkersFile

LOGGER = logging.getLogger(__name__)


def figures_are_wanted() -> bool:
    """Whether anybody at all may see ``/metrics``."""
    return bool(settings.METRICS_TOKEN or settings.METRICS_ADDRESSES)


def ears_wanted() -> Iterator[Ear]:
    """Those that the settings ask for."""
    if figures_are_wanted() and settings.METRICS_FOLDER:
        yield WorkersFile(settings.METRICS_FOLDER).hear
    if settings.LOG_CALLS:
        yield write_calls
    if settings.TRACES_ENDPOINT:
        try:
            from campone.operation.tracing import sent_spans

            yield sent_spans().hear
        except ImportError:
            LOGGER.warning("No traces: requirements/tracing.lock is not installed.")


def begin_listening() -> Listener | None:
    """Listen in this worker, if anybody wants to hear."""
    ears = list(ears_wanted())
    if not ears:
        return None
    listener = Listener(ears)
    listener.start()
    return listener
