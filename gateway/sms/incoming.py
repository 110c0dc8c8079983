"""What clients write to us: kept once, shown in their card, and where it says "no more", obeyed."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from gateway.configuration import number_policy
from gateway.sms.notes import came_note, item_note
from gateway.sms.settling import order_notes
from gateway.store.admin.accounts import Account, account, connections
from gateway.store.admin.staff import staff_of
from gateway.store.outbound import do_not_call
from gateway.store.sms.connections import SavedSmsConnection
from gateway.store.sms.incoming import (
    IncomingRow,
    add_incoming,
    came_at,
    card_of_number,
    drop_parts,
    parts_of,
)
from gateway.texts.sentences import TEXTS
from routing.client import Ref
from routing.decision import stable_id
from routing.numbers.normalise import PublicNumber, normalise
from runtime.database.pool import Conn
from sms.model import IncomingPart, IncomingSms
from sms.octets import PartHeader, assembled
from sms.opt_out import is_opt_out
from sms.segments import SmsEncoding

_PARTS_WITHIN = timedelta(minutes=10)
_TOLD_AGAIN_WITHIN = timedelta(minutes=10)


async def take_incoming(conn: Conn, saved: SavedSmsConnection, sms: IncomingSms, now: datetime) -> None:
    """Take in one message, or one piece of it, in the caller's transaction; told again, it changes nothing."""
    own = await account(conn, saved.account_id)
    number = await _number(conn, own, sms.number)
    at = sms.at or now
    key = await _key(conn, saved, sms, now)
    if key is None:
        return
    row = IncomingRow(
        incoming_id=key,
        connection=saved.name,
        number=number,
        sent_to=sms.to,
        text=sms.text,
        is_opt_out=sms.part is None and is_opt_out(sms.text),
        received_at=now,
        part=_part_json(sms.part) if sms.part else None,
    )
    if not await add_incoming(conn, saved.account_id, row):
        return
    if sms.part is None:
        await _came(conn, own, saved, row, at)
    elif (text := await _whole(conn, saved, number, sms.part, now)) is not None:
        await _came_whole(conn, own, saved, row, text, at)


async def _key(conn: Conn, saved: SavedSmsConnection, sms: IncomingSms, now: datetime) -> str | None:
    """Return the same for every telling of it, whenever that is. What neither id nor time tells from another is the same again
    within a while, None then, and another one later."""
    told_at = sms.at.isoformat() if sms.at else ""
    piece = f"{sms.part.header.reference}.{sms.part.header.number}" if sms.part else ""
    told = (saved.account_id, "sms-in", saved.name, sms.id, sms.number, sms.text, told_at, piece)
    if sms.id or told_at:
        return stable_id(*told)
    before = count()
    while came := await came_at(conn, saved.account_id, key := stable_id(*told, str(next(before)))):
        if now - came < _TOLD_AGAIN_WITHIN:
            return None
    return key


async def _whole(
    conn: Conn, saved: SavedSmsConnection, number: str, part: IncomingPart, now: datetime
) -> str | None:
    """Return the text once its last piece has come."""
    reference = part.header.reference
    kept = await parts_of(conn, saved.account_id, saved.name, number, reference, now - _PARTS_WITHIN)
    text = assembled([_part(one) for one in kept])
    if text is not None:
        await drop_parts(conn, saved.account_id, saved.name, number, reference)
    return text


async def _came_whole(
    conn: Conn, own: Account, saved: SavedSmsConnection, last: IncomingRow, text: str, at: datetime
) -> None:
    row = IncomingRow(
        incoming_id=stable_id(own.id, "sms-in-whole", last.incoming_id),
        connection=saved.name,
        number=last.number,
        sent_to=last.sent_to,
        text=text,
        is_opt_out=is_opt_out(text),
        received_at=last.received_at,
    )
    if await add_incoming(conn, own.id, row):
        await _came(conn, own, saved, row, at)


async def _came(conn: Conn, own: Account, saved: SavedSmsConnection, row: IncomingRow, at: datetime) -> None:
    if not row.number:
        return
    card = await _card_of(conn, own.id, row.number)
    if card is not None:
        note = came_note(row.incoming_id, card, row.text, row.number, at)
        await order_notes(conn, own, row.incoming_id, row.number, [note])
    if row.is_opt_out:
        is_new = await do_not_call.add(
            conn, own.id, row.number, source="client", said_by=saved.name, note=row.text[:200]
        )
        if is_new and card is not None:
            said = TEXTS[own.settings.language].say("sms.note.opted-out", number=row.number)
            contact, deal = (card.id, None) if card.kind == "contact" else (None, card.id)
            told = item_note(row.incoming_id, contact, deal, "opted-out", said, at + timedelta(seconds=1))
            await order_notes(conn, own, row.incoming_id, row.number, [told] if told else [])


async def _card_of(conn: Conn, account_id: str, number: str) -> Ref | None:
    found = await card_of_number(conn, account_id, number)
    return Ref(kind=found[0], id=found[1]) if found else None


async def _number(conn: Conn, own: Account, raw: str) -> str:
    """Return E.164, "" for a name or a short number."""
    staff = await staff_of(conn, own.id)
    policy = number_policy(own, None, await connections(conn, own.id), staff)
    number = normalise(raw, policy)
    return number.e164 if isinstance(number, PublicNumber) else ""


def _part_json(part: IncomingPart) -> dict[str, Any]:
    head = part.header
    return {
        "reference": head.reference,
        "total": head.total,
        "number": head.number,
        "bits": head.reference_bits,
        "encoding": part.encoding,
        "data": base64.b64encode(part.data).decode(),
    }


def _part(kept: dict[str, Any]) -> tuple[PartHeader, SmsEncoding, bytes]:
    header = PartHeader(kept["reference"], kept["total"], kept["number"], kept["bits"])
    return header, SmsEncoding(kept["encoding"]), base64.b64decode(kept["data"])
