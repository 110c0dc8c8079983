"""What a gateway process tells of itself on /metrics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runtime.metrics import Sample

if TYPE_CHECKING:
    from gateway.app.gateway import Gateway


def gateway_figures(gateway: Gateway) -> Iterator[Sample]:
    now = datetime.now(UTC)
    for account_id, directory in gateway.feed.directories().items():
        labels = {"account": account_id}
        yield "gauge", "directory_numbers", "Numbers in memory", labels, len(directory)
        yield "gauge", "directory_bytes", "Memory of the directory", labels, directory.memory_bytes()
        yield "gauge", "directory_ready", "1 when it may be asked", labels, float(directory.is_ready)
        yield (
            "gauge",
            "directory_complete",
            "1 once the first load is over",
            labels,
            float(directory.is_complete),
        )
        age = directory.age_ms(now.timestamp())
        if age is not None:
            yield "gauge", "directory_age_seconds", "Since it last agreed with the CRM", labels, age / 1000
    health = gateway.feed.health
    yield (
        "gauge",
        "directory_feed_connected",
        "1 while the feed hears the database",
        {},
        float(health.is_connected),
    )
    yield "gauge", "directory_feed_lag_seconds", "Commit to memory, latest change", {}, health.lag_ms / 1000
    recorder = gateway.recorder
    yield "gauge", "decisions_waiting", "Lookup decisions not yet written", {}, recorder.waiting
    yield "counter", "decisions_written", "Lookup decisions written", {}, recorder.written
    yield "counter", "decisions_lost", "Lookup decisions not written because too many came", {}, recorder.lost
    events = gateway.events
    yield "counter", "events_accepted", "PBX events accepted", {}, events.accepted
    yield "counter", "events_duplicate", "of them repeated", {}, events.duplicates
    yield "counter", "unauthorised", "PBX requests without a valid secret", {}, gateway.refusals.count
    yield "counter", "events_refused", "PBX events refused as unreadable", {}, events.refused
    commands = gateway.pbx_commands.status
    for outcome in ("scheme", "sent", "dropped", "refused", "done", "failed"):
        count = getattr(commands, outcome)
        yield "counter", "route_commands", "Calls waiting in a voice menu", {"outcome": outcome}, count
    agi = gateway.fastagi
    yield "counter", "fastagi_answered", "FastAGI questions answered", {}, agi.answered
    yield "counter", "fastagi_refused", "FastAGI questions without a secret or unreadable", {}, agi.refused
    yield "counter", "fastagi_late", "FastAGI questions let go at the deadline", {}, agi.late
    listener = gateway.configuration.listener
    yield (
        "gauge",
        "configuration_feed_connected",
        "1 while changes are heard",
        {},
        float(listener.is_connected),
    )
