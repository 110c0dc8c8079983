"""What a file is follows from its bytes."""

from __future__ import annotations

import pytest

from sms.channels.media import INLINE_TYPES, is_other_than_told, media_type_of, part_kind_of
from sms.channels.model import PartKind


@pytest.mark.parametrize(
    ("content", "media_type", "is_shown"),
    [
        (b"\x89PNG\r\n\x1a\n...", "image/png", True),
        (b"\xff\xd8\xff\xe0", "image/jpeg", True),
        (b"GIF89a", "image/gif", True),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", True),
        (b"RIFF\x00\x00\x00\x00AVI ", "application/octet-stream", False),
        (b"OggS", "audio/ogg", True),
        (b"ID3\x04", "audio/mpeg", True),
        (b"\xff\xfb\x90", "audio/mpeg", True),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4", True),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4", True),
        (b"%PDF-1.7", "application/pdf", False),
        (b"PK\x03\x04", "application/zip", False),
        (b"\xef\xbb\xbf \n<!DOCTYPE html>", "text/html", False),
        (b"<svg onload='x'/>", "text/html", False),
        (b"MZ\x90", "application/octet-stream", False),
        (b"", "application/octet-stream", False),
    ],
)
def test_the_bytes_say_what_it_is_and_only_harmless_kinds_are_shown(
    content: bytes, media_type: str, is_shown: bool
) -> None:
    assert (media_type_of(content), media_type in INLINE_TYPES) == (media_type, is_shown)


def test_a_page_in_place_of_a_picture_is_noticed_and_a_document_may_be_one() -> None:
    assert is_other_than_told(b" <html>", PartKind.IMAGE)
    assert not is_other_than_told(b" <html>", PartKind.DOCUMENT)
    assert [part_kind_of(t) for t in ("image/png", "audio/ogg", "video/mp4", "application/pdf")] == [
        PartKind.IMAGE,
        PartKind.AUDIO,
        PartKind.VIDEO,
        PartKind.DOCUMENT,
    ]
