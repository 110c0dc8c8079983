"""What a message of Telegram holds ↔ our parts. Pure.

Formatting is left out, but for the address behind a word, which stands in brackets after it. What the Bot API has no part of
its own for with us is kept as `other`, by Telegram's word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sms.channels.model import FileTold, PartKind, PartTold
from sms.providers.reading import object_in, text_in, whole_in, with_plus

TelegramObject = Mapping[str, object]

# What a message has besides its content. Later versions of the API add to it: it is looked at where nothing known is found only.
_NAMES = """message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot sender_tag
    date business_connection_id chat forward_origin is_topic_message is_automatic_forward reply_to_message external_reply quote
    reply_to_story reply_to_checklist_task_id reply_to_poll_option_id via_bot edit_date has_protected_content is_from_offline
    is_paid_post media_group_id author_signature paid_star_count link_preview_options suggested_post_info effect_id
    caption caption_entities show_caption_above_media has_media_spoiler entities reply_markup guest_query_id
    forward_from forward_from_chat forward_from_message_id forward_signature forward_sender_name forward_date"""
_ENVELOPE = frozenset(_NAMES.split())
_NOTHING = "empty"
_CAPTIONED: tuple[tuple[str, PartKind, str], ...] = (
    ("voice", PartKind.VOICE, "audio/ogg"),
    ("video_note", PartKind.VIDEO, "video/mp4"),
    ("animation", PartKind.VIDEO, "video/mp4"),  # with a `document` of the same file beside it
    ("video", PartKind.VIDEO, "video/mp4"),
    ("audio", PartKind.AUDIO, "audio/mpeg"),
    ("document", PartKind.DOCUMENT, ""),
)


def parts_in(message: TelegramObject) -> tuple[PartTold, ...]:
    """Return what a message says: one part, since each file of an album is a message of its own."""
    if isinstance(message.get("text"), str):
        return (PartTold(kind=PartKind.TEXT, text=_readable(message, "text", "entities")),)
    caption = _readable(message, "caption", "caption_entities")
    if photo := _largest(message.get("photo")):
        file = _file(photo, media_type="image/jpeg")
        return (PartTold(kind=PartKind.IMAGE, text=caption, file=file),)
    for name, kind, media_type in _CAPTIONED:
        if told := object_in(message, name):
            file = _file(told, media_type=text_in(told, "mime_type") or media_type)
            word = name if name in ("video_note", "animation") else ""
            return (PartTold(kind=kind, text=caption, file=file, vendor_kind=word),)
    for name, read in _PLAIN.items():
        if told := object_in(message, name):
            return (read(told),)
    return (_other(message, caption),)


def text_of(message: TelegramObject) -> str:
    """Return the text or caption of a message that is quoted."""
    return _readable(message, "text", "entities") or _readable(message, "caption", "caption_entities")


def _readable(message: TelegramObject, name: str, entities: str) -> str:
    """Return a text as it was written; behind each linked word the address that it hides. Entities count units of UTF-16."""
    text = message.get(name)
    if not isinstance(text, str):
        return ""
    units = text.encode("utf-16-le", "surrogatepass")
    for end, url in sorted(_links(message.get(entities)), reverse=True):
        if 0 < 2 * end <= len(units):
            units = units[: 2 * end] + f" ({url})".encode("utf-16-le", "surrogatepass") + units[2 * end :]
    return units.decode("utf-16-le", "replace")


def _links(entities: object) -> list[tuple[int, str]]:
    found = []
    for entity in entities if isinstance(entities, list) else []:
        if not isinstance(entity, dict) or entity.get("type") != "text_link":
            continue
        offset, length, url = entity.get("offset"), entity.get("length"), entity.get("url")
        if isinstance(offset, int) and isinstance(length, int) and isinstance(url, str):
            found.append((offset + length, url))
    return found


def _largest(sizes: object) -> TelegramObject:
    """Return the best of the sizes in which a photo is offered."""
    told = [size for size in sizes if isinstance(size, dict)] if isinstance(sizes, list) else []
    return max(told, key=lambda size: whole_in(size, "width") or 0, default={})


def _file(told: TelegramObject, *, media_type: str) -> FileTold:
    return FileTold(
        id=text_in(told, "file_id"),
        name=text_in(told, "file_name"),
        media_type=media_type,
        size=whole_in(told, "file_size"),
    )


def _sticker(told: TelegramObject) -> PartTold:
    moves = "application/x-tgsticker" if told.get("is_animated") is True else "image/webp"
    media_type = "video/webm" if told.get("is_video") is True else moves
    return PartTold(
        kind=PartKind.STICKER, text=text_in(told, "emoji"), file=_file(told, media_type=media_type)
    )


def _venue(told: TelegramObject) -> PartTold:
    named = (text_in(told, "title"), text_in(told, "address"))
    return _place(object_in(told, "location"), ", ".join(filter(None, named)))


def _place(told: TelegramObject, text: str = "") -> PartTold:
    latitude, longitude = told.get("latitude"), told.get("longitude")
    return PartTold(
        kind=PartKind.LOCATION,
        text=text,
        latitude=float(latitude) if isinstance(latitude, int | float) else None,
        longitude=float(longitude) if isinstance(longitude, int | float) else None,
    )


def _contact(told: TelegramObject) -> PartTold:
    named = (text_in(told, "first_name"), text_in(told, "last_name"))
    return PartTold(
        kind=PartKind.CONTACT,
        text=" ".join(filter(None, named)),
        phone=with_plus(text_in(told, "phone_number")),
    )


def _poll(told: TelegramObject) -> PartTold:
    options = told.get("options")
    lines = [text_in(o, "text") for o in options if isinstance(o, dict)] if isinstance(options, list) else []
    said = "\n".join([text_in(told, "question"), *(f"• {line}" for line in lines)])
    return PartTold(kind=PartKind.OTHER, text=said, vendor_kind="poll")


def _dice(told: TelegramObject) -> PartTold:
    said = f"{text_in(told, 'emoji')} {text_in(told, 'value')}".strip()
    return PartTold(kind=PartKind.OTHER, text=said, vendor_kind="dice")


# In this order: a venue has a `location` beside it.
_PLAIN: Mapping[str, Callable[[TelegramObject], PartTold]] = {
    "sticker": _sticker,
    "venue": _venue,
    "location": _place,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
}


def _other(message: TelegramObject, caption: str) -> PartTold:
    unknown = sorted(name for name in message if name not in _ENVELOPE)
    return PartTold(kind=PartKind.OTHER, text=caption, vendor_kind=unknown[0] if unknown else _NOTHING)
