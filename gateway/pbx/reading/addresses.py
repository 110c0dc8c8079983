"""Addresses of phones and numbers, as switches, applications and vendors spell them: the one home of these spellings.

A phone is called by its channel (`PJSIP/101-0000002a`), by what an application dialled (`Local/101@from-queue/n`), by a
SIP URI, by a login, or by its extension.
"""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import unquote

# Channel drivers whose name may stand before a dial string.
_TECHNOLOGIES = frozenset(
    [
        "agent",
        "console",
        "dahdi",
        "dongle",
        "gtalk",
        "h323",
        "iax2",
        "jingle",
        "khomp",
        "local",
        "mgcp",
        "misdn",
        "mobile",
        "motif",
        "ooh323",
        "pjsip",
        "sccp",
        "sip",
        "skinny",
        "unistim",
        "ustm",
        "vpb",
        "webrtc",
        "zap",
    ]
)
# Of these `office2/102` is the number 102 at the peer office2; of PJSIP and SIP what stands first is the phone.
_PEER_THEN_NUMBER = frozenset({"iax2", "dahdi", "zap", "dongle", "mobile", "khomp", "misdn", "vpb"})


def endpoint(channel_name: str) -> str | None:
    """`PJSIP/101-0000002a` -> 101; `Local/101@queue-0001;1` -> 101; `DAHDI/i1/79001234567-3` -> 79001234567."""
    _, slash, rest = channel_name.partition("/")
    if not slash:
        return None
    name = re.sub(r"-[0-9a-f]+(;[12])?$", "", rest).partition("@")[0]
    last = name.rpartition("/")[2]
    return (last if is_number(last) else name) or None


def dialled_address(dial_string: str, channel_name: str) -> str | None:
    """Whom an application rang, as each spells it.

    Dial() leaves the technology out (`101`, `uas/sip:101@host`, `79001234567@trunk`, `trunk/79001234567`, `office2/102`),
    queues and others write the whole interface (`PJSIP/102`, `Local/102@from-queue/n`, `DAHDI/g0/79001234567`). Without
    a dial string (its DialBegin was lost) the endpoint of the channel.
    """
    text = dial_string.strip()
    if match := re.search(r"sips?:([^@;/]+)", text):
        return match.group(1)
    technology = channel_name.partition("/")[0].lower()
    first, slash, rest = text.partition("/")
    if slash and first.lower() in _TECHNOLOGIES | {technology}:
        technology, text = first.lower(), rest
    if "@" in text:
        text = text.partition("@")[0]
        return text.rpartition("/")[2] or None
    first, _, last = text.rpartition("/")
    if first and (is_number(last) or (technology in _PEER_THEN_NUMBER and is_dialable(last))):
        return last
    return text.partition("/")[0] or endpoint(channel_name)


def is_number(text: str | None) -> bool:
    """Say whether it looks like a public number, not like an extension or a login."""
    return bool(text and re.fullmatch(r"\+?\d{7,}", text))


def is_dialable(exten: str | None) -> bool:
    """Say whether this is a number that somebody dialled, not a label of the dialplan (`s`, `h`, `dial`)."""
    return bool(exten and re.fullmatch(r"[+*#]?[\d*#]+", exten))


_IN_BRACKETS = re.compile(r"<([^<>]+)>")
_URI = re.compile(r"(?:sips?|tel|callto|pjsip):(?://)?(.+)", re.IGNORECASE)
# FreeSWITCH's, which has no counters.
_SOFIA = frozenset({"sofia", "user", "loopback"})
# What makes a channel's name of an interface's: eight hex digits, of cards and boxes a counter.
_OF_A_CHANNEL = re.compile(r"-[0-9a-f]{8}(;[12])?$")
_OF_A_CARD = re.compile(r"-\d{1,4}$")
_WHOLE = re.compile(r"(\+?\d+)\.0*")
_WITH_POWER = re.compile(r"(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})")
_LONGEST_EXTENSION = 6


def phone_address(text: str | None) -> str | None:
    """Whose phone it is, as employees are known by: the extension, the login with its host, or the number.

    What is spelled in none of the ways that are known (a person's name) stays as it is.
    """
    if text is None or not text.strip():
        return None
    user, host = _user_and_host(text)
    if host and not re.fullmatch(rf"[+*#]?\d{{1,{_LONGEST_EXTENSION}}}|\+?\d{{10,}}", user):
        return f"{user}@{host}"
    return whole_number(user) or text.strip()


def bare_number(text: str) -> str:
    """Return a number without what a SIP URI, a channel or a spreadsheet puts around it; other spellings stay as they are."""
    user, host = _user_and_host(text)
    is_bare = not host and user == text.strip()
    return whole_number(user) if is_bare or re.fullmatch(r"[+*#]?[\d ().-]+", user) else text.strip()


def user_part(address: str) -> str:
    """Of a SIP account or URI what stands before its host."""
    return _user_and_host(address)[0]


def _user_and_host(text: str) -> tuple[str, str]:
    """host: empty where there is none, or where it is a context of a dialplan."""
    text = text.strip()
    if found := _IN_BRACKETS.search(text):
        text = found[1].strip()
    if found := _URI.fullmatch(text):
        return _of_uri(found[1])
    technology, slash, rest = text.partition("/")
    technology = technology.lower()
    if slash and technology in _TECHNOLOGIES | _SOFIA:
        if found := re.search(r"sips?:(.+)", rest):
            return _of_uri(found[1])
        rest = (_OF_A_CARD if technology in _PEER_THEN_NUMBER else _OF_A_CHANNEL).sub("", rest)
        return dialled_address(rest, f"{technology}/") or rest, ""
    if re.fullmatch(r"[^\s@/]+@[^\s@/]+", text):
        return _of_uri(text)
    return text, ""


def _of_uri(rest: str) -> tuple[str, str]:
    user, _, host = rest.partition("@")
    user = user.partition(";")[0]
    return (unquote(user) if "%" in user else user), re.split(r"[:;?>]", host)[0]


def whole_number(text: str) -> str:
    """`79161001256.0` and `7.9161001256e+10` are a number that went through a float, where no digit was lost."""
    if text.isascii() and text.isalnum():
        return text
    if found := _WHOLE.fullmatch(text):
        return found[1]
    if (found := _WITH_POWER.fullmatch(text)) and len(found[2] or "") == int(found[3]):
        return str(int(Decimal(text)))
    return text
