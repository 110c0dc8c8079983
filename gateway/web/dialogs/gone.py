"""A dialogue that was open to somebody and is no more: because another answered first, or a right was taken away. What they had
typed is given back."""

from __future__ import annotations

from gateway.store.channels.reading import dialogue_read_by
from gateway.web.dialogs.query import DialogsQuery, list_address
from gateway.web.dialogs.whose import onlooker, reader_of
from gateway.web.frame import AnyPageCall, Shown
from gateway.web.messages.tabs import tabs_of
from routing.dialogues.access import is_nobodys
from runtime.database.pool import Conn


async def why_gone(call: AnyPageCall, conn: Conn) -> str | None:
    """Return why the dialogue of the address is not open any more, None where it never was to this person. It is said whose it
    is to who may be in its channel."""
    id = call.path["dialogue"]
    if not (id.isascii() and id.isdigit()):
        return None
    row = await dialogue_read_by(conn, call.account.id, int(id), reader_of(call).id)
    if row is None:
        return None
    who = await onlooker(call, conn)
    channel, owner = row["channel_id"], row["owner"]
    if who.is_gone:
        return call.texts.say("dialogs.gone.off")
    if who.right_in(channel) == "none" or is_nobodys(who.owners, channel, owner):
        return call.texts.say("dialogs.gone.right")
    person = call.services.configuration.now.staff[call.account.id].by_id.get(owner)
    return call.texts.say("dialogs.gone.taken", owner=person.name if person else owner)


def gone_page(call: AnyPageCall, query: DialogsQuery, why: str, typed: str) -> Shown:
    values = {
        "tabs": tabs_of(call, "dialogs"),
        "why": why,
        "typed": typed,
        "back_href": list_address(call, query, **query.place),
    }
    return Shown("dialogs/gone.html", values, status=404)
