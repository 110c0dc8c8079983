"""An answer is taken once, however often it is pressed; and who else is about to answer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from gateway.admin.channels.writing import MessageNotTaken, send_message
from gateway.admin.input_words import MESSAGE_KEY
from gateway.channels.accepting import KeyOfAnother, NoSuchDialogue
from gateway.channels.written import WrittenMessage
from gateway.store.channels.listing import message_in
from gateway.store.channels.reading import be_here, others_answering, stop_typing
from gateway.web.dialogs.files import chosen_file, file_name
from gateway.web.dialogs.gone import gone_page, why_gone
from gateway.web.dialogs.one import one_page
from gateway.web.dialogs.query import DialogsQuery, RowId, dialogue_address
from gateway.web.dialogs.whose import onlooker, reader_of, seen_dialogue
from gateway.web.frame import (
    AnyPageCall,
    Form,
    PageAnswer,
    PageCall,
    PageQuery,
    PageRefused,
    SeeOther,
    Shown,
    page_not_found,
)
from runtime.database.pool import Conn


class DialogueAnswerForm(Form):
    """key: of this message, made with the form. file: of a browser; without one, an empty text. quote: message that it answers. anyway: though somebody else answered first."""

    key: str = Field(default="", pattern=MESSAGE_KEY)
    text: str = ""
    file: Any = None
    quote: RowId | None = None
    anyway: bool = False


class DialogueHereForm(Form):
    typing: bool = False


async def send(call: PageCall[DialogsQuery, DialogueAnswerForm]) -> PageAnswer:
    form = call.form
    text = form.text.replace("\r\n", "\n").strip()
    query = call.query.model_copy(update={"quote": form.quote})
    try:
        async with call.connection() as conn:
            who = await onlooker(call, conn)
            id: int = (await seen_dialogue(call, conn, who))["dialogue_id"]
            written = WrittenMessage(
                key=form.key,
                dialogue_id=id,
                text=text,
                file=chosen_file(form.file),
                quoted_id=await _quoted_id(conn, call, id, form.quote),
                is_anyway=form.anyway,
            )
            await send_message(conn, call.services.client_job, call.account, who, written)
            await stop_typing(conn, call.account.id, id, reader_of(call).id)
    except (NoSuchDialogue, PageRefused) as err:
        async with call.connection() as conn:
            why = await why_gone(call, conn)
        if why is None:
            raise page_not_found("dialogue") from err
        return gone_page(call, query, why, text)
    except KeyOfAnother:
        return await one_page(
            call, query, 409, typed=form.text, lost_file=file_name(form.file), is_again=True
        )
    except MessageNotTaken as err:
        return await _refused(call, query, err)
    return SeeOther(dialogue_address(call, call.query, id) + "#end")


async def _quoted_id(conn: Conn, call: AnyPageCall, dialogue_id: int, quote: int | None) -> str:
    found = await message_in(conn, call.account.id, dialogue_id, quote) if quote else None
    return (found.outside_id if found else None) or ""


async def _refused(
    call: PageCall[DialogsQuery, DialogueAnswerForm], query: DialogsQuery, err: MessageNotTaken
) -> Shown:
    """Show it again with what was typed, under its key: it was not sent."""
    why = err.problems[0]
    kept = {"typed": call.form.text, "key": call.form.key, "lost_file": file_name(call.form.file)}
    if why["reason"] == "taken":
        staff = call.services.configuration.now.staff[call.account.id].by_id
        owner = staff.get(str(why["owner"]))
        return await one_page(call, query, 409, taken=owner.name if owner else str(why["owner"]), **kept)
    return await one_page(call, query, 422, error=call.texts.say(f"dialogue.refusal.{why['reason']}"), **kept)


async def here(call: PageCall[PageQuery, DialogueHereForm]) -> Shown:
    """Note that this person has it open, or types, and say who else does."""
    async with call.connection() as conn:
        try:
            row = await seen_dialogue(call, conn, await onlooker(call, conn))
        except PageRefused:
            if (why := await why_gone(call, conn)) is None:
                raise
            return Shown("dialogs/_gone.html", {"why": why})
        id, reader = row["dialogue_id"], reader_of(call)
        await be_here(conn, call.account.id, id, reader, call.now, types=call.form.typing)
        others = await others_answering(conn, call.account.id, id, reader.id, call.now)
    return Shown(
        "dialogs/_answering.html",
        {"others": others, "dialogue_id": id, "here_href": call.here(f"/dialogs/{id}/here")},
    )
