"""The figures of a process."""

from __future__ import annotations

from runtime.metrics import Latency


def test_a_quantile_is_the_upper_bound_of_its_bucket() -> None:
    latency = Latency((0.001, 0.01, 0.1))
    assert latency.quantile(0.5) is None
    for seconds in (0.0005,) * 98 + (0.05, 5.0):
        latency.observe(seconds)
    assert latency.quantile(0.5) == 0.001
    assert latency.quantile(0.99) == 0.1
    assert latency.quantile(1.0) is None
