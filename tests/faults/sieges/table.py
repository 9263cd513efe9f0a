"""All sieges, by the names that they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from tests.faults.sieges.besieging import Order
from tests.faults.sieges.clocks import besiege_by_the_clock
from tests.faults.sieges.dead_line import besiege_by_a_dead_line, besiege_by_a_hung_database
from tests.faults.sieges.held import besiege_by_others
from tests.faults.sieges.log_away import besiege_the_log
from tests.faults.sieges.neighbours import besiege_the_fence
from tests.faults.sieges.oracle import besiege_by_timing
from tests.faults.sieges.revoking import besiege_a_revocation
from tests.faults.sieges.same_moment import besiege_one_reference
from tests.faults.sieges.strangers import besiege_with_forged_tokens, besiege_without_a_key
from tests.faults.sieges.writers import besiege_the_one_writer

SIEGES: MappingProxyType[str, Callable[[Order], bool]] = MappingProxyType(
    {
        "clock": besiege_by_the_clock,
        "dead-line": besiege_by_a_dead_line,
        "eight-writers": besiege_the_one_writer,
        "forged-tokens": besiege_with_forged_tokens,
        "held-connections": besiege_by_others,
        "hung-database": besiege_by_a_hung_database,
        "log-away": besiege_the_log,
        "neighbours": besiege_the_fence,
        "oracle": besiege_by_timing,
        "revocations": besiege_a_revocation,
        "same-moment": besiege_one_reference,
        "strangers": besiege_without_a_key,
    }
)
