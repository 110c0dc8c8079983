"""Everything that is known of one message or deal, in the order in which it happened, for whoever has to find out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.chaos.channels.evidence import SeenChannels
from tests.chaos.channels.records import TOKEN, MessengerTruth

SHOWN = 6
_DEAL = re.compile(r"\bdeal (\d+)")


def history(faults: Sequence[str], truth: MessengerTruth, seen: SeenChannels) -> list[str]:
    """One for each message and deal of which a fault speaks, the first ones."""
    tokens = list(dict.fromkeys(token for what in faults for token in TOKEN.findall(what)))
    deals = list(dict.fromkeys(deal for what in faults for deal in _DEAL.findall(what)))
    return [
        *("\n".join(_of(token, truth, seen)) for token in tokens[:SHOWN]),
        *("\n".join(_of_deal(deal, seen)) for deal in deals[:SHOWN]),
    ]


def _of_deal(deal: str, seen: SeenChannels) -> Iterator[str]:
    """Its dialogues, and what was ordered for it and for its clients."""
    yield f"--- deal {deal}"
    made = {row["effect_key"] for row in seen.effects if row["crm_id"] == deal}
    there = [row for row in seen.dialogues if row["deal"] and _is_of(row["deal"], deal, made)]
    yield from (f"dialogue {dict(row)}" for row in there)
    clients = {name for row in there for name in (row["client_key"], row["number"]) if name}
    for row in seen.effects:
        if row["effect_key"] in made or row["client"] in clients:
            yield f"effect {dict(row)}"


def _is_of(ref: Mapping[str, Any], deal: str, made: Collection[str]) -> bool:
    return ref["id"] == deal or ref["effect"] in made


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
