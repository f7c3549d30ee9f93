"""What is counted and measured, in the words of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

#: How many clients there are, by restaurant and by the version's number that they have.
Census = Callable[[], Mapping[tuple[str, str], int]]


class Metrics:
    """One server's; several in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.lag = Histogram(
            "rowform_live_send_lag_seconds",
            "From the beginning of the transaction that activated a version to when a client was sent it.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.loads = Histogram(
            "rowform_live_load_seconds",
            "How long it took to read a restaurant's settings.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.skipped = self._counter(
            "skipped_snapshots", "Snapshots that a slow client was not sent because a newer one came."
        )
        self.reconnects = self._counter("listener_reconnects", "Connections of the listener after the first.")
        self.missed = self._counter(
            "missed_notifications", "Activations that polling found, not the listener."
        )
        self.dropped = self._counter("dropped_clients", "Clients closed because they took nothing any more.")
        self.refused = self._counter("refused", "Connections and requests refused, by reason.", ("reason",))
        self.errors = self._counter("errors", "ERROR messages sent to clients, by code.", ("code",))
        self.database_errors = self._counter("database_errors", "Readings that failed.")

    def watch(self, census: Census, standing: Callable[[], Mapping[str, bool]]) -> None:
        """Ask for these whenever somebody looks."""
        self._registry.register(_Gauges(census, standing))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(f"rowform_live_{name}", what, tuple(labels), registry=self._registry)


class _Gauges(Collector):
    def __init__(self, census: Census, standing: Callable[[], Mapping[str, bool]]) -> None:
        self._census = census
        self._standing = standing

    def collect(self) -> Iterator[GaugeMetricFamily]:
        clients = GaugeMetricFamily(
            "rowform_live_clients", "Clients by the version that they have.", labels=["restaurant", "version"]
        )
        for (restaurant, version), number in sorted(self._census().items()):
            clients.add_metric([restaurant, version], number)
        yield clients
        up = GaugeMetricFamily("rowform_live_up", "Whether database and listener answer.", labels=["part"])
        for part, is_up in self._standing().items():
            up.add_metric([part], is_up)
        yield up
