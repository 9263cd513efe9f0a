"""The till's half of exactly once: write a sale down, send it until it is acknowledged, compare in the evening.

Standard library only. Copy this folder beside your till, or ``pip install`` it. From left to right:

    access       address and token
    sale         a sale as bytes
    wire         one connection, kept alive
    answers      what an answer means
    client       the calls of the bridge
    outbox       every sale on disk until it is acknowledged
    draining     sending what lies there, with patience
    reconciling  the evening: what is missing is sent again
    relay        for tills that can call only once
"""

from till_client.access import Token
from till_client.answers import ItemResult, Receipt, Result
from till_client.client import TillClient
from till_client.draining import Drain, Tally
from till_client.errors import (
    Answered,
    Conflict,
    KeyRefused,
    Misconfigured,
    NoAnswer,
    NotOffered,
    OutboxFailed,
    ReferenceTaken,
    SaleRefused,
    TillClientError,
    TryLater,
    Unproven,
    UnusableSale,
)
from till_client.outbox import Kept, Outbox
from till_client.reconciling import Evening, reconcile_day
from till_client.relay import Relay
from till_client.sale import Sale, sale_from

__all__ = [
    "Answered",
    "Conflict",
    "Drain",
    "Evening",
    "ItemResult",
    "Kept",
    "KeyRefused",
    "Misconfigured",
    "NoAnswer",
    "NotOffered",
    "Outbox",
    "OutboxFailed",
    "Receipt",
    "ReferenceTaken",
    "Relay",
    "Result",
    "Sale",
    "SaleRefused",
    "Tally",
    "TillClient",
    "TillClientError",
    "Token",
    "TryLater",
    "Unproven",
    "UnusableSale",
    "reconcile_day",
    "sale_from",
]
