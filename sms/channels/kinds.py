"""Every kind of messenger channel that can be connected: a new vendor is a new folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sms.channels.max.adapter import MaxKind
from sms.channels.port import ChannelKind
from sms.channels.sandbox.adapter import SandboxChannelKind
from sms.channels.telegram.adapter import TelegramKind
from sms.channels.wazzup.adapter import WazzupKind

CHANNEL_KINDS: Mapping[str, ChannelKind] = {
    kind.kind: kind for kind in (MaxKind(), SandboxChannelKind(), TelegramKind(), WazzupKind())
}


def kinds_trusting(max_ca_file: Path | None) -> Mapping[str, ChannelKind]:
    """Return all of them. max_ca_file: certificates of those who vouch for MAX besides the system's."""
    return CHANNEL_KINDS if max_ca_file is None else {**CHANNEL_KINDS, MaxKind.kind: MaxKind(max_ca_file)}
