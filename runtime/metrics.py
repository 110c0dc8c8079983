"""Figures of this process for /metrics and the status page. What is counted while a phone rings is counted cheaply."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BOUNDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0)


class Latency:
    """A histogram of seconds that costs a list increment."""

    def __init__(self, bounds: tuple[float, ...] = _BOUNDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile(self, share: float) -> float | None:
        """Upper bound in seconds of the bucket that this share of all lies in; None before the first, or beyond the last."""
        wanted, seen = share * self.count, 0
        for bound, count in zip(self.bounds, self.counts, strict=False):
            seen += count
            if count and seen >= wanted:
                return bound
        return None

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative, as Prometheus wants them."""
        result, seen = [], 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            seen += count
            result.append(("+Inf" if bound == float("inf") else repr(bound), float(seen)))
        return result


Sample = tuple[str, str, str, dict[str, str], float]
"""(type "gauge" or "counter", name, help, labels, value)"""


class Metrics(Collector):
    """Asks its sources when it is read: nothing is pushed. Names get the prefix `callmatrix_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._samples: list[Callable[[], Iterable[Sample]]] = []
        self._latencies: list[tuple[str, str, Latency]] = []
        self.registry.register(self)

    def add(self, source: Callable[[], Iterable[Sample]]) -> None:
        self._samples.append(source)

    def add_latency(self, name: str, help: str, latency: Latency) -> None:
        self._latencies.append((name, help, latency))

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for source in self._samples:
            for type_, name, help, labels, value in source():
                family = families.get(name)
                if family is None:
                    make = CounterMetricFamily if type_ == "counter" else GaugeMetricFamily
                    family = families[name] = make(f"callmatrix_{name}", help, labels=list(labels))
                family.add_metric(list(labels.values()), value)  # type: ignore[attr-defined]
        yield from families.values()
        for name, help, latency in self._latencies:
            yield HistogramMetricFamily(
                f"callmatrix_{name}", help, buckets=latency.buckets(), sum_value=latency.total
            )
