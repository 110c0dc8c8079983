"""Files of dialogues: given out to those who may see the dialogue."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.api.channels.dialogues import seen_dialogue
from gateway.api.frame import AnyCall, ApiCall, ApiError, FileAnswer, Route, not_found
from gateway.channels.files.giving import file_headers
from gateway.store.channels.files import ChatFile, file_in_dialogue, piece_of, retry_file
from runtime.database.pool import Conn


async def give_out(call: ApiCall) -> FileAnswer:
    async with call.services.pool.acquire() as conn:
        file = await _file(conn, call)
        if file.state != "kept":
            raise not_found("file", call.path["file"])
        content = await piece_of(conn, file, 0, file.size or 0)
    return FileAnswer(content, file_headers(file))


async def retry(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        file = await _file(conn, call)
        if not await retry_file(conn, call.account.id, file.file_id, datetime.now(UTC)):
            raise ApiError(409, "file-not-refused", "The file is here, or is being fetched.")


async def _file(conn: Conn, call: AnyCall) -> ChatFile:
    row, text = await seen_dialogue(conn, call), call.path["file"]
    is_number = text.isascii() and text.isdigit() and len(text) < 19
    found = (
        await file_in_dialogue(conn, call.account.id, row["dialogue_id"], int(text)) if is_number else None
    )
    if found is None:
        raise not_found("file", text)
    return found


_ONE = "/v1/accounts/{account}/dialogues/{dialogue}/files/{file}"
ROUTES = (
    Route(
        method="GET",
        path=_ONE,
        handler=give_out,
        summary="A file of a dialogue; one that is not here is 404, its message says why",
        role="manager",
    ),
    Route(
        method="POST",
        path=_ONE + "/retry",
        handler=retry,
        summary="Fetch a file again that could not be had",
        role="manager",
        status=204,
        errors=(409,),
    ),
)
