"""Runs commands one after another in one process, as the program would each: a list of argument lists comes in as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys

from gateway.cli import main


def outcome(words: list[str]) -> tuple[int, str]:
    """Exit code, and what stood on the error output."""
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            main(words)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else 0, said.getvalue()
    return 0, said.getvalue()


if __name__ == "__main__":
    json.dump([outcome(words) for words in json.load(sys.stdin)], sys.stdout)
