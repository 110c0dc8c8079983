"""A message that did not go out at once is judged again before it does: hours and lists change while it waits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from gateway.sms.outcomes import refused_here
from gateway.sms.settling import settle
from gateway.store.admin.accounts import account
from gateway.store.outbound import do_not_call
from gateway.store.outbound.items import item_of
from gateway.store.outbound.known import known_of_item
from gateway.store.sms.items import take_back
from gateway.store.sms.messages import SmsMessageRow, wait_until
from routing.outbound.client_zones import client_zone
from routing.outbound.windows import next_opening
from runtime.database.pool import Conn
from sms.reasons import SmsReason


async def still_fits(conn: Conn, row: SmsMessageRow, now: datetime) -> bool:
    """Whether it may go out now. One that may not is ended, waits for its hours, or is taken back to be written anew."""
    assert row.number is not None
    if row.item_id is None:
        return True
    if row.employee_id is None and await do_not_call.is_listed(conn, row.account_id, row.number):
        await settle(conn, row, refused_here(row, SmsReason.BLOCKED_NUMBER), now)
        return False
    if now < row.fresh_until:
        return True
    if await take_back(conn, row.account_id, row.item_id, "written_anew"):
        return False
    return await _is_within_hours(conn, row, now)


async def _is_within_hours(conn: Conn, row: SmsMessageRow, now: datetime) -> bool:
    """Others of its text went out already, so that it stays as it is; at night it waits."""
    own = await account(conn, row.account_id)
    item = await item_of(conn, row.account_id, row.item_id or "")
    if item is not None and item.action.get("any_hour"):
        return True
    outbound = own.settings.outbound
    field = (await known_of_item(conn, item)).fields.get(outbound.zone_field or "") if item else None
    opens = next_opening(outbound.hours, client_zone(row.number or "", field, ZoneInfo(own.time_zone)), now)
    if opens is not None and opens > now:
        await wait_until(conn, row, opens)
        return False
    return True
