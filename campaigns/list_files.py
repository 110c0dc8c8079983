"""Files with lists as spreadsheets save them: CSV in whatever encoding and with whatever separator, or XLSX, become rows of text."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_MOST_BYTES = 200 * 1024 * 1024
"""Once it is unpacked."""
_SEPARATORS = ";,\t"
_SAMPLE = 20_000


class ListUnreadable(ValueError):
    """The file is no list: neither text nor a workbook, or far too large."""


def rows_of(body: bytes) -> Iterator[list[str]]:
    """Yield the rows of the first sheet, or of the text; cells without surrounding space. Raises ListUnreadable."""
    plain = _unpacked(body) if body.startswith(_GZIP) else body
    yield from _workbook(plain) if plain.startswith(_ZIP) else _text(plain)


def _unpacked(body: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            plain = packed.read(_MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as err:
        raise ListUnreadable(f"this was not packed by gzip: {err}") from err
    if len(plain) > _MOST_BYTES:
        raise ListUnreadable("the list is too large")
    return plain


def _workbook(body: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(part.file_size for part in packed.infolist()) > _MOST_BYTES:
                raise ListUnreadable("the workbook is too large")
        sheets = CalamineWorkbook.from_filelike(io.BytesIO(body))
        for row in sheets.get_sheet_by_index(0).iter_rows():
            yield [_cell(value) for value in row]
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError) as err:
        raise ListUnreadable(f"this is no workbook: {err}") from err


def _cell(value: Any) -> str:
    """Numbers are kept by workbooks as numbers: 79161234567.0 is a phone's."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _text(body: bytes) -> Iterator[list[str]]:
    text = _decoded(body)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    try:
        for row in reader:
            yield [cell.strip() for cell in row]
    except csv.Error as err:
        raise ListUnreadable(f"row {reader.line_num} cannot be read: {err}") from err


def _decoded(body: bytes) -> str:
    """UTF-8 where it is that, else what Windows saves in Russian."""
    if b"\x00" in body[:_SAMPLE] and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ListUnreadable("this is no text")
    for encoding in ("utf-16",) if body.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1251"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ListUnreadable("the text is neither UTF-8 nor Windows-1251")


def _separator(text: str) -> str:
    """Return what parts the cells: what stands most often outside quotes in the first lines that say something."""
    said = [line for line in text[:_SAMPLE].splitlines() if line.strip()][:5]
    plain = "\n".join("".join(line.split('"')[::2]) for line in said)
    return max(_SEPARATORS, key=plain.count) if any(mark in plain for mark in _SEPARATORS) else ";"
