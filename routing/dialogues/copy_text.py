"""What stands in a copy of a dialogue: messages as lines of plain text, cut into notes that the CRM takes. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Literal

import regex

from routing.dialogues.copies import CopyPeriod, mark_of
from routing.dialogues.plain_line import DIRECTIONS
from routing.texts.catalogue import Texts
from routing.texts.sentences import TEXTS

MOST_CHARACTERS = 20_000
MOST_BYTES = 60_000
"""Of one note. The CRM names no limit: it takes more than this."""
_LONGEST_NAME = 80
_LONGEST_QUOTE = 80
_MANY = 9999
_INDENT = "\n    "
"""Before what goes on within a message: whatever a client writes, it does not look like a line of somebody else."""
_CLUSTER = regex.compile(r"\X")

CopyDoubt = Literal["", "unknown", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedPart:
    """kind: as sms.channels.model.PartKind. name: of the file. vendor_kind: the vendor's word for what we do not know."""

    kind: str
    text: str = ""
    name: str = ""
    phone: str = ""
    latitude: float | None = None
    longitude: float | None = None
    vendor_kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedMessage:
    """author_kind: as sms.channels.model.AuthorKind; author: their name, "" = by the kind. former: what it said before, the
    oldest first. doubt: of one of ours, whether it arrived."""

    id: int
    at: datetime
    sequence: int = 0
    author_kind: str
    author: str = ""
    parts: tuple[CopiedPart, ...]
    quoted: str = ""
    former: tuple[tuple[CopiedPart, ...], ...] = ()
    edited_at: datetime | None = None
    is_deleted: bool = False
    doubt: CopyDoubt = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyWords:
    """How a copy is put into words. client: their name or number."""

    texts: Texts
    zone: tzinfo
    channel: str
    client: str
    keeps_deleted_text: bool = False


_PLAIN_WORDS = CopyWords(texts=TEXTS["en"], zone=UTC, channel="", client="", keeps_deleted_text=True)


def in_order(messages: Sequence[CopiedMessage]) -> list[CopiedMessage]:
    """By the messenger's time, its numbering, then as they came."""
    return sorted(messages, key=lambda m: (m.at, m.sequence, m.id))


def line_of(message: CopiedMessage, words: CopyWords) -> str:
    """Return the message with its time and author; what goes on below is indented."""
    said = " ".join(filter(None, _said(message, words)))
    clock = message.at.astimezone(words.zone).strftime("%H:%M")
    return f"{clock} {_author(message, words)}: {said}".replace("\n", _INDENT).rstrip()


def words_of(message: CopiedMessage, words: CopyWords) -> str:
    """Return what the message says now, where its time and author stand beside it."""
    return " ".join(filter(None, _said(replace(message, former=()), words)))


def content_mark(message: CopiedMessage) -> str:
    """Return by what it is known whether a message says something else than before, whatever people are called meanwhile."""
    nobody = replace(message, author="", author_kind="client")
    return mark_of(line_of(nobody, _PLAIN_WORDS))


def notes_of(
    period: CopyPeriod, lines: Sequence[str], words: CopyWords, *, is_addition: bool = False
) -> tuple[str, ...]:
    """Return the texts of the notes that hold these lines, none of them longer than a note may be."""
    say, heading = words.texts.say, _heading(period, words)
    if is_addition:
        heading = say("crm.copy.addition", heading=heading)
    longest = say("crm.copy.part", heading=heading, part=_MANY, parts=_MANY) + "\n"
    bodies = cut(lines, MOST_CHARACTERS - len(longest), MOST_BYTES - len(longest.encode()))
    if len(bodies) == 1:
        return (f"{heading}\n{bodies[0]}",)
    count = len(bodies)
    named = (say("crm.copy.part", heading=heading, part=n, parts=count) for n in range(1, count + 1))
    return tuple(f"{name}\n{body}" for name, body in zip(named, bodies, strict=True))


def cut(lines: Sequence[str], characters: int, octets: int) -> tuple[str, ...]:
    """Put lines together, as many as there is room for: cut between lines, and one that is too long for itself between what
    people see as characters."""
    bodies: list[str] = []
    held = ""
    for line in lines:
        joined = f"{held}\n{line}" if held else line
        if _fits(joined, characters, octets):
            held = joined
            continue
        if held:
            bodies.append(held)
        *full, held = pieces_of(line, characters, octets)
        bodies += full
    return (*bodies, held) if held or not bodies else tuple(bodies)


def pieces_of(line: str, characters: int, octets: int) -> list[str]:
    """Cut one line; together they are the line. What people see as one character stays whole, unless it has no room at all."""
    pieces: list[str] = []
    held, count, size = list[str](), 0, 0
    for cluster in _clusters(line, characters, octets):
        weight = len(cluster.encode())
        if held and (count + len(cluster) > characters or size + weight > octets):
            pieces.append("".join(held))
            held, count, size = [], 0, 0
        held.append(cluster)
        count, size = count + len(cluster), size + weight
    return [*pieces, "".join(held)]


def plain(text: str) -> str:
    """Return text without what is no text: control characters and overrides of the direction of writing. Lines stay."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in whole if c in "\n\t" or (c not in DIRECTIONS and _is_written(c))).strip()


def _is_written(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs")


def _said(message: CopiedMessage, words: CopyWords) -> Iterator[str]:
    say = words.texts.say
    if message.is_deleted:
        yield say("crm.copy.deleted")
        if not words.keeps_deleted_text:
            return
    if quoted := plain(message.quoted):
        yield say("crm.copy.quoted", text=_shortened(quoted, _LONGEST_QUOTE))
    yield _parts(message.parts, words.texts) or say("crm.copy.empty")
    former = [said for parts in message.former if (said := _parts(parts, words.texts))]
    if former:
        was = " | ".join(dict.fromkeys(former))
        yield (
            say("crm.copy.edited-at", at=_clock_of_edit(message, words), former=was)
            if message.edited_at
            else say("crm.copy.edited", former=was)
        )
    if message.doubt:
        yield say(f"crm.copy.{message.doubt}")


def _parts(parts: Sequence[CopiedPart], texts: Texts) -> str:
    return "\n".join(filter(None, (_part(part, texts) for part in parts)))


def _part(part: CopiedPart, texts: Texts) -> str:
    text = plain(part.text)
    if part.kind == "text":
        return text
    told: list[str] = [plain(part.name)]
    if part.kind == "contact":
        told += [text, plain(part.phone)]
        text = ""
    if part.latitude is not None and part.longitude is not None:
        told.append(f"{part.latitude:.6f}, {part.longitude:.6f}")
    if part.kind == "other":
        told.append(plain(part.vendor_kind))
    kind = texts.word("crm.copy.kind", part.kind)
    facts = ", ".join(filter(None, map(_one_line, told)))
    shown = f"[{kind}: {facts}]" if facts else f"[{kind}]"
    return f"{shown} {text}".rstrip()


def _author(message: CopiedMessage, words: CopyWords) -> str:
    name = message.author or (words.client if message.author_kind == "client" else "")
    return _name(name) or words.texts.word("crm.copy.author", message.author_kind)


def _heading(period: CopyPeriod, words: CopyWords) -> str:
    client = _name(words.client) or words.texts.say("crm.copy.author.client")
    return words.texts.say(
        "crm.copy.heading", channel=_name(words.channel), client=client, when=_when(period, words.zone)
    )


def _when(period: CopyPeriod, zone: tzinfo) -> str:
    starts_at, ends_at = period.starts_at.astimezone(zone), period.ends_at.astimezone(zone)
    day = starts_at.strftime("%d.%m.%Y")
    if period.mode != "hour":
        return day
    told = f"{day} {starts_at:%H:%M}–{ends_at:%H:%M}"
    is_repeated = starts_at.replace(fold=0).utcoffset() != starts_at.replace(fold=1).utcoffset()
    offset = starts_at.strftime("%z")
    return f"{told} (UTC{offset[:3]}:{offset[3:5]})" if is_repeated else told


def _clock_of_edit(message: CopiedMessage, words: CopyWords) -> str:
    assert message.edited_at is not None
    at, edited = message.at.astimezone(words.zone), message.edited_at.astimezone(words.zone)
    return edited.strftime("%H:%M" if edited.date() == at.date() else "%d.%m.%Y %H:%M")


def _name(name: str) -> str:
    return _shortened(_one_line(plain(name)), _LONGEST_NAME)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shortened(text: str, length: int) -> str:
    text = _one_line(text)
    return text if len(text) <= length else pieces_of(text, length - 1, 4 * length)[0] + "…"


def _fits(text: str, characters: int, octets: int) -> bool:
    return len(text) <= characters and len(text.encode()) <= octets


def _clusters(line: str, characters: int, octets: int) -> Iterator[str]:
    for found in _CLUSTER.finditer(line):
        cluster = found.group()
        if _fits(cluster, characters, octets):
            yield cluster
        else:
            yield from cluster
