"""As whom somebody looks at dialogues, and whose marks of reading they leave."""

from __future__ import annotations

import asyncpg

from gateway.channels.limits import onlooker_of
from gateway.store.channels.listing import DialogueFilter, listed_dialogues
from gateway.store.channels.reading import DialogueReader, unread_dialogues
from gateway.web.frame import AnyPageCall, page_not_found
from routing.dialogues.access import Onlooker, seen_in
from runtime.database.pool import Conn

_MOST_DIGITS = 19


async def onlooker(call: AnyPageCall, conn: Conn) -> Onlooker:
    """Whoever is an employee looks as that one, whatever the role."""
    staff, employee = call.services.configuration.now.staff[call.account.id], call.who.bound.employee
    return await onlooker_of(conn, call.account, staff, employee, sees_all=call.may("senior_manager"))


def reader_of(call: AnyPageCall) -> DialogueReader:
    """Return under which name this person's reading is kept."""
    employee = call.who.bound.employee
    person = call.services.configuration.now.staff[call.account.id].by_id.get(employee or "")
    return DialogueReader(id=employee or f"@{call.who.login}", name=person.name if person else call.who.name)


async def seen_dialogue(call: AnyPageCall, conn: Conn, who: Onlooker) -> asyncpg.Record:
    """Return the row of the dialogue of the address. One that this person may not see is as good as none."""
    id = call.path["dialogue"]
    if not (id.isascii() and id.isdigit() and len(id) < _MOST_DIGITS):
        raise page_not_found("dialogue")
    wanted = DialogueFilter(dialogue_id=int(id))
    rows = await listed_dialogues(conn, call.account.id, seen_in(who), wanted, 1)
    if not rows:
        raise page_not_found("dialogue")
    return rows[0]


async def unread_count(call: AnyPageCall, conn: Conn) -> int:
    """Return how many dialogues of this person's own, and of nobody's, have something unread."""
    who = await onlooker(call, conn)
    return await unread_dialogues(conn, call.account.id, seen_in(who), reader_of(call).id)
