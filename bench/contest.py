"""Those who take part in a run: laid out, started, checked, driven along every path, audited."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bench import checking, floor, shop
from bench.audit import Tables, find_faults, read_counts
from bench.database import Database
from bench.floor import Floor
from bench.load import Call, LoadFailed, Sent, get_call, sale_call, send
from bench.rounds import Entrant
from bench.servers import Server, free_port, running
from bench.targets import FLOOR, TITLES, Target, prepare_targets

CONNECTIONS = len(shop.CAMPGROUNDS) * shop.TILLS_PER_CAMPGROUND


class Route(StrEnum):
    """What tills do."""

    POST = "post"
    RETRY = "retry"
    READ_BACK = "read back"
    PRODUCTS = "products"
    UNCHANGED = "products (304)"
    PING = "ping"


@dataclass(slots=True)
class Tally:
    """What a target's callers have counted, to be compared with its rows."""

    accepted: int = 0
    in_flight: int = 0

    def add(self, sent: Sent, connections: int) -> None:
        """A round is over; each connection may have left one sale under way."""
        self.accepted += sent.accepted
        self.in_flight += connections


@dataclass(slots=True)
class Contestant:
    """A target with its server; ``fault`` says why its figures do not count, and is empty while they do."""

    target: Target
    server: Server
    folder: Path
    opened_at: datetime
    tally: Tally = field(default_factory=Tally)
    etags: list[str] = field(default_factory=list)
    fault: str = ""

    def check(self) -> None:
        """Keep the contract, or be out; then leave one sale for each till, to be asked for later."""
        try:
            checking.check_contract(self.target.keys, port=self.server.port, now=self.opened_at)
            for number, token in enumerate(self.target.keys.tills):
                checking.expect(201, self._kept_sale(number, token), "a sale", port=self.server.port)
                products = checking.expect(200, get_call(token, "products/"), "products", port=self.server.port)
                self.etags.append(products.etag)
        except checking.Unlike as unlike:
            self.fault = f"contract: {unlike}"
        self.tally.accepted += checking.SALES + len(self.etags)

    def _kept_sale(self, number: int, token: str) -> Call:
        return sale_call(token, f"kept-{number}", self.opened_at)

    def calls(self, route: Route, tag: str) -> list[Call]:
        """What each till sends; ``tag`` keeps the references of one round from those of another."""
        return [self._call(route, tag, number, token) for number, token in enumerate(self.target.keys.tills)]

    def _call(self, route: Route, tag: str, number: int, token: str) -> Call:
        match route:
            case Route.POST:
                return sale_call(token, f"{tag}-{number:02}-{shop.PLACE}", self.opened_at)
            case Route.RETRY:
                return self._kept_sale(number, token)
            case Route.READ_BACK:
                return get_call(token, f"transactions/kept-{number}/")
            case Route.PRODUCTS:
                return get_call(token, "products/")
            case Route.UNCHANGED:
                return get_call(token, "products/", if_none_match=self.etags[number])
            case Route.PING:
                return get_call(token, "ping/")

    def drive(self, route: Route, tag: str, seconds: int) -> Sent:
        """All tills at once; whoever accepts nothing is out.

        Raises:
            LoadFailed: nothing was accepted, or the load generator broke off.
        """
        folder = self.folder / f"{route}-{tag}"
        try:
            sent = send(self.calls(route, tag), port=self.server.port, seconds=seconds, folder=folder)
        except LoadFailed as failed:
            self.fault = f"{route}: {failed}"
            raise
        if route is Route.POST:
            self.tally.add(sent, CONNECTIONS)
        return sent

    def entrant(self, route: Route, seconds: int) -> Entrant:
        """To take part in the rounds of a route."""
        return Entrant(self.target.name, lambda number: self.drive(route, f"r{number}", seconds), self.server)


@dataclass(slots=True)
class Contest:
    """Everyone, and the floor under them."""

    database: Database
    floor: Floor
    contestants: list[Contestant]
    folder: Path
    names: Collection[str]
    floor_tally: Tally = field(default_factory=Tally)
    faults: dict[str, str] = field(default_factory=dict)

    def fit(self) -> list[Contestant]:
        """Those whose answers were right."""
        return [each for each in self.contestants if not each.fault]

    def entrants(self, route: Route, seconds: int) -> list[Entrant]:
        """Everyone who can take part; the floor only knows how to post."""
        served = [each.entrant(route, seconds) for each in self.fit()]
        floor = Entrant(FLOOR, lambda number: self._drive_floor(number, seconds), None)
        return [floor, *served] if route is Route.POST and FLOOR in self.names else served

    def _drive_floor(self, number: int, seconds: int) -> Sent:
        sent = self.floor.send(
            clients=CONNECTIONS, seconds=seconds, tag=f"r{number}", folder=self.folder / f"floor{number}"
        )
        self.floor_tally.add(sent, 0)
        return sent

    def audit(self) -> None:
        """Count everyone's rows; whose do not add up is out."""
        for each in self.fit():
            faults = self._faults_of(each.target.database, each.target.tables, each.tally)
            each.fault = f"audit: {'; '.join(faults)}" if faults else ""
        self.faults |= {each.target.name: each.fault for each in self.contestants if each.fault}
        if faults := self._faults_of(FLOOR, floor.OWN_TABLES, self.floor_tally):
            self.faults[FLOOR] = f"audit: {'; '.join(faults)}"

    def _faults_of(self, database: str, tables: Tables, tally: Tally) -> list[str]:
        answers = {name: self.database.ask(database, question) for name, question in tables.questions().items()}
        return find_faults(read_counts(answers), accepted=tally.accepted, in_flight=tally.in_flight)


@contextmanager
def contest(
    database: Database, folder: Path, *, names: Collection[str], now: datetime, tell: Callable[[str], None]
) -> Iterator[Contest]:
    """Lay out, start and check those named; all servers stay up, idle while it is another's turn."""
    ports = {name: free_port() for name in TITLES}
    targets = [each for each in prepare_targets(database, ports, folder) if each.name in names]
    ground = Floor(database, FLOOR)
    ground.prepare()
    with ExitStack() as stack:
        everyone = Contest(database, ground, [], folder, names)
        for target in targets:
            try:
                server = stack.enter_context(start(target, ports[target.name], folder))
            except (checking.Unlike, OSError) as error:
                everyone.faults[target.name] = f"start: {error}"
                tell(f"  {target.name:10} {everyone.faults[target.name]}")
                continue
            everyone.contestants.append(enter(target, server, folder, now=now, tell=tell))
        yield everyone


def start(target: Target, port: int, folder: Path) -> AbstractContextManager[Server]:
    """A target's server; what it complains of goes into a file of its own."""
    token, log = target.keys.tills[0], folder / f"{target.name}.log"
    return running(target.command, port=port, environment=target.environment, token=token, log=log)


def enter(target: Target, server: Server, folder: Path, *, now: datetime, tell: Callable[[str], None]) -> Contestant:
    """Check a target that has started, and say what came of it."""
    contestant = Contestant(target, server, folder / target.name, now)
    contestant.check()
    tell(f"  {target.name:10} {contestant.fault or 'keeps the contract'}")
    if contestant.fault:
        tell(server.last_words())
    return contestant


def warm_up(contestants: Sequence[Contestant], seconds: int) -> None:
    """Everyone's caches, pools and statements are filled before the first round."""
    for each in contestants:
        with suppress(LoadFailed):  # it is out, and says why
            each.drive(Route.POST, "warm", seconds)
