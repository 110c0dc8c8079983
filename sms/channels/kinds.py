"""Every kind of messenger channel that can be connected: a new vendor is a new folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from sms.channels.port import ChannelKind
from sms.channels.sandbox.adapter import SandboxChannelKind
from sms.channels.telegram.adapter import TelegramKind
from sms.channels.wazzup.adapter import WazzupKind

CHANNEL_KINDS: Mapping[str, ChannelKind] = {
    kind.kind: kind for kind in (SandboxChannelKind(), TelegramKind(), WazzupKind())
}
