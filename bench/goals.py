"""What the service is to reach beside its peers, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.flood import Flood
from bench.many import Many
from bench.rounds import Round, median_of, median_ratio
from bench.sqlite import OnSqlite
from bench.targets import FASTAPI, FLOOR, PRODUCT, STARLETTE, TEXTBOOK

Results = Mapping[str, Sequence[Round]]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that must hold, one that is aimed at, and what was measured; ``at_most`` where less is better."""

    against: str
    figure: str
    hold: float
    aim: float
    measured: float
    unit: str = "×"
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """In one word."""
        if self._reaches(self.aim):
            return "aim reached"
        return "holds" if self._reaches(self.hold) else "**missed**"

    def _reaches(self, bound: float) -> bool:
        return self.measured <= bound if self.at_most else self.measured >= bound


def goals_of(posts: Results, flood: Flood | None, on_sqlite: OnSqlite | None, many: Many | None) -> Iterator[Goal]:
    """Every goal whose figures count."""
    if PRODUCT not in posts:
        return
    yield from beside_peers(posts)
    if FLOOR in posts:
        yield from above_the_floor(posts)
    if flood is not None:
        yield Goal("flood of wrong tokens", "honest req/s of quiet", 0.60, 0.80, flood.share)
        yield Goal("flood of wrong tokens", "memory taken more", 64, 64, flood.growth, unit=" MiB", at_most=True)
    if on_sqlite is not None and on_sqlite.rounds and FLOOR in posts:
        share = median_of(on_sqlite.rounds, per_second) / median_of(posts[FLOOR], per_second)
        yield Goal("floor", "req/s on SQLite, one process", 0.10, 0.20, share)
    if many is not None:
        yield Goal("single posts", "less CPU, a hundred at once", 5, 5, median_of(posts[PRODUCT], both) / many.both)


def beside_peers(posts: Results) -> Iterator[Goal]:
    """CPU of server and database, and throughput."""
    if TEXTBOOK in posts:
        yield Goal("textbook DRF", "less CPU", 8, 12, median_ratio(posts, TEXTBOOK, PRODUCT, both))
        yield Goal("textbook DRF", "req/s", 7, 12, median_ratio(posts, PRODUCT, TEXTBOOK, per_second))
    if FASTAPI in posts:
        yield Goal("FastAPI", "less CPU", 2, 3, median_ratio(posts, FASTAPI, PRODUCT, both))
        yield Goal("FastAPI", "req/s", 1.8, 3, median_ratio(posts, PRODUCT, FASTAPI, per_second))
    if STARLETTE in posts:
        yield Goal("Starlette, tuned", "its economy in CPU", 0.6, 1, median_ratio(posts, STARLETTE, PRODUCT, both))


def above_the_floor(posts: Results) -> Iterator[Goal]:
    """What the database alone can do."""
    yield Goal("floor", "req/s", 0.22, 0.35, median_ratio(posts, PRODUCT, FLOOR, per_second))
    database = median_ratio(posts, PRODUCT, FLOOR, lambda measured: measured.database)
    yield Goal("floor", "database CPU", 1.5, 1.2, database, at_most=True)


def both(measured: Round) -> float:
    """CPU of server and database for a thousand calls."""
    return measured.both


def per_second(measured: Round) -> float:
    """Accepted calls in a second."""
    return measured.sent.per_second
