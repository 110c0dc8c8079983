"""What is refused before a message is sent: a value for each reason, the gravest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

SendRefusal = Literal[
    "gone",
    "observer",
    "no-right",
    "of-another",
    "channel-off",
    "unauthorised",
    "no-money",
    "blocked",
    "window-closed",
    "not-written-first",
    "empty",
    "too-long",
    "file-too-large",
    "taken",
]
SEND_REFUSALS: tuple[SendRefusal, ...] = get_args(SendRefusal)

_STATES: dict[str, SendRefusal] = {
    "unauthorised": "unauthorised",
    "no_money": "no-money",
    "disabled": "channel-off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageToSend:
    """length: of the text as the messenger counts, 0 = none. file_bytes: None = no file. state: of the channel, as
    sms.channels.reasons.ChannelState. window: None = for ever. is_of_another: somebody else's dialogue, which this person does not
    see. is_anyway: the sender knows that it is another's dialogue. is_gone: whoever writes is switched off in the CRM. is_observer:
    they see and do not answer."""

    now: datetime
    may_write: bool
    is_on: bool
    state: str
    can_write: bool
    can_write_first: bool
    last_in_at: datetime | None
    window: timedelta | None
    length: int
    longest: int
    file_bytes: int | None = None
    largest_file: int = 0
    is_of_another: bool = False
    is_taken: bool = False
    is_anyway: bool = False
    is_gone: bool = False
    is_observer: bool = False


def refusal_of(told: MessageToSend) -> SendRefusal | None:
    """Return why it must not go out, the gravest reason first; None: it may."""
    checks: tuple[tuple[bool, SendRefusal], ...] = (
        (told.is_gone, "gone"),
        (told.is_observer, "observer"),
        (told.is_of_another, "of-another"),
        (not told.may_write, "no-right"),
        (not told.is_on, "channel-off"),
        (told.state in _STATES, _STATES.get(told.state, "channel-off")),
        (not told.can_write, "blocked"),
        (not told.can_write_first and told.last_in_at is None, "not-written-first"),
        (_is_window_closed(told), "window-closed"),
        (told.file_bytes == 0 or (told.length == 0 and told.file_bytes is None), "empty"),
        (told.length > told.longest, "too-long"),
        (told.file_bytes is not None and told.file_bytes > told.largest_file, "file-too-large"),
        (told.is_taken and not told.is_anyway, "taken"),
    )
    return next((reason for is_so, reason in checks if is_so), None)


def _is_window_closed(told: MessageToSend) -> bool:
    if told.window is None:
        return False
    return told.last_in_at is None or told.now - told.last_in_at >= told.window
