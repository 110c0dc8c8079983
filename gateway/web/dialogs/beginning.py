"""Writing first: from which channel, to which number, and what stands against it before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from pydantic import Field

from gateway.admin.channels.writing import FirstMessage, MessageNotTaken, write_first
from gateway.admin.input_words import MESSAGE_KEY
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.channels.accepting import KeyOfAnother
from gateway.channels.limits import largest_file, standing_refusal
from gateway.channels.numbers import client_number
from gateway.store.channels.access import default_channels
from gateway.store.channels.channels import SavedChannel, saved_channels
from gateway.store.channels.listing import DialogueFilter, listed_dialogues
from gateway.web.dialogs.files import chosen_file, file_name
from gateway.web.dialogs.query import PATH
from gateway.web.dialogs.whose import onlooker
from gateway.web.frame import AnyPageCall, Form, PageAnswer, PageCall, PageQuery, SeeOther, Shown
from gateway.web.messages.tabs import tabs_of
from routing.dialogues.access import Onlooker, seen_in
from routing.dialogues.sending import SendRefusal
from runtime.database.pool import Conn
from runtime.tokens import new_secret
from sms.channels.kinds import CHANNEL_KINDS

NEW_PATH = f"{PATH}/new"
_KEY_BITS = 144
_MOST_KNOWN = 5
_OF_THE_CHANNEL = (
    "gone",
    "observer",
    "no-right",
    "channel-off",
    "unauthorised",
    "no-money",
    "window-closed",
    "not-written-first",
)
"""Reasons that another channel might not give."""
_FIELDS = {"file-too-large": "file"}


class NewDialogueQuery(PageQuery):
    """number, channel: chosen beforehand."""

    number: str = Field(default="", max_length=64)
    channel: str = Field(default="", max_length=64)


class NewDialogueForm(Form):
    """key: of this message, made with the form. file: of a browser; without one, an empty text. anyway: though somebody else
    answered first."""

    key: str = Field(default="", pattern=MESSAGE_KEY)
    channel: str = Field(default="", max_length=64)
    number: str = Field(default="", max_length=64)
    text: str = ""
    file: Any = None
    anyway: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NoDialogueYet:
    """What limits messages to a client with whom there is none."""

    owner: str | None = None
    way: str = ""
    can_write: bool = True
    last_in_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysToWrite:
    """open: channels in which this person can write first. closed: those in which they may write, and why it cannot be first.
    default: from which they write."""

    open: tuple[SavedChannel, ...]
    closed: tuple[tuple[SavedChannel, SendRefusal], ...]
    default: str


async def ways_to_write(call: AnyPageCall, conn: Conn, who: Onlooker) -> WaysToWrite:
    own = [s for s in await saved_channels(conn, call.account.id) if who.right_in(s.id) == "send"]
    judged = [(s, standing_refusal(s, NoDialogueYet(), who, call.now)) for s in own]
    able = tuple(s for s, refusal in judged if refusal is None)
    starred = (await default_channels(conn, call.account.id)).get(who.employee_id or "", "")
    return WaysToWrite(
        open=able,
        closed=tuple((s, refusal) for s, refusal in judged if refusal is not None),
        default=next((s.id for s in able if s.id == starred), able[0].id if able else ""),
    )


async def new_dialogue_hrefs(call: AnyPageCall, numbers: Sequence[str]) -> dict[str, str]:
    """Return, of each number, where this person writes to its client. Empty: they cannot write first."""
    if not numbers or not call.who.bound.employee or not call.may("manager"):
        return {}
    async with call.connection() as conn:
        ways = await ways_to_write(call, conn, await onlooker(call, conn))
    return {number: call.here(NEW_PATH, number=number) for number in numbers} if ways.open else {}


async def show_new(call: PageCall[NewDialogueQuery, None]) -> Shown:
    return await _page(call, number=call.query.number, channel=call.query.channel)


async def begin(call: PageCall[PageQuery, NewDialogueForm]) -> PageAnswer:
    form = call.form
    first = FirstMessage(
        key=form.key,
        text=form.text.replace("\r\n", "\n").strip(),
        file=chosen_file(form.file),
        channel=form.channel,
        number=form.number.strip(),
        is_anyway=form.anyway,
    )
    if wrong := _missing(call, first):
        return await _again(call, 422, errors=wrong)
    try:
        async with call.connection() as conn:
            who = await onlooker(call, conn)
            sent = await write_first(conn, call.services.client_job, call.account, who, first)
    except KeyOfAnother:
        return await _again(call, 409, key=new_secret(_KEY_BITS), is_again=True)
    except MessageNotTaken as err:
        return await _not_taken(call, err)
    except NothingOfThatName:
        return await _again(call, 422, errors={"channel": call.texts.say("dialogs.new.no_such_channel")})
    except InputRefused as err:
        if err.field != "number":
            raise
        return await _again(call, 422, errors={"number": call.texts.say("dialogs.new.number_wrong")})
    return SeeOther(call.here(f"{PATH}/{sent.dialogue_id}") + "#end")


def _missing(call: AnyPageCall, first: FirstMessage) -> dict[str, str]:
    typed = {"channel": first.channel, "number": first.number, "text": first.text or first.file}
    return {name: call.texts.say(f"dialogs.new.no_{name}") for name, value in typed.items() if not value}


async def _not_taken(call: PageCall[PageQuery, NewDialogueForm], err: MessageNotTaken) -> Shown:
    why = err.problems[0]
    if why["reason"] == "taken":
        owner = call.services.configuration.now.staff[call.account.id].by_id.get(str(why["owner"]))
        return await _again(call, 409, taken=owner.name if owner else str(why["owner"]))
    name = "channel" if why["reason"] in _OF_THE_CHANNEL else _FIELDS.get(why["reason"], "text")
    return await _again(call, 422, errors={name: _said(call, why["reason"])})


async def _again(call: PageCall[PageQuery, NewDialogueForm], status: int, **more: Any) -> Shown:
    """Show it with what was typed, under its key: it was not sent."""
    form = call.form
    kept = {"number": form.number, "channel": form.channel, "text": form.text, "key": form.key}
    kept["lost_file"] = file_name(form.file)
    return await _page(call, status, **{**kept, **more})


async def _page(call: AnyPageCall, status: int = 200, **typed: Any) -> Shown:
    async with call.connection() as conn:
        who = await onlooker(call, conn)
        ways = await ways_to_write(call, conn, who)
        known = await _known_dialogues(call, conn, who, typed["number"])
    chosen = typed["channel"] if typed["channel"] in {s.id for s in ways.open} else ways.default
    values = {
        "tabs": tabs_of(call, "dialogs"),
        "text": "",
        "errors": {},
        "taken": "",
        "lost_file": "",
        "is_again": False,
        "key": new_secret(_KEY_BITS),
        **typed,
        "channel": chosen,
        "channels": [(s.id, s.name) for s in ways.open],
        "limits": [_limit(call, s) for s in ways.open],
        "closed": [(s.name, _said(call, refusal)) for s, refusal in ways.closed],
        "why_nowhere": "" if ways.open else _why_nowhere(call, who, ways),
        "known": known,
        "new_href": call.here(NEW_PATH),
        "back_href": call.here(PATH),
    }
    return Shown("dialogs/new.html", values, status=status, is_typed=status != HTTPStatus.OK)


def _limit(call: AnyPageCall, saved: SavedChannel) -> str:
    can = CHANNEL_KINDS[saved.channel.kind].capabilities
    said = call.texts.say(f"dialogs.longest.{can.text_unit}", n=call.words.count(can.longest_text))
    size = str(largest_file(saved) // 2**20)
    return call.texts.say("dialogs.new.limit", channel=saved.name, limit=said, size=size)


def _said(call: AnyPageCall, refusal: str) -> str:
    own = f"dialogs.new.refusal.{refusal}"
    return call.texts.say(own if own in call.texts.sentences else f"dialogue.refusal.{refusal}")


def _why_nowhere(call: AnyPageCall, who: Onlooker, ways: WaysToWrite) -> str:
    if not who.employee_id:
        return call.texts.say("dialogs.new.nobody")
    if who.is_gone:
        return call.texts.say("dialogs.gone.off")
    if who.is_observer:
        return call.texts.say("dialogs.read_only.observer")
    return call.texts.say("dialogs.new.none_open" if ways.closed else "dialogs.new.no_right")


async def _known_dialogues(
    call: AnyPageCall, conn: Conn, who: Onlooker, number: str
) -> list[tuple[str, str]]:
    """Return the dialogues with this number that the person sees: (channel, address)."""
    known = client_number(number, call.services.configuration.now.policy_of(call.account.id))
    if not known:
        return []
    wanted = DialogueFilter(numbers=(known,))
    rows = await listed_dialogues(conn, call.account.id, seen_in(who), wanted, _MOST_KNOWN)
    names = {s.id: s.name for s in await saved_channels(conn, call.account.id)}
    return [
        (names.get(row["channel_id"], ""), call.here(f"{PATH}/{row['dialogue_id']}") + "#end") for row in rows
    ]
