"""What nobody may read in a log or a record: the middle of phone numbers, secrets, and what an error quotes of what somebody
sent. Pure; the one place that hides them.

A secret is known by its name (`token=…`, `"password": "…"`, the key of a value), by its place (`Authorization:`, the
address of a webhook, the password of a URL) or by its looks (a JWT, the token of a Telegram bot).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

HIDDEN = "***"
_DEEPEST = 8

_NAMES = r"token|secret|passwo?r?d|authorization|cookie|api[_-]?key|auth[_-]?key|salt"
_SECRET_NAME = re.compile(rf"{_NAMES}|(?:^|_)sign$", re.IGNORECASE)
_IN_QUERY = re.compile(
    rf"\b([\w-]{{0,32}}(?:{_NAMES})[\w-]{{0,32}}|sign|phone|code)(=|%3D)[^&\s\"'\\]+", re.IGNORECASE
)
# A body within a text within a text: the quotes of each carry their own number of backslashes.
_QUOTED = re.compile(
    rf"""(?P<name>(["'])[\w-]{{0,32}}(?:{_NAMES})[\w-]{{0,32}}\\{{0,31}}\2\s*[:=]\s*b?(\\{{0,31}})(["']))(?:(?!(?<!\\)\3\4).)*""",
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,32}(?:key|token|secret|auth)[\w-]{0,32})(\s*:\s*)[^\r\n\"'\\]+",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
# Of a JWT the header is JSON, so it begins like this; a dotted name of a module or class does not.
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|def50200[0-9a-zA-Z]+")
_BOT_TOKEN = re.compile(r"(?<!\d)(\d{6,}(?::|%3A))[\w-]{30,}", re.ASCII | re.IGNORECASE)
_IN_URL = re.compile(r"(\w://[^:/\s@\"']*:)[^@/\s\"']+@")
_IN_PATH = re.compile(
    r"((?:/crm/[^/\s\"']+/(?:webhooks|hooks)|/sms/[^/\s\"']+/[^/\s\"']+|/channels/[^/\s\"']+)/)[^/\"'\\\s?]+"
)

# Seven digits and more in a row, or ten and more with the usual signs between. Not a date, an IPv4 address, a UUID or
# a digest, which have as many.
_GAP = r"[^\S\n]"
_NUMBER = re.compile(
    r"(?P<kept>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=[0-9a-f]*[a-f])(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b"
    r"|(?<!\d)\d{4}-\d\d-\d\d(?!\d)|(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]))"
    rf"|\+?\d{{7,}}|\+?\d(?:(?:{_GAP}|[().‐‑–-]){{0,3}}\d){{9,}}"
)

# What errors quote: of a driver or a parser mostly what it was given, which may be anybody's name. What looks like a name of
# ours (a column, a codec, a file) stays, but where the words before it say that it is a value.
_QUOTED_IN_ERROR = re.compile(
    r"""(?P<value>(?:[:=(\[,]|\b(?:value|token|string|data|literal|key|base 10:))\s*)?"""
    r"""(?P<q>["'])(?P<text>(?:\\.|(?!(?P=q)(?!\w)).)*)(?P=q)""",
    re.DOTALL | re.IGNORECASE,
)
_NAME_OF_OURS = re.compile(r"[A-Za-z0-9_.$:/+-]*")
_NAME_OF_FIELD = re.compile(r"[A-Za-z_][A-Za-z_-]{0,39}|[0-9]{0,6}")
"""Or an index of a list."""
_DETAIL = re.compile(r"(?:\)=\(.*?\)(?= )|contains \(.*\))", re.DOTALL)
_ARGUMENT = re.compile(
    r"(query argument \$\d+[^:\n]*: ).*?(?P<why> \(expected [\w ]+, got \w+\))?$", re.DOTALL
)
_OF_GROUP = re.compile(r"^(?: *\|)+ ?")
"""Stands before every line of a group of errors."""


def mask_number(number: str) -> str:
    """First and last digits stay: +7916***67."""
    head = (4 if len(number) >= 10 else 1) + number.startswith("+")
    return f"{number[:head]}{HIDDEN}{number[-2:]}"


def mask_numbers(text: str) -> str:
    """Every phone number in a text, however it is spelled."""
    return _NUMBER.sub(lambda m: m["kept"] or mask_number(m.group()), text)


def mask_secrets(text: str) -> str:
    """Secrets in a text: of a URL, a header, a body of JSON, the representation of a value."""
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _QUOTED.sub(rf"\g<name>{HIDDEN}", text)
    text = _IN_QUERY.sub(rf"\1\2{HIDDEN}", text)
    text = _IN_PATH.sub(rf"\1{HIDDEN}", _IN_URL.sub(rf"\1{HIDDEN}@", text))
    text = _BOT_TOKEN.sub(rf"\1{HIDDEN}", text)
    return _JWT.sub(HIDDEN, _SCHEME.sub(rf"\1 {HIDDEN}", text))


def mask_digits(text: str) -> str:
    """Of a value that may be a number in any spelling: every digit but the first four and the last two."""
    places = [place for place, character in enumerate(text) if character.isdecimal()]
    hidden = set(places[4:-2] if len(places) > 6 else ())
    return "".join("*" if place in hidden else character for place, character in enumerate(text))


def mask_text(text: str) -> str:
    return mask_numbers(mask_secrets(text))


def mask_quoted(message: str) -> str:
    """Return the message of an error without what it quotes of what somebody sent: who has what name is nobody's business."""
    message = _ARGUMENT.sub(lambda m: f"{m[1]}{HIDDEN}{m['why'] or ''}", message)
    message = _DETAIL.sub(lambda m: f"{m.group().partition('(')[0]}({HIDDEN})", message)
    return _QUOTED_IN_ERROR.sub(_hide_quoted, message)


def mask_key(name: str) -> str:
    """Return the name of a field as somebody sent it; where it is none that a program would choose, only how long it is:
    a person's name or a secret may stand in its place."""
    return name if _NAME_OF_FIELD.fullmatch(name) else f"<{len(name)} characters>"


def mask_error(err: BaseException) -> str:
    """Return its kind and its message, as both may be read in a log and on the desk."""
    return mask_text(f"{type(err).__name__}: {mask_quoted(str(err))}")


def mask_trace(trace: str) -> str:
    """Return a traceback with its messages masked; places and lines of the program stay."""
    shown: list[str] = []
    message: list[str] = []
    for line in [*trace.split("\n"), None]:
        if line is not None and not _OF_GROUP.sub("", line).startswith(("  ", "+")):
            message.append(line)
            continue
        if message:
            shown.append(mask_quoted("\n".join(message)))
            message = []
        if line is not None:
            shown.append(line)
    return "\n".join(shown)


def _hide_quoted(found: re.Match[str]) -> str:
    is_named = not found["value"] and _NAME_OF_OURS.fullmatch(found["text"]) is not None
    is_ours = is_named or not any(map(str.isalpha, found["text"]))
    return found.group() if is_ours else f"{found['value'] or ''}{found['q']}{HIDDEN}{found['q']}"


def is_secret(name: str) -> bool:
    """Whether what is called so may never be shown."""
    return _SECRET_NAME.search(name) is not None


def mask_value(value: Any, *, depth: int = 0) -> Any:
    """Any value as plain JSON types, nothing in it readable that may not be. Never raises."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _mask_figure(value)
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return mask_text(bytes(value).decode("utf-8", "replace"))
    if depth >= _DEEPEST:
        return HIDDEN
    return _mask_composed(value, depth + 1)


def _mask_figure(value: float) -> Any:
    """Return a number that somebody kept as one: the fraction of a duration is none."""
    return mask_text(str(value)) if abs(value) >= 1_000_000 else value


def _mask_composed(value: Any, depth: int) -> Any:
    try:
        if is_dataclass(value) and not isinstance(value, type):
            value = {field.name: getattr(value, field.name, None) for field in fields(value)}
        if isinstance(value, Mapping):
            return {_name(key): _mask_named(key, item, depth) for key, item in value.items()}
        if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str | bytes):
            return [_name(value[0]), _mask_named(value[0], value[1], depth)]  # headers come in pairs
        if isinstance(value, list | tuple | set | frozenset):
            return [mask_value(item, depth=depth) for item in value]
        if isinstance(value, BaseException):
            return mask_error(value)
        return mask_text(str(value))
    except Exception as err:  # what cannot even be shown must not cost the line
        return f"<{type(value).__name__} that cannot be shown: {type(err).__name__}>"


def _mask_named(name: Any, value: Any, depth: int) -> Any:
    return HIDDEN if is_secret(_plain(name)) and value is not None else mask_value(value, depth=depth)


def _name(key: Any) -> str:
    return mask_text(_plain(key))


def _plain(key: Any) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)
