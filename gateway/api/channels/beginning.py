"""A message to a client who has not written: the dialogue begins with it."""

from __future__ import annotations

from pydantic import Field

from gateway.admin.channels.writing import FirstMessage, write_first
from gateway.admin.refused import InputRefused
from gateway.api.channels.dialogues import (
    MessageView,
    NewMessage,
    message_view,
    one_message_a_key,
    writer,
    written_file,
)
from gateway.api.frame import ApiCall, NoQuery, Route
from gateway.http.body import API_FILE_BODY
from gateway.store.channels.files import files_of


class NewDialogue(NewMessage):
    """channel: its id or name, none = from which the employee writes. number: of the client, in any spelling; or chat: the
    messenger's id of one."""

    channel: str = Field(default="", max_length=64)
    number: str = Field(default="", max_length=64)
    chat: str = Field(default="", max_length=200)


async def begin_dialogue(call: ApiCall[NoQuery, NewDialogue]) -> MessageView:
    told = call.body
    if bool(told.number) == bool(told.chat):
        raise InputRefused("number", "either a number or a chat is needed", "give one of them")
    first = FirstMessage(
        key=told.key,
        text=told.text,
        file=written_file(told.file),
        channel=told.channel,
        number=told.number,
        chat=told.chat,
        is_anyway=told.is_anyway,
    )
    async with call.services.pool.acquire() as conn:
        who = await writer(conn, call, told.employee)
        with one_message_a_key():
            sent = await write_first(conn, call.services.client_job, call.account, who, first)
        files = await files_of(conn, call.account.id, [sent.message_id])
    return message_view(sent, files)


ROUTES = (
    Route(
        method="POST",
        path="/v1/accounts/{account}/dialogues",
        handler=begin_dialogue,
        summary="Write to a client first, by number or chat",
        description="It goes into the dialogue that there is, else begins one, into which the client's answer comes. The same `key`"
        " is the same message. 409 with the reason where it must not go out.",
        role="manager",
        status=201,
        most_body=API_FILE_BODY,
        errors=(409,),
    ),
)
