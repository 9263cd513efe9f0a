"""The figures in the words of Prometheus. Labels have few values each, and name no campground unless it was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from campone.operation.standing import Standing
from campone.operation.tallies import BOUNDS, RouteLabels, Tallies

POOL = {
    "pool_size": ("bridge_pool_connections", "Connections to PostgreSQL that the workers hold."),
    "pool_max": ("bridge_pool_most_connections", "Connections that the workers may hold."),
    "pool_available": ("bridge_pool_idle_connections", "Connections that nobody uses."),
    "requests_waiting": ("bridge_pool_waiting", "Calls that wait for a connection."),
}
WAITING = {
    "parked_sales": ("bridge_parked_sales", "Parked sales that nobody has decided."),
    "silent_tills": ("bridge_silent_tills", "Tills that usually sell by now, and have not."),
    "unsent_journals": ("bridge_unsent_journals", "Journals that SAP has not."),
}


class Figures(Collector):
    """All figures at a moment; ``standing`` is None when the database does not answer."""

    def __init__(self, tallies: Tallies, standing: Standing | None, *, name_tenants: bool) -> None:
        self.tallies = tallies
        self.standing = standing
        self.name_tenants = name_tenants

    def collect(self) -> Iterable[Metric]:
        yield from self._calls()
        yield GaugeMetricFamily("bridge_workers", "Workers that are alive.", value=self.tallies.workers)
        for figure, (name, words) in POOL.items():
            yield GaugeMetricFamily(name, words, value=self.tallies.pool[figure])
        yield GaugeMetricFamily("bridge_database_up", "1 if the database answers.", value=int(bool(self.standing)))
        if self.standing:
            yield from self._standing(self.standing)

    def _calls(self) -> Iterator[Metric]:
        labels = ("route", "method", "status", "outcome", "code")
        calls = CounterMetricFamily("bridge_calls", "Calls answered.", labels=labels)
        for values, number in sorted(self.tallies.calls.items()):
            calls.add_metric(values, number)
        yield calls
        seconds = HistogramMetricFamily("bridge_call_seconds", "How long answers took.", labels=labels[:2])
        for route in sorted(self.tallies.buckets):
            seconds.add_metric(route, buckets=self._buckets(route), sum_value=self.tallies.seconds[route])
        yield seconds

    def _buckets(self, route: RouteLabels) -> list[tuple[str, float]]:
        shares = self.tallies.buckets[route]
        upto = accumulate(shares[index] for index in range(len(BOUNDS) + 1))
        return list(zip([*map(str, BOUNDS), "+Inf"], upto, strict=True))

    def _standing(self, standing: Standing) -> Iterator[Metric]:
        for figure, (name, words) in WAITING.items():
            numbers = {slug: getattr(each, figure) for slug, each in standing.campgrounds.items()}
            if self.name_tenants:
                gauge = GaugeMetricFamily(name, words, labels=("tenant",))
                for slug, number in numbers.items():
                    gauge.add_metric((slug,), number)
                yield gauge
            else:
                yield GaugeMetricFamily(name, words, value=sum(numbers.values()))
        last = GaugeMetricFamily("bridge_due_last_done_timestamp_seconds", "When it was last done.", labels=("deed",))
        for deed, at in standing.done.items():
            last.add_metric((deed,), at.timestamp())
        yield last


def exposed(tallies: Tallies, standing: Standing | None, *, name_tenants: bool) -> bytes:
    """What Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Figures(tallies, standing, name_tenants=name_tenants))
    return generate_latest(registry)
