"""Why a whole run ends early; each message is written for the person who started it."""


class TillStopped(Exception):
    """The run cannot go on."""


class BudgetUsedUp(TillStopped):
    """The key's hourly budget is spent, and waiting for it would take longer than a till should."""


class KeyRefused(TillStopped):
    """The key is not accepted: 401, or a scope it lacks: 403."""


class NobodyAnswers(TillStopped):
    """No usable answer for longer than the till is patient."""
