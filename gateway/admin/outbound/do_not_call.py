"""The do-not-call list as people keep it: numbers in any spelling, one by one or as a file, each change told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from gateway.admin.outbound.number_lists import ListedLine, read_number_list
from gateway.admin.refused import InputRefused
from gateway.configuration import policy_of
from gateway.store.admin.audit import AuditChange, record
from gateway.store.campaigns.campaigns import campaign_of
from gateway.store.outbound import do_not_call as store
from gateway.store.outbound.do_not_call import EVERYTHING, DoNotCallFilter, DoNotCallRow, DoNotCallSource
from routing.numbers.normalise import InternalNumber, NoNumber, PublicNumber, normalise
from routing.settings import NumberPolicy
from runtime.database.pool import Conn
from runtime.masking import mask_number

MOST_LINES = 50_000
LONGEST_NOTE, LONGEST_CAMPAIGN, LONGEST_NUMBER = 300, 200, 60
_SHOWN_REFUSED = 100
_AT_A_TIME = 200
"""Lines are read in such portions: phones that ring are answered in between."""

NotOnListReason = Literal["no_number", "extension"]


class NotOnList(InputRefused):
    """The number is not on the do-not-call list, or only for something else."""

    code = "not-on-list"

    def __init__(self, number: str, campaign: str) -> None:
        what = f"campaign '{campaign}'" if campaign else "everything"
        super().__init__(
            "number",
            f"{mask_number(number)} is not on the list for {what}",
            "see 'callmatrix do-not-call list': an entry is for everything, or for one campaign",
        )


class AddedNumber(NamedTuple):
    """dropped: how many items waited for it."""

    number: str
    is_new: bool
    dropped: int


class RefusedLine(NamedTuple):
    """text: what stands there, cut."""

    line: int
    text: str
    reason: NotOnListReason


class NumberImport(NamedTuple):
    """What became of a list. read: lines that say something. added, already: numbers. dropped: items that waited for them.
    refused: how many lines hold no number; lines: the first of them."""

    read: int
    added: int
    already: int
    dropped: int
    refused: int
    lines: Sequence[RefusedLine]


async def listed_numbers(
    conn: Conn,
    account_id: str,
    *,
    search: str | None = None,
    campaign: str | None = None,
    source: DoNotCallSource | None = None,
    after: tuple[datetime, str, str] | None = None,
    limit: int,
) -> list[DoNotCallRow]:
    """Newest first. search: a number in any spelling, a part of one, or of a note."""
    text, digits = (search or "").strip(), ""
    if text:
        number = normalise(text, await policy_of(conn, account_id))
        digits = (
            number.e164 if isinstance(number, PublicNumber) else "".join(c for c in text if c in "0123456789")
        )
    wanted = DoNotCallFilter(
        text=text or None,
        digits=digits,
        campaign=campaign,
        source=source,
        after=after,
    )
    return await store.entries(conn, account_id, wanted, limit=limit)


async def add_number(
    conn: Conn, account_id: str, raw: str, *, campaign: str = EVERYTHING, note: str = "", by: str
) -> AddedNumber:
    """Put it on the list and drop what waits for it. Raise InputRefused."""
    number = await _number(conn, account_id, raw)
    await _refuse_unknown_campaign(conn, account_id, campaign)
    async with conn.transaction():
        put = await store.add_all(
            conn, account_id, {number: _note(note)}, source="admin", said_by=by, campaign=campaign
        )
        if put.new:
            said = {"campaign": campaign, "note": note, "dropped": put.dropped}
            await _told(conn, account_id, mask_number(number), "added", said)
    return AddedNumber(number, bool(put.new), put.dropped)


async def remove_number(
    conn: Conn, account_id: str, raw: str, *, campaign: str = EVERYTHING, note: str = ""
) -> str:
    """Return the number that may be called again. note: why, for who asks later. Raise InputRefused, NotOnList."""
    number, why = await _number(conn, account_id, raw), _note(note)
    async with conn.transaction():
        if not await store.remove(conn, account_id, number, campaign):
            raise NotOnList(number, campaign)
        said: dict[str, object] = {"campaign": campaign}
        if why:
            said["note"] = why
        await _told(conn, account_id, mask_number(number), "removed", said)
    return number


async def import_numbers(
    conn: Conn, account_id: str, text: str, *, campaign: str = EVERYTHING, by: str
) -> NumberImport:
    """Put all numbers of a list on it; lines without one are told and keep nobody from it. Raise InputRefused."""
    lines = list(read_number_list(text))
    if not lines:
        raise InputRefused(
            "text", "the list holds no line", "write a number a line, or a table with numbers first"
        )
    if len(lines) > MOST_LINES:
        raise InputRefused("text", f"{len(lines)} lines are too many", f"part it: {MOST_LINES} at a time")
    await _refuse_unknown_campaign(conn, account_id, campaign)
    notes, refused = await _read(lines, await policy_of(conn, account_id))
    async with conn.transaction():
        put = await store.add_all(conn, account_id, notes, source="admin", said_by=by, campaign=campaign)
        if put.new:
            said = {"campaign": campaign, "numbers": len(put.new), "dropped": put.dropped}
            await _told(conn, account_id, "import", "imported", said)
    return NumberImport(
        read=len(lines),
        added=len(put.new),
        already=len(notes) - len(put.new),
        dropped=put.dropped,
        refused=len(refused),
        lines=refused[:_SHOWN_REFUSED],
    )


async def _read(
    lines: Sequence[ListedLine], policy: NumberPolicy
) -> tuple[dict[str, str], list[RefusedLine]]:
    notes: dict[str, str] = {}
    refused: list[RefusedLine] = []
    for n, line in enumerate(lines):
        if n % _AT_A_TIME == 0:
            await asyncio.sleep(0)
        number = normalise(line.number[:LONGEST_NUMBER], policy)
        if isinstance(number, PublicNumber):
            notes.setdefault(number.e164, line.note[:LONGEST_NOTE])
        else:
            refused.append(RefusedLine(line.line, line.number[:40], _why(number)))
    return notes, refused


def _why(number: InternalNumber | NoNumber) -> NotOnListReason:
    return "extension" if isinstance(number, InternalNumber) else "no_number"


async def _number(conn: Conn, account_id: str, raw: str) -> str:
    number = normalise(raw, await policy_of(conn, account_id))
    if isinstance(number, PublicNumber):
        return number.e164
    said = "an extension" if isinstance(number, InternalNumber) else "no phone number"
    raise InputRefused("number", f"'{raw}' is {said}", "write it as +79161234567")


async def _refuse_unknown_campaign(conn: Conn, account_id: str, campaign: str) -> None:
    """Whoever misspells it would believe the client protected."""
    if len(campaign) > LONGEST_CAMPAIGN:
        raise InputRefused(
            "campaign", "the name is too long", f"write {LONGEST_CAMPAIGN} characters or fewer"
        )
    if campaign != EVERYTHING and await campaign_of(conn, account_id, campaign) is None:
        remedy = (
            "see 'callmatrix campaign list'; without a campaign the number is neither called nor written to"
        )
        raise InputRefused("campaign", f"there is no campaign '{campaign}'", remedy)


def _note(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise InputRefused("note", "the note is too long", f"write {LONGEST_NOTE} characters or fewer")
    return note


async def _told(conn: Conn, account_id: str, object: str, action: str, said: dict[str, object]) -> None:
    change = AuditChange(what="do-not-call", object=object, action=action, account_id=account_id, after=said)
    await record(conn, change)
