"""Texts in tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from routing.texts.catalogue import Language

BEGIN = b"\xef\xbb\xbf"
"""By which spreadsheets know how the file is written."""


def no_formula(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def written(rows: Iterable[Sequence[str]], language: Language) -> bytes:
    """Return lines of a table. Semicolons: what spreadsheets set to Russian expect."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if language == "ru" else ",")
    for row in rows:
        writer.writerow([no_formula(cell) for cell in row])
    return out.getvalue().encode()
