"""What a telephone system wrote where a number should stand, cut down to digits. No idea of countries yet."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple
from urllib.parse import unquote

Reason = Literal["no_number", "anonymous", "invalid_number"]
Plus = Literal["none", "written", "as_space"]

MAX_TEXT = 256
"""Longest text that is looked at: SIP headers with display name and parameters fit."""

MAX_DIGITS = 18
"""15 of E.164 and an international prefix."""

SEPARATORS = " -()."
_MORE_SEPARATORS = "/\\[]'\"_·•‐‑‒–—―−－﹣．（）［］／"
_STRIP = str.maketrans("", "", SEPARATORS + _MORE_SEPARATORS)

_WITHHELD = frozenset(
    [
        "anon",
        "anonymous",
        "anonym",
        "unknown",
        "withheld",
        "restricted",
        "private",
        "privatenumber",
        "unavailable",
        "notavailable",
        "blocked",
        "hidden",
        "nocallerid",
        "anonymousinvalid",
        "unknowncaller",
        "unknownnumber",
        "callerunknown",
        "аноним",
        "анонимный",
        "скрыт",
        "скрытый",
        "скрытыйномер",
        "неизвестный",
        "неизвестно",
        "неизвестен",
        "номерскрыт",
        "неопределен",
        "неопределён",
    ]
)
_NOTHING = frozenset(["null", "none", "undefined", "nil", "empty", "nonumber", "na"])

_IN_BRACKETS = re.compile(r"<([^<>]*)>?[^<>]*\Z")
_SCHEME = re.compile(r"\s*(?:sips?|tel|callto|phone)\s*:\s*(?://)?", re.IGNORECASE)
_PARAMETER = re.compile(r"\s*([\w.-]+)\s*(?:=\s*\"?([^\"]*)\"?\s*)?", re.ASCII)
_EXTENSION = re.compile(
    r"(?P<head>.*?[0-9][\s.)]*)"
    r"(?:[,#~]+|extn?\.?|extension|доб(?:авочный)?\.?|внутр(?:енний)?\.?|вн\.?|[xх*])"
    r"\s*[:№.#]?\s*(?P<extension>[0-9]{1,7})[#\s]*",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\+*)([0-9]+)")


class Spelled(NamedTuple):
    """Digits as they were spelled. plus: whether a `+` stood before them; `as_space`: a space did, which a query
    string makes of a `+`. extension: digits, None when there was none."""

    digits: str
    plus: Plus
    extension: str | None


def spelled(raw: str | None) -> Spelled | Reason:
    """Cut a number out of raw: plain text in any spelling, `sip:`/`tel:` addresses, a SIP header with a display name.

    Returns the reason when there is no number in it. Never raises.
    """
    if raw is None:
        return "no_number"
    if len(raw) > MAX_TEXT:
        return "invalid_number"
    text = _plain(raw)
    if not text.strip():
        return "no_number"
    if "<" in text and (inner := _IN_BRACKETS.search(text)):
        text = inner[1]
    head, extension, context = _without_address(text)
    return _digits(head, extension, context)


def _plain(raw: str) -> str:
    """Every space a space, every decimal digit an ASCII one; invisible marks (copied from address books) dropped."""
    if raw.isascii() and raw.isprintable():
        return raw
    return "".join(map(_plain_character, raw))


def _plain_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isspace():
        return " "
    if character == "＋":
        return "+"
    return "" if unicodedata.category(character) == "Cf" else character


def _without_address(text: str) -> tuple[str, str | None, str]:
    """Return (what stands for the number, extension, digits of the phone-context) of a sip: or tel: address or plain text."""
    rest = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    rest = rest.partition("@")[0]
    if "%" in rest:
        rest = _plain(unquote(rest))
    head, *parameters = rest.split(";")
    extension, context = None, ""
    for parameter in parameters:
        if not (match := _PARAMETER.fullmatch(parameter)):
            continue
        name, value = match[1].lower(), match[2] or ""
        if name == "ext" and value.isdecimal():
            extension = value
        elif name == "phone-context" and value.startswith("+"):
            context = value
        elif name.isdecimal() and not value and len(name) <= 7:
            extension = name
    return head, extension, context


def _digits(head: str, extension: str | None, context: str) -> Spelled | Reason:
    if match := _EXTENSION.fullmatch(head):
        head, extension = match["head"], match["extension"]
    compact = head.translate(_STRIP).rstrip("#")
    number = _NUMBER.fullmatch(compact)
    if number is None:
        return _why_not(compact)
    pluses, digits = number.groups()
    if context and not pluses and len(digits) > 6:
        pluses, digits = "+", "".join(filter(str.isdecimal, context)) + digits
    if len(digits) > MAX_DIGITS:
        return "invalid_number"
    plus: Plus = "written" if pluses else "as_space" if head.startswith(" ") else "none"
    return Spelled(digits, plus, extension)


def _word(text: str) -> str:
    return "".join(filter(str.isalpha, text)).casefold()


def is_withheld(text: str) -> bool:
    """Whether a telephone system writes this where the caller hides the number."""
    return _word(text) in _WITHHELD and not any(map(str.isdecimal, text))


def _why_not(compact: str) -> Reason:
    word = _word(compact)
    if any(map(str.isdecimal, compact)):
        return "invalid_number"
    if word in _WITHHELD:
        return "anonymous"
    return "no_number" if word in _NOTHING or not word else "invalid_number"
