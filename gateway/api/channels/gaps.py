"""Times in which nobody listened to a messenger: of a channel, and of a dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.api.channels.channels import the_channel
from gateway.api.channels.dialogues import seen_dialogue
from gateway.api.frame import Answer, ApiCall, Items, Route
from gateway.store.channels.gaps import ChannelGap, gaps_in_dialogue, gaps_of_channel
from routing.dialogues.gaps import GapState


class GapView(Answer):
    """state: `repairing`: the history is being read; `repaired`: it was, and told what was missing (`found` updates); `open`:
    messages of that time may be missing, and nobody can tell which."""

    from_at: datetime
    to_at: datetime
    state: GapState
    found: int


async def list_of_channel(call: ApiCall) -> Items[GapView]:
    async with call.services.pool.acquire() as conn:
        saved = await the_channel(conn, call)
        return _views(await gaps_of_channel(conn, call.account.id, saved.id))


async def list_of_dialogue(call: ApiCall) -> Items[GapView]:
    async with call.services.pool.acquire() as conn:
        row = await seen_dialogue(conn, call)
        return _views(await gaps_in_dialogue(conn, call.account.id, row["dialogue_id"]))


def _views(gaps: Sequence[ChannelGap]) -> Items[GapView]:
    return Items[GapView](items=[GapView.model_validate(gap) for gap in gaps])


ROUTES = (
    Route(
        method="GET",
        path="/v1/accounts/{account}/channels/{channel}/gaps",
        handler=list_of_channel,
        summary="When nobody listened to a channel, and what became of it; the latest first",
        role="senior_manager",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account}/dialogues/{dialogue}/gaps",
        handler=list_of_dialogue,
        summary="From when to when messages of a dialogue may be missing",
        role="manager",
    ),
)
