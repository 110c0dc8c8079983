"""Who may read and write in which channel, as a person shares it out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from gateway.admin.accounts import save_settings
from gateway.admin.channels.channels import channel_of
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.accounts import lock_account
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.staff import staff_of
from gateway.store.channels import access as store
from gateway.store.channels.channels import saved_channels
from routing.dialogues.access import AccessPreset, ChannelRight, Visibility, preset_right
from routing.staff import Employee, Staff
from runtime.database.pool import Conn

_OUT = "out"
"""In the record of changes: without any right, not even on the list of the channel."""


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
        held = await store.rights_in_channels(conn, account_id)
        _refuse_who_left(staff, held, saved.id, rights)
        await store.set_rights(conn, account_id, saved.id, rights)
        change = AuditChange(
            what="channel",
            object=saved.name,
            action="shared",
            account_id=account_id,
            before={who: held.get(who, {}).get(saved.id) or _OUT for who in rights},
            after={who: right or _OUT for who, right in rights.items()},
        )
        await record(conn, change)


def _refuse_who_left(
    staff: Staff,
    held: Mapping[str, Mapping[str, ChannelRight]],
    channel_id: str,
    rights: Mapping[str, ChannelRight | None],
) -> None:
    """Raise InputRefused where somebody whose CRM user is switched off would get a right that they do not have. Of whom the CRM has
    hired since its users were read nothing is known yet: they may have one."""
    for employee_id, right in rights.items():
        person = staff.by_id[employee_id]
        is_more = right not in (None, "none", held.get(employee_id, {}).get(channel_id))
        if is_more and staff.is_gone(person):
            raise _switched_off("rights", person)


def _switched_off(field: str, person: Employee) -> InputRefused:
    return InputRefused(
        field,
        f"'{person.id}' ({person.name}) is switched off in the CRM and cannot look after dialogues",
        "switch the CRM user on, or give the right to somebody else",
    )


async def write_from(conn: Conn, account_id: str, channel: str, employee_id: str) -> None:
    """Have an employee write from this channel where several are open to them. Raise InputRefused."""
    async with conn.transaction():
        saved = await channel_of(conn, account_id, channel)
        staff = await staff_of(conn, account_id)
        if employee_id not in staff.by_id:
            raise NothingOfThatName("employee", employee_id, "employees list")
        if staff.is_gone(staff.by_id[employee_id]):
            raise _switched_off("employee", staff.by_id[employee_id])
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


async def share_many(
    conn: Conn,
    account_id: str,
    rights: Mapping[str, Mapping[str, ChannelRight | None]],
    write_from_channels: Mapping[str, str],
) -> None:
    """Give rights by channel, then employee, and have employees write from channels, all of it or nothing. Raise InputRefused."""
    async with conn.transaction():
        for channel, given in rights.items():
            if given:
                await share_out(conn, account_id, channel, given)
        for employee, channel in write_from_channels.items():
            await write_from(conn, account_id, channel, employee)


async def give_preset(conn: Conn, account_id: str, employee_id: str, preset: AccessPreset) -> None:
    """Give an employee in every channel what people of this part have. Raise InputRefused."""
    right, is_observer = preset_right(preset)
    async with conn.transaction():
        channels = [saved.id for saved in await saved_channels(conn, account_id)]
        await share_many(conn, account_id, {channel: {employee_id: right} for channel in channels}, {})
        await lock_account(conn, account_id)
        observers = set((await account_of(conn, account_id)).settings.dialogues.observers)
        changed = observers | {employee_id} if is_observer else observers - {employee_id}
        await choose_visibility(conn, account_id, observers=changed)


async def choose_visibility(
    conn: Conn,
    account_id: str,
    visibility: Visibility | None = None,
    observers: Collection[str] | None = None,
) -> None:
    """Change who sees dialogues of others; None: it stays. Raise InputRefused."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        settings = (await account_of(conn, account_id)).settings
        now = settings.dialogues
        chosen = now.model_copy(
            update={
                "visibility": visibility or now.visibility,
                "observers": now.observers if observers is None else tuple(sorted(observers)),
            }
        )
        if chosen != now:
            await save_settings(conn, account_id, settings.model_copy(update={"dialogues": chosen}))
