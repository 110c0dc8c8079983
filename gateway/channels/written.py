"""What somebody has written, as the messages that go out: a text and a file are one where the messenger has captions, else two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from mimetypes import guess_type

from sms.channels.media import UNKNOWN_TYPE, media_type_of, part_kind_of
from sms.channels.model import FileTold, PartKind, PartTold
from sms.channels.port import ChannelCapabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """name: as people call it. content: its bytes."""

    name: str
    content: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        """By its bytes; of what these do not tell, by its name."""
        known = media_type_of(self.content)
        return known if known != UNKNOWN_TYPE else guess_type(self.name)[0] or UNKNOWN_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenMessage:
    """key: made by whoever sends it, the same when it is sent again. is_anyway: though the dialogue is somebody else's."""

    key: str
    dialogue_id: int
    text: str
    file: WrittenFile | None = None
    quoted_id: str = ""
    is_anyway: bool = False


def parts_to_send(written: WrittenMessage, can: ChannelCapabilities) -> list[tuple[str, PartTold]]:
    """Return of each message that goes out, in order, its key and its part."""
    text = PartTold(kind=PartKind.TEXT, text=written.text)
    if written.file is None:
        return [(written.key, text)]
    media_type = written.file.media_type
    told = FileTold(name=written.file.name, media_type=media_type, size=len(written.file.content))
    file = PartTold(kind=part_kind_of(media_type), file=told)
    if not written.text.strip():
        return [(written.key, file)]
    if can.has_captions and can.text_unit.length(written.text.strip()) <= can.longest_caption:
        return [(written.key, replace(file, text=written.text))]
    return [(written.key, text), (_second(written.key), file)]


def _second(key: str) -> str:
    """Return the key of what goes out after the message of this key; the same for the same."""
    return f"file-{hashlib.sha256(key.encode()).hexdigest()[:40]}"
