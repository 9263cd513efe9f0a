"""What can go wrong, as a tree.

TillClientError
├── Misconfigured      no usable address or token: a person has to do something
├── UnusableSale       it cannot be written down: no reference, a float, an instant without offset
├── ReferenceTaken     the outbox holds another sale under this reference
├── OutboxFailed       the file cannot be read or written: the sale is *not* taken
├── NoAnswer           nothing came back that proves anything: send the same again
│   └── Unproven       something answered, but not as the bridge does: a portal, a proxy, half an answer
└── Answered           the bridge answered, and not with what was asked for
    ├── TryLater       408, 425, 429 or 5xx: send the same again, not before ``retry_after`` seconds
    ├── KeyRefused     401 or 403: no call will be taken until a person has seen to the key
    ├── NotOffered     404 or 405: this bridge has no such call
    └── SaleRefused    400, 409, 413 or 422: these bytes will never be taken
        └── Conflict   409: the reference belongs to another sale; the bridge has parked this one

No message holds a token or a sale.
"""


class TillClientError(Exception):
    """The root: catching it catches everything this package raises on purpose."""


class Misconfigured(TillClientError):
    """A person has to do something; the message says what."""


class UnusableSale(TillClientError, ValueError):
    """Not a sale that can be written down."""


class ReferenceTaken(TillClientError):
    """The outbox holds other bytes under this reference; neither is overwritten."""


class OutboxFailed(TillClientError):
    """The file cannot be read or written."""


class NoAnswer(TillClientError):
    """Whether the bridge did its work is unknown."""


class Unproven(NoAnswer):
    """Something answered, and it is not what the bridge would say."""


class Answered(TillClientError):
    """An answer of the bridge other than the one asked for.

    ``code`` is its stable word, empty when it gave none; ``problem`` the whole JSON.
    """

    def __init__(self, message: str, *, status: int, code: str = "", problem: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.problem = problem or {}


class TryLater(Answered):
    """The same bytes may be taken later; ``retry_after`` in seconds, 0 when nothing was said."""

    retry_after: float = 0.0


class KeyRefused(Answered):
    """The key is unknown, has ended, or may not do this; or the bridge is switched off."""


class NotOffered(Answered):
    """No such call here."""


class SaleRefused(Answered):
    """The bridge will never take these bytes; corrected ones are a new attempt."""


class Conflict(SaleRefused):
    """Another sale has this reference. The bridge keeps this one for staff to decide: do not send it again."""
