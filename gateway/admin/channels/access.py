"""Who may read and write in which channel, as a person shares it out."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.admin.channels.channels import channel_of
from gateway.admin.refused import InputRefused
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.staff import staff_of
from gateway.store.channels import access as store
from routing.dialogues.access import ChannelRight
from runtime.database.pool import Conn


async def share_out(
    conn: Conn, account_id: str, channel: str, rights: Mapping[str, ChannelRight | None]
) -> None:
    """Give employees rights in a channel; None takes somebody out. Raise InputRefused; nothing is changed then."""
    async with conn.transaction():
        saved = await channel_of(conn, account_id, channel)
        staff = await staff_of(conn, account_id)
        unknown = [employee for employee in rights if employee not in staff.by_id]
        if unknown:
            raise InputRefused(
                "rights", f"there is no employee '{unknown[0]}'", "see 'callmatrix employees list'"
            )
        await store.set_rights(conn, account_id, saved.id, rights)
        change = AuditChange(
            what="channel", object=saved.name, action="shared", account_id=account_id, after=dict(rights)
        )
        await record(conn, change)


async def write_from(conn: Conn, account_id: str, channel: str, employee_id: str) -> None:
    """Have an employee write from this channel where several are open to them. Raise InputRefused."""
    async with conn.transaction():
        saved = await channel_of(conn, account_id, channel)
        if not await store.choose_default(conn, account_id, employee_id, saved.id):
            raise InputRefused(
                "employee",
                f"'{employee_id}' may not send in '{saved.name}'",
                "give them the right to send there first",
            )
        change = AuditChange(
            what="channel",
            object=saved.name,
            action="default",
            account_id=account_id,
            after={"employee": employee_id},
        )
        await record(conn, change)
