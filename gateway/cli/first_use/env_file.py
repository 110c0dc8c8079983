"""The file `.env` in the working directory, where settings of the process are kept. Nothing that stands there is changed."""

from __future__ import annotations

import os
from pathlib import Path

FILE = Path(".env")


def remember(name: str, value: str) -> bool:
    """Write the line, readable by its owner only, and use it from now on; False when the file has that name already.

    Raises OSError.
    """
    os.environ[name] = value
    held = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    if any(line.partition("=")[0].strip().removeprefix("export ") == name for line in held.splitlines()):
        return False
    line = f"{name}={_quoted(value)}\n"
    gap = "" if not held or held.endswith("\n") else "\n"
    descriptor = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        file.write(gap + line)
    return True


def _quoted(value: str) -> str:
    """As a `.env` reader takes it back, whatever stands in a password."""
    if value.isascii() and not set(value) & set(" #'\"\\$`\n"):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
