"""One dialogue as a page beside the list, and its parts as they are read anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.admin.channels.channels import channel_of
from gateway.store.channels.reading import mark_read
from gateway.web.dialogs.answer import answer_box
from gateway.web.dialogs.head import head_values
from gateway.web.dialogs.lists import list_values
from gateway.web.dialogs.query import DialogsQuery, dialogue_address, list_address
from gateway.web.dialogs.thread import thread_values
from gateway.web.dialogs.whose import onlooker, reader_of, seen_dialogue
from gateway.web.frame import AnyPageCall, PageCall, Shown
from gateway.web.messages.tabs import tabs_of


async def show_one(call: PageCall[DialogsQuery, None]) -> Shown:
    return await one_page(call, call.query)


async def one_page(call: AnyPageCall, query: DialogsQuery, status: int = 200, **refused: Any) -> Shown:
    """refused: fields of the AnswerBox, of an answer that was not taken."""
    part = query.part if call.is_fragment else None
    async with call.connection() as conn:
        who = await onlooker(call, conn)
        row = await seen_dialogue(call, conn, who)
        id = row["dialogue_id"]
        if part == "list":
            return Shown("dialogs/_list.html", await list_values(call, conn, who, query, id))
        saved = await channel_of(conn, call.account.id, row["channel_id"])
        if part == "head":
            head = await head_values(call, conn, who, row, saved)
            return Shown("dialogs/_head.html", {**head, **_addresses(call, query, id)})
        if not query.hidden:
            await mark_read(conn, call.account.id, id, reader_of(call))
        thread = await thread_values(call, conn, who, row, saved, query)
        if part == "thread":
            return Shown("dialogs/_thread.html", {"dialogue_id": id, **thread})
        box = await answer_box(call, conn, who, row, saved, query.quote)
        values = {
            "tabs": tabs_of(call, "dialogs"),
            **await list_values(call, conn, who, query, id),
            **await head_values(call, conn, who, row, saved),
            **thread,
            "box": replace(box, **refused),
            "dialogue_id": id,
            **_addresses(call, query, id),
        }
    return Shown("dialogs/one.html", values, status=status)


def _addresses(call: AnyPageCall, query: DialogsQuery, id: int) -> dict[str, str]:
    return {
        "head_href": dialogue_address(call, query, id, part="head"),
        "here_href": call.here(f"/dialogs/{id}/here"),
        "send_href": dialogue_address(call, query, id),
        "back_href": list_address(call, query, **query.place),
    }
