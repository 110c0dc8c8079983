"""Files of dialogues through our own address, for those who may see the dialogue."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from gateway.admin.input_words import one_line
from gateway.channels.files.giving import give_file
from gateway.channels.written import WrittenFile
from gateway.store.channels.files import file_in_dialogue
from gateway.web.dialogs.whose import onlooker, seen_dialogue
from gateway.web.frame import PageCall, page_not_found

_MOST_DIGITS = 19
_LONGEST_NAME = 200


def file_name(sent: Any) -> str:
    """Return the name of what was chosen in a field for a file, "" = nothing. Without a file browsers send an empty text."""
    is_file = isinstance(sent, web.FileField) and bool(sent.filename)
    return one_line(sent.filename)[:_LONGEST_NAME] if is_file else ""


def chosen_file(sent: Any) -> WrittenFile | None:
    name = file_name(sent)
    return WrittenFile(name=name, content=sent.file.read()) if name else None


async def give(call: PageCall) -> web.StreamResponse:
    """Part by part, as the browser asks for it."""
    id = call.path["file"]
    async with call.connection() as conn:
        row = await seen_dialogue(call, conn, await onlooker(call, conn))
        is_number = id.isascii() and id.isdigit() and len(id) < _MOST_DIGITS
        dialogue_id = row["dialogue_id"]
        file = await file_in_dialogue(conn, call.account.id, dialogue_id, int(id)) if is_number else None
    if file is None or file.state != "kept":
        raise page_not_found("file")
    return await give_file(call.request, call.services.pool, file)
