"""Updates that could not be read or carried out are tried again: read anew, and stored as if they came now."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.channels.intake import keep_unreadable, take_channel_news
from gateway.store.channels.channels import saved_channels
from gateway.store.channels.dead import DeadUpdate, take_dead_updates
from runtime.database.pool import Conn
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import ChannelNews
from sms.channels.port import MessengerChannel
from sms.channels.stored import update_of
from sms.errors import SmsWireInvalid
from sms.port import SmsInbound


async def retry_updates(conn: Conn, account_id: str, ids: Sequence[int] | None = None) -> int:
    """None: all. How many. What still cannot be read is dead again, under another number. In the caller's transaction."""
    channels = {saved.id: saved for saved in await saved_channels(conn, account_id)}
    taken = await take_dead_updates(conn, account_id, ids)
    for update in taken:
        saved = channels[update.channel_id]
        try:
            news = _read(update, saved.channel)
        except SmsWireInvalid as err:
            await keep_unreadable(conn, saved, update.raw or b"", str(err), update.received_at)
        else:
            await take_channel_news(conn, saved, channels.values(), news, update.received_at)
    return len(taken)


def _read(update: DeadUpdate, channel: MessengerChannel) -> ChannelNews:
    """Raise SmsWireInvalid where nothing of it can be read."""
    if update.told is not None:
        return ChannelNews(updates=(update_of(update.told),))
    kind = CHANNEL_KINDS.get(channel.kind)
    if kind is None:
        raise SmsWireInvalid("channel", f"this program knows no channels of kind {channel.kind}")
    request = SmsInbound(
        method="POST", path="", query={}, headers={}, body=update.raw or b"", received_at=update.received_at
    )
    return kind.read(request, channel)
