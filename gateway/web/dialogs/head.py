"""Who the client of a dialogue is, whose the dialogue is, and which deal is its own."""

from __future__ import annotations

from typing import Any

import asyncpg

from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import ids_of_effects
from gateway.web.dialogs.lists import channel_icon, client_of, responsible
from gateway.web.frame import AnyPageCall
from routing.client import Ref
from routing.dialogues.access import Onlooker
from runtime.database.pool import Conn


async def head_values(
    call: AnyPageCall, conn: Conn, who: Onlooker, row: asyncpg.Record, saved: SavedChannel
) -> dict[str, Any]:
    """Return who the client is, whose the dialogue is, and which deal is its own."""
    staff = call.services.configuration.now.staff[call.account.id].by_id
    owner_id = responsible(who, row)
    owner = staff.get(owner_id)
    name, number = client_of(row, call.words), call.words.phone(row["number"])
    return {
        "row": row,
        "saved": saved,
        "client": name,
        "number": number if number != name else "",
        "channel_icon": channel_icon(saved),
        "owner": owner.name if owner else owner_id,
        "owner_id": owner.crm_user_id if owner else None,
        "is_own": owner_id != "" and owner_id == call.who.bound.employee,
        "place_reason": call.texts.say(f"dialogue.place.{row['place_reason']}")
        if row["place_reason"]
        else "",
        **await _cards(call, conn, row),
    }


async def _cards(call: AnyPageCall, conn: Conn, row: asyncpg.Record) -> dict[str, Any]:
    """Return the deal and the contact with where they are in the CRM; of what is still to be made there is no number."""
    refs = [Ref.model_validate(row[name]) if row[name] else None for name in ("deal", "contact")]
    made = await ids_of_effects(conn, call.account.id, refs)
    deal, contact = (made.get(ref.effect or "", ref) if ref else None for ref in refs)
    return {
        "deal": deal,
        "deal_href": _href(call, deal),
        "contact_href": _href(call, contact),
    }


def _href(call: AnyPageCall, ref: Ref | None) -> str:
    return call.services.url_of(call.account.id, ref.kind, ref.id) if ref and ref.id else ""
