"""What can go wrong between us and a messenger besides the sending itself, whose outcomes are values."""

from __future__ import annotations

from sms.channels.reasons import ChannelState, FileReason
from sms.errors import SmsError


class ChannelTrouble(SmsError):
    """A messenger could not be read or asked. state: what that says of the channel, None = nothing. retry_after: seconds."""

    code = "channel-trouble"

    def __init__(
        self, message: str, *, state: ChannelState | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.state = state
        self.retry_after = retry_after


class NotOffered(SmsError):
    """The vendor has nothing of the kind: no list of updates, no history, no way to look for a message."""

    code, retryable = "channel-not-offered", False


class FileUnavailable(SmsError):
    """A file that a message told of cannot be had, and why."""

    code = "file-unavailable"

    def __init__(self, reason: FileReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
