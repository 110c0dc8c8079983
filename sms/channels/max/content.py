"""What a message of MAX holds ↔ our parts. Pure.

A message has a text and any number of attachments; the text stands under the first of them that is a file. A forwarded message
stands within the one that forwards it. Formatting is left out, but for the address behind a word, which stands in brackets after it.
Sources: schema.yaml and stabs/ of github.com/max-messenger/max-bot-api-client-go; payloads recorded in docs of
github.com/love-apples/maxapi; dev.max.ru/docs-api.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from sms.channels.model import FileTold, PartKind, PartTold
from sms.providers.reading import object_in, text_in, whole_in, with_plus

MaxObject = Mapping[str, object]

VIDEO = "video:"
"""Before a film's token, in the id of its file: where it can be had is to be asked for."""
_NOTHING = "empty"
_NO_CONTENT = frozenset({"inline_keyboard", "reply_keyboard"})
"""Buttons of a bot's own message."""
_CAPTIONED = frozenset({PartKind.IMAGE, PartKind.VIDEO, PartKind.AUDIO, PartKind.VOICE, PartKind.DOCUMENT})
_TEL = re.compile(r"^TEL[^:\r\n]*:(?:tel:)?([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"^FN[^:\r\n]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def parts_in(message: MaxObject) -> tuple[PartTold, ...]:
    """Return what a message says, then what it forwards."""
    found = list(_parts_of(object_in(message, "body")))
    link = object_in(message, "link")
    if text_in(link, "type") == "forward":
        found += _parts_of(object_in(link, "message"))
    return tuple(found) or (PartTold(kind=PartKind.OTHER, vendor_kind=_NOTHING),)


def text_of(body: MaxObject) -> str:
    """Return a text as it was written; behind each linked word the address that it hides. Marks count units of UTF-16."""
    text = body.get("text")
    if not isinstance(text, str):
        return ""
    units = text.encode("utf-16-le", "surrogatepass")
    for start, end, url in sorted(_links(body.get("markup")), reverse=True):
        word = units[2 * start : 2 * end].decode("utf-16-le", "replace")
        if 0 < 2 * end <= len(units) and word.strip() != url:
            units = units[: 2 * end] + f" ({url})".encode("utf-16-le", "surrogatepass") + units[2 * end :]
    return units.decode("utf-16-le", "replace")


def attachments_of(body: MaxObject) -> list[MaxObject]:
    told = body.get("attachments")
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def own_number(body: MaxObject, token: str) -> str:
    """Return the number that a client has shared of themselves, "" where none. MAX signs such a card with the bot's token; any
    other card may be anybody's."""
    for told in attachments_of(body):
        card = object_in(told, "payload")
        if text_in(told, "type") == "contact" and _is_signed(card, token):
            return _number(_card(card))
    return ""


def button_of(body: MaxObject, payload: str) -> str:
    """Return what stands on the button with this payload; the payload itself where none is found."""
    for told in attachments_of(body):
        rows = object_in(told, "payload").get("buttons")
        for row in rows if isinstance(rows, list) else []:
            for button in row if isinstance(row, list) else []:
                if isinstance(button, dict) and button.get("payload") == payload:
                    return text_in(button, "text") or payload
    return payload


def _links(markup: object) -> list[tuple[int, int, str]]:
    found = []
    for mark in markup if isinstance(markup, list) else []:
        if not isinstance(mark, dict) or mark.get("type") != "link":
            continue
        start, length, url = mark.get("from"), mark.get("length"), mark.get("url")
        if isinstance(start, int) and isinstance(length, int) and isinstance(url, str):
            found.append((start, start + length, url))
    return found


def _parts_of(body: MaxObject) -> Iterator[PartTold]:
    text = text_of(body)
    found = [part for told in attachments_of(body) for part in _part(told, text)]
    if text and found and found[0].kind in _CAPTIONED:
        found[0] = replace(found[0], text="\n".join(filter(None, (text, found[0].text))))
    elif text:
        yield PartTold(kind=PartKind.TEXT, text=text)
    yield from found


def _part(told: MaxObject, text: str) -> Iterator[PartTold]:
    word = text_in(told, "type")
    if word in _NO_CONTENT:
        return
    read = _READ.get(word)
    if word == "share":
        yield from _share(told, text)
    elif read is None:
        yield PartTold(kind=PartKind.OTHER, text=text_in(told, "data"), vendor_kind=word or _NOTHING)
    else:
        yield read(told)


def _url(told: MaxObject) -> str:
    return text_in(object_in(told, "payload"), "url")


def _image(told: MaxObject) -> PartTold:
    return PartTold(kind=PartKind.IMAGE, file=FileTold(url=_url(told)))


def _video(told: MaxObject) -> PartTold:
    """Its address in the message is not that of a file."""
    token = text_in(object_in(told, "payload"), "token")
    file = FileTold(id=f"{VIDEO}{token}" if token else "", media_type="video/mp4")
    return PartTold(kind=PartKind.VIDEO, file=file)


def _audio(told: MaxObject) -> PartTold:
    """Return a voice message where MAX has written down what is said, else a sound."""
    said = text_in(told, "transcription")
    kind = PartKind.VOICE if said else PartKind.AUDIO
    return PartTold(kind=kind, text=said, file=FileTold(url=_url(told)))


def _document(told: MaxObject) -> PartTold:
    file = FileTold(url=_url(told), name=text_in(told, "filename"), size=whole_in(told, "size"))
    return PartTold(kind=PartKind.DOCUMENT, file=file)


def _sticker(told: MaxObject) -> PartTold:
    return PartTold(kind=PartKind.STICKER, file=FileTold(url=_url(told)))


def _contact(told: MaxObject) -> PartTold:
    payload = object_in(told, "payload")
    card = _card(payload)
    named = _NAME.search(card)
    name = named.group(1).replace("\\,", ",").replace("\\;", ";").strip() if named else ""
    return PartTold(
        kind=PartKind.CONTACT, text=name or name_of(object_in(payload, "max_info")), phone=_number(card)
    )


def name_of(user: MaxObject) -> str:
    named = (text_in(user, "first_name"), text_in(user, "last_name"))
    return " ".join(filter(None, named)) or text_in(user, "name")


def _card(payload: MaxObject) -> str:
    """Return a card's lines; some of them come with the ends of lines written out."""
    card = payload.get("vcf_info")
    return card.replace("\\r\\n", "\r\n").replace("\\n", "\n") if isinstance(card, str) else ""


def _number(card: str) -> str:
    found = _TEL.search(card)
    return with_plus(found.group(1)) if found else ""


def _is_signed(payload: MaxObject, token: str) -> bool:
    """Judge the signature of a shared card: HMAC-SHA256 of it under the bot's token. In which letters is not documented."""
    told, card = text_in(payload, "hash"), _card(payload)
    if not (told and card and token):
        return False
    digest = hmac.new(token.encode(), card.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    spelled = (digest.hex(), base64.b64encode(digest).decode(), base64.urlsafe_b64encode(digest).decode())
    given = told.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(given, known.encode()) for known in spelled)


def _location(told: MaxObject) -> PartTold:
    inside = object_in(told, "payload")
    latitude, longitude = (told.get(n, inside.get(n)) for n in ("latitude", "longitude"))
    return PartTold(
        kind=PartKind.LOCATION,
        latitude=float(latitude) if isinstance(latitude, int | float) else None,
        longitude=float(longitude) if isinstance(longitude, int | float) else None,
    )


def _share(told: MaxObject, text: str) -> Iterator[PartTold]:
    """Yield the preview of a link, which says nothing where the link itself stands in the text."""
    url = _url(told)
    if url and url in text:
        return
    said = (text_in(told, "title"), text_in(told, "description"), url)
    yield PartTold(kind=PartKind.OTHER, text="\n".join(filter(None, said)), vendor_kind="share")


_READ: Mapping[str, Callable[[MaxObject], PartTold]] = {
    "image": _image,
    "video": _video,
    "audio": _audio,
    "file": _document,
    "sticker": _sticker,
    "contact": _contact,
    "location": _location,
}
