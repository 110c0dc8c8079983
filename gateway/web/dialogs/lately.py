"""What clients wrote last, beside their calls: for those who may see it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from gateway.store.channels.listing import DialogueFilter, last_messages, listed_dialogues, listed_messages
from gateway.store.channels.messages import ChatMessage
from gateway.web.dialogs.parts import in_one_line
from gateway.web.dialogs.whose import onlooker
from gateway.web.frame import AnyPageCall
from routing.dialogues.access import seen_in
from runtime.masking import mask_numbers

_MOST_DIALOGUES, _MOST_MESSAGES = 50, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLately:
    """is_ours: somebody of ours wrote it. href: of the dialogue."""

    at: datetime
    text: str
    is_ours: bool
    href: str

    @property
    def without_numbers(self) -> str:
        """For a wall, which everybody in the room reads."""
        return mask_numbers(self.text)


async def written_lately(call: AnyPageCall, number: str | None) -> list[WrittenLately]:
    """Return the latest messages of the client with this number, the latest first."""
    if not number or not call.may("manager"):
        return []
    async with call.connection() as conn:
        wanted = DialogueFilter(numbers=(number,))
        rows = await listed_dialogues(conn, call.account.id, seen_in(await onlooker(call, conn)), wanted, 5)
        found = [
            message
            for row in rows
            for message in await listed_messages(
                conn, call.account.id, row["dialogue_id"], before=None, limit=_MOST_MESSAGES
            )
        ]
    found.sort(key=lambda message: message.at, reverse=True)
    return [_lately(call, message) for message in found[:_MOST_MESSAGES]]


async def last_written(call: AnyPageCall, numbers: Collection[str]) -> dict[str, WrittenLately]:
    """Return by number what was written last with each of these clients."""
    if not numbers or not call.may("manager"):
        return {}
    async with call.connection() as conn:
        seen = seen_in(await onlooker(call, conn))
        wanted = DialogueFilter(numbers=tuple(numbers))
        rows = await listed_dialogues(conn, call.account.id, seen, wanted, _MOST_DIALOGUES)
        last = await last_messages(conn, call.account.id, [row["dialogue_id"] for row in rows])
    found: dict[str, WrittenLately] = {}
    for row in rows:
        if row["dialogue_id"] in last:
            found.setdefault(row["number"], _lately(call, last[row["dialogue_id"]]))
    return found


def _lately(call: AnyPageCall, message: ChatMessage) -> WrittenLately:
    text = in_one_line(message.parts, call.words)
    if message.deleted_at:
        text = call.texts.say("dialogs.deleted_line")
    return WrittenLately(
        at=message.at,
        text=text or call.texts.say("dialogs.no_text"),
        is_ours=message.direction == "out",
        href=call.here(f"/dialogs/{message.dialogue_id}") + f"#m{message.message_id}",
    )
