"""What goes out, at /metrics: queues, pace, and what came of the latest hour's calls and texts."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.store.outbound.figures import OutboundFigures
from runtime.metrics import Sample


def outbound_samples(figures: OutboundFigures) -> Iterator[Sample]:
    for part in figures.waiting:
        of = {"account": part.account_id, "kind": part.kind}
        yield "gauge", "outbound_waiting", "Calls and texts in the queue", of, part.n
        age = max(0.0, part.oldest_seconds)
        yield "gauge", "outbound_oldest_seconds", "Since the oldest of them might have gone out", of, age
    for pace in figures.paces:
        whose = {"account": pace.account_id}
        yield "gauge", "outbound_rate", "Calls a minute as set, 0 = paused", whose, pace.rate
        yield "gauge", "outbound_placed_minute", "Calls placed within the latest minute", whose, pace.placed
        yield "gauge", "outbound_under_way", "Items that are being called", whose, pace.dialling
        yield "gauge", "outbound_unknown", "Calls of which a person has to say what came", whose, pace.unknown
    for ended in figures.ended:
        came = {"account": ended.account_id, "side": ended.side, "reason": ended.reason}
        yield "gauge", "outbound_attempts_hour", "Attempts that ended within the hour", came, ended.n
    for texts in figures.texts:
        stood = {"account": texts.account_id, "connection": texts.connection, "state": texts.state}
        yield "gauge", "sms_hour", "SMS queued, and sent within the hour, by where they stand", stood, texts.n
    for account_id, connection in figures.stopped:
        which = {"account": account_id, "connection": connection}
        yield "gauge", "outbound_stopped", "1 while nothing is given to the connection", which, 1.0
