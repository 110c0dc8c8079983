"""Files that commands read and write: whatever is wrong with one is told with its name."""

from __future__ import annotations

import sys
from pathlib import Path

from runtime.failure import Failure


def read_text(file: str) -> str:
    """Return the text of a file; '-' reads standard input. Raises Failure."""
    from gateway.admin.files.yaml_text import MOST_BYTES

    try:
        if file == "-":
            if sys.stdin is None:
                raise Failure("standard input cannot be read", "it is closed", "name a file, or pipe one in")
            body = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with open(file, "rb") as opened:
                body = opened.read(MOST_BYTES + 1)
        if len(body) <= MOST_BYTES:
            return body.decode()
    except (OSError, ValueError) as err:  # of which: no UTF-8, and a standard input that is closed
        raise Failure(f"{file} cannot be read", str(err), "give a text file in UTF-8") from err
    raise Failure(
        f"{file} was not taken, nothing has changed",
        f"it is longer than {MOST_BYTES} bytes",
        "part it into several, by section",
    )


def write_text(file: Path, text: str) -> None:
    """Raise Failure."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as err:
        raise Failure(f"{file} cannot be written", str(err), "name a file in a folder that exists") from err
