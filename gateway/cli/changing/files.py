"""Files that commands read and write: whatever is wrong with one is told with its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from runtime.failure import Failure

M = TypeVar("M", bound=BaseModel)


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


def read_model(model: type[M], text: str, where: str, what: str) -> M:
    """Read YAML. what: is written there, e.g. "template". Raise Failure naming line or field."""
    from gateway.admin.files.yaml_text import yaml_value
    from gateway.admin.input_words import problems_of, refuse_untakable, validated
    from gateway.admin.refused import InputRefused

    try:
        body = yaml_value(text)
        if not isinstance(body, dict):
            raise InputRefused(
                where,
                f"holds no {what}: a mapping is expected",
                "write a line for each field, as name: value",
            )
        refuse_untakable(body, where)
        return validated(model, body)
    except InputRefused as err:
        raise Failure(f"{where} is no {what}", f"{err.field}: {err.message}", err.remedy) from err
    except ValidationError as err:
        said = "\n        ".join(f"{path}: {message}" for path, message in problems_of(err, where, body))
        raise Failure(f"{where} is no {what}", said, "correct it and try again") from err


def write_text(file: Path, text: str) -> None:
    """Raise Failure."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as err:
        raise Failure(f"{file} cannot be written", str(err), "name a file in a folder that exists") from err
