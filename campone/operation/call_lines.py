"""A line of the operator's log for each answered call, where LOG_CALLS asks for it; made beside the calls."""

from __future__ import annotations

import logging

from campone.operation.hearing import Heard

CALLS = logging.getLogger("campone.calls")


def write_calls(calls: list[Heard]) -> None:
    """A line for each call that has been answered."""
    for call in calls:
        milliseconds = round(call.seconds * 1000, 2)
        told = {
            "at": call.at.isoformat(timespec="milliseconds"),
            "request_id": call.request_id,
            "method": call.method,
            "path": call.path,
            "status": call.status,
            "ms": milliseconds,
            "outcome": call.outcome,
            "code": call.code,
            "key_prefix": call.key_prefix,
        }
        said = (call.method, call.path, call.status, milliseconds, call.request_id)
        CALLS.info("%s %s: %d in %.2f ms (%s)", *said, extra={"told": told})
