"""Figures of one process, in Prometheus's text format: requests as they end in, `GET /metrics` out.

Each app has a registry of its own. Labels are routes, methods, statuses and queues: all of a bounded number, and never
a tenant's name, an id or anything else that a caller chose. What the store knows is asked when somebody scrapes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actions.errors import OperatorError

if TYPE_CHECKING:
    from orchestrator.store.queues import QueueStanding
    from orchestrator.store.store import Store

T = TypeVar("T")

_METHODS: Final = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
_STORE_S: Final = 1.0
"""Seconds that a scrape waits for each answer of the store; without one, it is left out."""
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_QUEUES_EVERY_S: Final = 5.0
"""Seconds for which an answer about the queues is given again, whoever asks."""
UNROUTED: Final = "(none)"
"""The route of requests that meet none."""


class Metrics:
    """What one process counts."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "umbel_http_requests",
            "Requests that were answered.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "umbel_http_request_seconds",
            "How long answers took, streams and waits included.",
            ("route", "method"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.streams = Gauge("umbel_streams_open", "Event streams that are open.", registry=self.registry)
        """Event streams that are open: whoever opens one counts it up, and down again."""

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request."""
        named = method if method in _METHODS else "other"
        self._requests.labels(route, named, str(status)).inc()
        self._seconds.labels(route, named).observe(seconds)


@dataclass(frozen=True, eq=False)
class _Seen(Collector):
    """What the store said, for one scrape."""

    resting: tuple[int, int] | None
    """Runs that came to a bad end, and undos that failed; None: the store did not answer."""
    queues: Sequence[QueueStanding]
    """How the queues stand, as far as it was said in time."""

    def collect(self) -> Iterator[Metric]:
        """Say it in Prometheus's words."""
        up = int(self.resting is not None)
        yield GaugeMetricFamily("umbel_store_up", "Whether the store answered this scrape.", value=up)
        if self.resting is not None:
            dead, stuck = self.resting
            yield GaugeMetricFamily(
                "umbel_dead_runs", "Runs that ended dead, failed or timed out.", value=dead
            )
            yield GaugeMetricFamily("umbel_stuck_undos", "Undos that failed for good.", value=stuck)
        runs = GaugeMetricFamily("umbel_queue_runs", "Runs that have not ended.", labels=("queue", "state"))
        oldest = GaugeMetricFamily(
            "umbel_queue_oldest_ready_seconds", "How long the first has been ready.", labels=("queue",)
        )
        seen = GaugeMetricFamily(
            "umbel_queue_worker_seen_seconds", "Since a worker's last sign of life.", labels=("queue",)
        )
        for each in self.queues:
            counts = {"ready": each.ready, "running": each.running, "waiting": sum(each.waiting.values())}
            for state, count in counts.items():
                runs.add_metric((each.queue, state), count)
            if each.oldest_ready_s is not None:
                oldest.add_metric((each.queue,), each.oldest_ready_s)
            if each.seen_s is not None:
                seen.add_metric((each.queue,), each.seen_s)
        yield from (runs, oldest, seen)


class Scraper:
    """Asks the store for scrapes. How queues stand takes a look through all keys, so it is asked seldom."""

    def __init__(self, store: Store) -> None:
        """Ask this store."""
        self._store = store
        self._asking = asyncio.Lock()
        self._asked = float("-inf")
        self._queues: Sequence[QueueStanding] = ()

    async def text(self, own: CollectorRegistry) -> bytes:
        """A scrape: what this process counted, and what the store said within a second."""
        seen = CollectorRegistry()
        resting = await self._in_time(self._store.health.resting())
        seen.register(_Seen(resting, () if resting is None else await self._standing()))
        return generate_latest(own) + generate_latest(seen)

    async def _standing(self) -> Sequence[QueueStanding]:
        async with self._asking:
            if time.monotonic() - self._asked > _QUEUES_EVERY_S:
                self._queues = await self._in_time(self._store.queues.standing()) or ()
                self._asked = time.monotonic()
            return self._queues

    async def _in_time(self, question: Awaitable[T]) -> T | None:
        try:
            async with asyncio.timeout(_STORE_S):
                return await question
        except (OperatorError, TimeoutError):
            return None
