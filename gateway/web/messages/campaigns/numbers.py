"""Numbers come into a campaign: pasted, and read at once, or as a file, which a worker reads."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp.web import FileField

from campaigns.list_files import ListUnreadable, rows_of
from campaigns.list_rows import ListColumn
from gateway.admin.campaigns.lists import ListRefused, bring_list, read_list_here
from gateway.admin.campaigns.refused import CampaignStateForbids
from gateway.admin.input_words import one_line
from gateway.store.worker.long_tasks import TooMuchWork
from gateway.web.frame import Form, NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.messages.campaigns.form import campaign_path
from gateway.web.messages.campaigns.one import campaign_page
from gateway.web.messages.campaigns.shown import the_campaign_seen
from routing.texts.catalogue import Phrase, phrase
from runtime.database.pool import Conn

_PLACES: tuple[ListColumn, ...] = ("number", "name", "client_id")
_FEWEST_DIGITS = 5
MOST_PASTED = 200_000
"""Characters: some ten thousand numbers, read within a second."""


class CampaignNumbersForm(Form):
    """text: a number a line, name and client id beside it. file: of a browser; without one, an empty text."""

    text: str = ""
    file: Any = None


def as_list(text: str) -> tuple[str, dict[ListColumn, str]]:
    """Return pasted lines as a list and its columns: number, name and client id by their places, unless there is a heading. The
    first line says how wide a list is, so that it is made as wide as the widest."""
    lines = text.splitlines()
    sign = next((sign for sign in (";", "\t", ",") if sign in text), ";")
    if sum(letter.isdigit() for letter in lines[0].split(sign)[0]) < _FEWEST_DIGITS:
        return text, {}
    widest = max(line.count(sign) for line in lines)
    lines[0] += sign * (widest - lines[0].count(sign))
    return "\n".join(lines), {name: str(n) for n, name in enumerate(_PLACES[: widest + 1], start=1)}


async def _no_matter(done: int, total: int | None) -> None:
    return None


async def add_numbers(call: PageCall[NoPageQuery, CampaignNumbersForm]) -> SeeOther | Shown:
    """Rows that are wrong are told on the page that follows, and keep no others out."""
    form, text = call.form, call.form.text.strip()
    is_file = isinstance(form.file, FileField) and bool(form.file.filename)
    if not text and not is_file:
        return await _shown(call, "nothing")
    if len(text) > MOST_PASTED:
        return await _shown(call, "too_long")
    try:
        async with call.connection() as conn:
            row = await the_campaign_seen(call, conn)
            if is_file:
                await asyncio.to_thread(_refuse_unreadable, form.file.file.read())
                form.file.file.seek(0)
            said = await _taken(call, conn, row.name, text, is_file=is_file)
    except CampaignStateForbids:
        return await _shown(call, "finished", 409)
    except (ListRefused, ListUnreadable):
        return await _shown(call, "list")
    except TooMuchWork:
        return await _shown(call, "too_much", 409)
    return SeeOther(f"{call.here(campaign_path(row.name))}#lists", said=said)


async def _taken(
    call: PageCall[NoPageQuery, CampaignNumbersForm], conn: Conn, campaign: str, text: str, *, is_file: bool
) -> Phrase:
    """Take in what was pasted and what was chosen: both, or nothing of it."""
    file, by = call.form.file, call.who.name
    async with conn.transaction():
        pasted = await _pasted(call, conn, campaign, text) if text else None
        if not is_file:
            assert pasted is not None
            return phrase("messages.campaigns.said.added", **pasted)
        name = one_line(file.filename)
        await bring_list(conn, call.account.id, campaign, name, file.file.read(), {}, by=by)
    if pasted is None:
        return phrase("messages.campaigns.said.list_comes", name=name)
    return phrase("messages.campaigns.said.both", name=name, **pasted)


async def _pasted(
    call: PageCall[NoPageQuery, CampaignNumbersForm], conn: Conn, campaign: str, text: str
) -> dict[str, int]:
    """Return n, who came in, and wrong: how many rows did not."""
    name = call.texts.say("messages.campaigns.pasted")
    listed, columns = as_list(text)
    body = listed.encode()
    report = await read_list_here(
        conn, call.account.id, campaign, name, body, columns, _no_matter, by=call.who.name
    )
    return {"n": report.added, "wrong": sum(report.faults.values())}


def _refuse_unreadable(body: bytes) -> None:
    """Raise ListUnreadable. A worker would find out later, when nobody looks any more."""
    next(rows_of(body), None)


async def _shown(call: PageCall[NoPageQuery, CampaignNumbersForm], why: str, status: int = 422) -> Shown:
    error = call.texts.say(f"messages.campaigns.refused.{why}")
    return await campaign_page(call, error=error, typed=call.form.text, status=status)
