"""Everything that is known of one message, in the order in which it happened, for whoever has to find out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.chaos.channels.evidence import SeenChannels
from tests.chaos.channels.records import TOKEN, MessengerTruth

SHOWN = 6


def history(faults: Sequence[str], truth: MessengerTruth, seen: SeenChannels) -> list[str]:
    """One for each message of which a fault speaks, the first ones."""
    tokens = list(dict.fromkeys(token for what in faults for token in TOKEN.findall(what)))
    return ["\n".join(_of(token, truth, seen)) for token in tokens[:SHOWN]]


def _of(token: str, truth: MessengerTruth, seen: SeenChannels) -> Iterator[str]:
    yield f"--- {token}"
    for one in truth.written:
        if one.token == token:
            yield f"written {one}"
    for sending in truth.sendings:
        if sending.token == token:
            yield f"{datetime.fromtimestamp(sending.at, UTC):%H:%M:%S.%f} sent {sending}"
    yield from (f"answer {answer}" for answer in truth.answers if answer.token == token)
    if told := truth.statuses.get(token):
        yield f"told of it: {told}"
    for row in seen.messages:
        if row["token"] == token:
            yield f"stored {dict(row)}"
    for note in seen.notes:
        text = str((note.get("params") or {}).get("text") or "")
        yield from (
            f"note {note['id']} on {note['entity_id']}: {line}" for line in text.split("\n") if token in line
        )
