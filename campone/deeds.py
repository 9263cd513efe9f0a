"""What the scheduler does, deed by deed: each begun, done, and noted as done; one deed's trouble is its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO

from django.core.management import call_command
from django.db.models import Q
from django.utils import timezone

from adapters import due as connections
from apikeys import expiry_mails
from campone.models import Deed
from journal import due as journals
from pos_bridge.importing import due as imports
from tenants.fence import is_standing

ANY_FIGURE = re.compile("[1-9]")


def fetch_from_vendors() -> Iterator[str]:
    """Fetch from the tills of vendors; a line for each turn."""
    return map(connections.sentence_of, connections.run_due(at=timezone.now()))


def keep_the_books() -> Iterator[str]:
    """Gather, post and look up journals; a line for each campground."""
    return map(sentence_of, journals.run_due(clock=timezone.now))


def finish_imports() -> Iterator[str]:
    """Finish imports that nobody drives any more; a line for each."""
    return map(imports.sentence_of, imports.run_due(clock=timezone.now))


def tell_of_ends() -> Iterator[str]:
    """Mail about keys that end soon; a line for each mail."""
    return map(expiry_mails.sentence_of, expiry_mails.run_due(at=timezone.now()))


def prune() -> Iterator[str]:
    """Forget what is old, and make room in the log for the months to come; a line for what there was of it."""
    said = StringIO()
    call_command("prune", stdout=said)
    return filter(ANY_FIGURE.search, said.getvalue().splitlines())


@dataclass(frozen=True, slots=True)
class Work:
    """What is done in a deed, at least ``every`` so long after it was last begun; ``by_owner`` of the tables alone."""

    lines: Callable[[], Iterator[str]]
    every: timedelta = timedelta()
    by_owner: bool = False


DEEDS = {
    "vendors": Work(fetch_from_vendors),
    "journals": Work(keep_the_books),
    "imports": Work(finish_imports),
    "expiry_mails": Work(tell_of_ends),
    # A timer that comes once a day comes a little earlier at times.
    "prune": Work(prune, every=timedelta(hours=20), by_owner=True),
}


def do(name: str) -> Iterator[str]:
    """Do a deed, if it is its turn, and note that it was done; what it has to say, line by line."""
    work = DEEDS[name]
    if (work.by_owner and is_standing()) or not begin(name, at=timezone.now(), every=work.every):
        return
    yield from work.lines()
    Deed.objects.filter(name=name).update(done_at=timezone.now())


def begin(name: str, *, at: datetime, every: timedelta) -> bool:
    """Note that a deed has begun; False if somebody has begun it not so long ago. A beginning that lies far ahead is
    of a clock that was wrong, and keeps nobody from anything.
    """
    _deed, is_new = Deed.objects.get_or_create(name=name, defaults={"begun_at": at})
    in_turn = Q(begun_at__lte=at - every) | Q(begun_at__gt=at + every)
    return is_new or Deed.objects.filter(in_turn, name=name).update(begun_at=at) == 1


def sentence_of(done: journals.Done) -> str:
    """One line about one campground's books."""
    parts = [f"{done.opened} opened"] if done.opened else []
    parts += [f"{revision.reference} {revision.state} {revision.sap_number}".strip() for revision in done.worked_on]
    parts += [f"trouble: {done.trouble}"] if done.trouble else []
    return f"{done.tenant.slug}: {', '.join(parts)}."
