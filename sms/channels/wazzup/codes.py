"""Wazzup's codes beside our names: refusals in both of their spellings, states of channels, kinds of chats. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sms.channels.model import PartKind
from sms.channels.reasons import ChannelReason, ChannelState

# As `plain` writes them: documents and answers have REPEATED_CRM_MESSAGE_ID and repeatedCrmMessageId for the same.
_REASONS: Mapping[str, ChannelReason] = {
    "messagewrongcontenttype": ChannelReason.FILE_KIND,
    "messagesunsupportedcontenttypeinstapi": ChannelReason.FILE_KIND,
    "messageonlytextorcontent": ChannelReason.BAD_REQUEST,
    "messagesonlytextorcontent": ChannelReason.BAD_REQUEST,
    "messagenothingtosend": ChannelReason.EMPTY,
    "messagescontentcannotbeblank": ChannelReason.EMPTY,
    "messagestextcannotbeblank": ChannelReason.EMPTY,
    "messagetexttoolong": ChannelReason.TOO_LONG,
    "toolongtext": ChannelReason.TOO_LONG,
    "messagedownloadcontenterror": ChannelReason.FILE_UNREADABLE,
    "messagesnottextfirst": ChannelReason.NOT_WRITTEN_FIRST,  # on the tariff "Inbox"
    "messagesisspam": ChannelReason.FORBIDDEN,
    "spam": ChannelReason.FORBIDDEN,
    "templaterejected": ChannelReason.FORBIDDEN,
    "channellimitexceeded": ChannelReason.FORBIDDEN,  # of dialogues on the tariff: those that there are go on
    "chatnoaccess": ChannelReason.FORBIDDEN,
    "referencemessagenotfound": ChannelReason.QUOTED_UNKNOWN,
    "badcontact": ChannelReason.NO_SUCH_CHAT,
    "chatidigsidmismatch": ChannelReason.NO_SUCH_CHAT,
    "chatnotfound": ChannelReason.NO_SUCH_CHAT,
    "messagesabnormalsend": ChannelReason.NO_SUCH_CHAT,  # the chat is of another messenger than the channel
    "messagesinvalidcontacttype": ChannelReason.NO_SUCH_CHAT,
    "wrongtransport": ChannelReason.NO_SUCH_CHAT,
    "24hoursexceeded": ChannelReason.WINDOW_CLOSED,
    "7daysexceeded": ChannelReason.WINDOW_CLOSED,
    "channelnotfound": ChannelReason.CHANNEL_OFF,
    "channelblocked": ChannelReason.CHANNEL_OFF,
    "channelwapirejected": ChannelReason.CHANNEL_OFF,
    "channelnomoney": ChannelReason.NO_MONEY,
    "notenoughmoney": ChannelReason.NO_MONEY,
    "balanceisempty": ChannelReason.NO_MONEY,
    "messagechannelunavailable": ChannelReason.VENDOR_TROUBLE,  # the phone behind it is away
    "messagescannotadd": ChannelReason.VENDOR_TROUBLE,  # "has not been sent", they say
    "invalidmessagedata": ChannelReason.BAD_REQUEST,
    "validationerror": ChannelReason.BAD_REQUEST,
    "unauthorized": ChannelReason.BAD_KEY,
}
_BEGINNINGS: tuple[tuple[str, ChannelReason], ...] = (
    ("messagestoolong", ChannelReason.TOO_LONG),  # _INSTAGRAM, _TELEGRAM, _WABA, _VK, _AVITO, _VIBER, …
    ("messagescontentsizeexceeded", ChannelReason.FILE_TOO_LARGE),
)
REPEATED = "repeatedcrmmessageid"
DOUBTFUL = frozenset({"unknownerror", "unknownerrorwithtraceid"})
"""Codes that do not say whether the message went out."""

_STATES: Mapping[str, ChannelState] = {
    "active": ChannelState.ACTIVE,
    "init": ChannelState.WAITING,
    "phoneunavailable": ChannelState.WAITING,
    "waitforcode": ChannelState.WAITING,
    "waitforpassword": ChannelState.WAITING,
    "onmoderation": ChannelState.WAITING,
    "qr": ChannelState.UNAUTHORISED,
    "qridle": ChannelState.UNAUTHORISED,
    "unauthorized": ChannelState.UNAUTHORISED,
    "foreignphone": ChannelState.UNAUTHORISED,
    "openelsewhere": ChannelState.CONFLICT,
    "notenoughmoney": ChannelState.NO_MONEY,
    "disabled": ChannelState.DISABLED,
    "blocked": ChannelState.DISABLED,
    "rejected": ChannelState.DISABLED,
}

PARTS: Mapping[str, PartKind] = {
    "text": PartKind.TEXT,
    "wapi_template": PartKind.TEXT,
    "image": PartKind.IMAGE,  # stickers of WhatsApp too
    "audio": PartKind.AUDIO,
    "video": PartKind.VIDEO,
    "document": PartKind.DOCUMENT,
    "vcard": PartKind.CONTACT,
    "geo": PartKind.LOCATION,
}
"""unsupported, missing_call, system, unknown and whatever is new: `other`."""

GROUPS = frozenset({"whatsgroup", "telegroup", "maxgroup"})
NUMBERED = frozenset({"whatsapp", "viber"})
"""Kinds of chats whose id is the client's number, where it looks like one."""
CHAT_OF_TRANSPORT: Mapping[str, str] = {"whatsapp": "whatsapp", "wapi": "whatsapp", "viber": "viber", "tgapi": "telegram"}  # fmt: skip
"""What kind of chat is opened by a number; the other transports cannot write first."""
TRANSPORTS = ("whatsapp", "wapi", "tgapi", "telegram", "instagram", "vk", "avito", "max", "viber")
"""What a channel of theirs can be."""
LONGEST: Mapping[str, int] = {"instagram": 1000, "avito": 1000}
"""Characters, by the kind of chat; elsewhere 4,096 and more."""
WINDOWS: Mapping[str, timedelta] = {"wapi": timedelta(hours=24), "instagram": timedelta(days=7)}
"""By the transport of the channel."""


def plain(code: str) -> str:
    """Return a code in the one spelling of our tables."""
    return code.replace("_", "").lower()


def reason_of(*codes: str) -> ChannelReason | None:
    """Return our reason for the first of their codes that is known."""
    for code in map(plain, codes):
        by_beginning = next((reason for begin, reason in _BEGINNINGS if code.startswith(begin)), None)
        if reason := _REASONS.get(code) or by_beginning:
            return reason
    return None


def state_of(word: str) -> ChannelState:
    """Return how a channel fares; one in a state that is new does not work yet."""
    return _STATES.get(plain(word), ChannelState.WAITING)
