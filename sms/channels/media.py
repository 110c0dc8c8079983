"""What a file is, by its own first bytes: neither its name nor what a vendor calls it is believed. Pure."""

from __future__ import annotations

from sms.channels.model import PartKind

UNKNOWN_TYPE = "application/octet-stream"
_MARKUP = "text/html"
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})
_MPEG_SOUND = (b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa", b"\xff\xf1", b"\xff\xf9")
INLINE_TYPES = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/mp4",
        "video/mp4",
        "video/webm",
    }
)
"""What a browser shows and that cannot hold a program: no markup, no SVG, no PDF."""
_SEEN_OR_HEARD = frozenset({PartKind.IMAGE, PartKind.AUDIO, PartKind.VOICE, PartKind.VIDEO, PartKind.STICKER})


def media_type_of(content: bytes) -> str:
    """Return what it is; `UNKNOWN_TYPE` of what is not known, `text/html` of any markup."""
    for beginning, media_type in _BEGINNINGS:
        if content.startswith(beginning):
            return media_type
    if content[:4] == b"RIFF":
        return _RIFF.get(content[8:12], UNKNOWN_TYPE)
    if content[4:8] == b"ftyp":
        return "audio/mp4" if content[8:12] in _SOUND_BRANDS else "video/mp4"
    if content[:2] in _MPEG_SOUND:
        return "audio/mpeg" if content[:2] not in (b"\xff\xf1", b"\xff\xf9") else UNKNOWN_TYPE
    return _MARKUP if is_markup(content) else UNKNOWN_TYPE


def is_markup(content: bytes) -> bool:
    """Whether it begins as HTML, SVG or XML do, after a mark of its encoding and blanks."""
    return content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def is_other_than_told(content: bytes, kind: PartKind) -> bool:
    """Whether what is to be seen or heard is a page: what a dead link often gives in place of the file."""
    return kind in _SEEN_OR_HEARD and is_markup(content)


def part_kind_of(media_type: str) -> PartKind:
    """Return as what a file of ours goes out."""
    kinds = {"image": PartKind.IMAGE, "audio": PartKind.AUDIO, "video": PartKind.VIDEO}
    return kinds.get(media_type.partition("/")[0], PartKind.DOCUMENT)
