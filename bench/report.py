"""What is told of a run: tables for people between two marks of a page, and everything as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from bench.conditions import Conditions
from bench.contest import Route
from bench.flood import Flood
from bench.goals import Goal, both, goals_of, per_second
from bench.load import Sent
from bench.many import AT_ONCE, Many
from bench.rounds import Round, median_of
from bench.servers import ROOT
from bench.shop import instant_text
from bench.sqlite import OnSqlite
from bench.targets import TITLES

PAGE = ROOT / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"


@dataclass(frozen=True, slots=True)
class Report:
    """A run. ``paths`` holds rounds by path and target; ``faults`` says whose figures do not count, and why."""

    at: datetime
    whole: bool
    conditions: Conditions
    paths: Mapping[str, Mapping[str, Sequence[Round]]]
    faults: Mapping[str, str]
    flood: Flood | None
    on_sqlite: OnSqlite | None
    many: Many | None

    def counting(self, path: str) -> dict[str, Sequence[Round]]:
        """The rounds of a path that count."""
        return {name: rounds for name, rounds in self.paths.get(path, {}).items() if rounds and name not in self.faults}


def markdown(report: Report) -> str:
    """The tables."""
    parts = [conditions_text(report), posts_table(report), goals_table(report), reads_table(report), asides(report)]
    return "\n\n".join(part for part in parts if part)


def conditions_text(report: Report) -> str:
    """The machine, in a sentence."""
    seen, rounds = report.conditions, max(map(len, report.paths[Route.POST].values()), default=0)
    told = f"medians of {rounds} interleaved rounds" if rounds > 1 else "one round"
    busy = " Other work disturbed it: read CPU and ratios, not seconds." if seen.load_before > seen.cores / 2 else ""
    return (
        f"{report.at:%d %B %Y}, {seen.cores} cores of {seen.processor}, Linux {seen.kernel}, Python {seen.python},"
        f" PostgreSQL {seen.postgresql} with fsync and synchronous_commit on. A page reaches the disk in"
        f" {seen.fdatasync_us:,.0f} µs; the machine's load before the run was {seen.load_before:g}."
        f" 16 keep-alive connections, two processes each, {told}.{busy}"
    )


def posts_table(report: Report) -> str:
    """Everyone who posted sales; who is out is named with the reason."""
    header = [
        "posting a sale",
        "req/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "server CPU",
        "database CPU",
        "both",
        "MiB",
        "WAL kB",
    ]
    counting = report.counting(Route.POST)
    rows = [
        posts_row(TITLES[name], rounds) for name, rounds in sorted(counting.items(), key=lambda each: cost_of(each[1]))
    ]
    rows += [[TITLES.get(name, name), f"does not count: {first_line(why)}"] for name, why in report.faults.items()]
    told = (
        "CPU in seconds for 1,000 accepted sales, from the kernel's accounting; memory of all processes of the server."
    )
    return f"{table(header, rows)}\n\n{told}"


def cost_of(rounds: Sequence[Round]) -> float:
    """By what the table is ordered."""
    return median_of(rounds, both)


def posts_row(title: str, rounds: Sequence[Round]) -> list[str]:
    """The medians of one target."""
    columns: list[tuple[Callable[[Round], float], str]] = [
        (per_second, ",.0f"),
        (lambda each: each.sent.p50, ".1f"),
        (lambda each: each.sent.p95, ".1f"),
        (lambda each: each.sent.p99, ".1f"),
        (lambda each: each.server, ".3f"),
        (lambda each: each.database, ".3f"),
        (both, ".3f"),
        (lambda each: each.memory, ",.0f"),
        (lambda each: each.wal_per_call / 1000, ".2f"),
    ]
    return [title, *(figure(median_of(rounds, value), form) for value, form in columns)]


def figure(value: float, form: str) -> str:
    """A figure, or a dash where there is nothing to measure: the floor has no server."""
    return format(value, form) if value else "–"


def goals_in(report: Report) -> list[Goal]:
    """What was to be reached, with what was, as far as the figures count."""
    return list(goals_of(report.counting(Route.POST), report.flood, report.on_sqlite, report.many))


def goals_table(report: Report) -> str:
    """The goals."""
    rows = [
        [
            goal.against,
            goal.figure,
            f"{'≤' if goal.at_most else '≥'} {goal.hold:g}{goal.unit}",
            f"{goal.aim:g}{goal.unit}",
            f"{goal.measured:.2f}{goal.unit}",
            goal.verdict,
        ]
        for goal in goals_in(report)
    ]
    return table(["against", "figure", "hold", "aim", "measured", ""], rows) if rows else ""


def reads_table(report: Report) -> str:
    """The other paths: requests per second, and CPU of server and database together."""
    paths = [path for path in report.paths if path != Route.POST]
    names = [name for name in TITLES if any(name in report.counting(path) for path in paths)]
    rows = [[TITLES[name], *(read_cell(report.counting(path).get(name)) for path in paths)] for name in names]
    told = "Requests in a second; below the line, CPU seconds of server and database for 1,000 calls."
    return f"{table(['other paths', *paths], rows)}\n\n{told}" if rows else ""


def read_cell(rounds: Sequence[Round] | None) -> str:
    """One target on one path."""
    if not rounds:
        return "–"
    return f"{median_of(rounds, per_second):,.0f}<br>{median_of(rounds, both):.3f}"


def asides(report: Report) -> str:
    """SQLite, the flood, and many at once: what has no peer."""
    return "\n".join(f"- {line}" for line in [*sqlite_lines(report), *flood_lines(report), *many_lines(report)])


def sqlite_lines(report: Report) -> Iterator[str]:
    """The product without a database server."""
    measured = report.on_sqlite
    if measured is None:
        return
    if measured.fault:
        yield f"SQLite does not count: {first_line(measured.fault)}"
        return
    rate, p99 = median_of(measured.rounds, per_second), median_of(measured.rounds, lambda each: each.sent.p99)
    cpu = median_of(measured.rounds, lambda each: each.server)
    told = f"{rate:,.0f} sales/s, p99 {p99:.1f} ms, {cpu:.3f} s of CPU for 1,000 sales."
    yield f"On SQLite, synchronous=FULL, one process: {told}"


def flood_lines(report: Report) -> Iterator[str]:
    """What is left for the honest."""
    flood = report.flood
    if flood is None:
        return
    quiet, honest = middle(flood.quiet, rate_of), middle(flood.honest, rate_of)
    forged = middle(flood.forged, lambda sent: sent.refused / sent.seconds)
    yield (
        f"Eight tills alone: {quiet:,.0f} sales/s, p99 {middle(flood.quiet, p99_of):.1f} ms. Beside eight connections"
        f" that send made-up tokens under prefixes that exist ({forged:,.0f} refused/s): {honest:,.0f} sales/s,"
        f" p99 {middle(flood.honest, p99_of):.1f} ms; memory {flood.memory_before:,.0f} MiB before,"
        f" {flood.memory_after:,.0f} MiB after."
    )


def rate_of(sent: Sent) -> float:
    """Accepted calls in a second."""
    return sent.per_second


def p99_of(sent: Sent) -> float:
    """Milliseconds that one call in a hundred takes longer than."""
    return sent.p99


def middle(sents: Iterable[Sent], value: Callable[[Sent], float]) -> float:
    """The median of a figure."""
    return median(value(each) for each in sents)


def many_lines(report: Report) -> Iterator[str]:
    """The door's list form."""
    many = report.many
    if many is not None:
        process, database = (1000 * seconds / many.sales for seconds in (many.process_cpu, many.database_cpu))
        yield (
            f"{AT_ONCE} sales at a time through the ledger's own door, without HTTP: {many.both:.3f} s of CPU for 1,000"
            f" sales, {process:.3f} in the process and {database:.3f} in the database."
        )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; figures to the right, short rows filled up."""
    lines = [header, ["---", *["--:"] * (len(header) - 1)]]
    lines += [[*row, *[""] * (len(header) - len(row))] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def first_line(text: str) -> str:
    """Of a long reason the beginning, fit for a cell."""
    return text.strip().partition("\n")[0].replace("|", "/")[:160]


def replace_between_marks(page: str, tables: str) -> str:
    """The page with new tables between its marks; the prose around them stays."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise MarksMissing(f"{PAGE.name} needs {BEGIN} and, further down, {END}.")
    return f"{before}{begin}\n\n{tables}\n\n{end}{after}"


class MarksMissing(Exception):
    """The page does not say where the tables go."""


def write_json(report: Report, folder: Path) -> Path:
    """Everything that was measured, round by round."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.at:%Y%m%d-%H%M%S}.json"
    goals = [asdict(goal) for goal in goals_in(report)]
    path.write_text(json.dumps({**asdict(report), "goals": goals}, default=instant_text, indent=1) + "\n")
    return path
