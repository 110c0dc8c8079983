"""What a run says of itself while it goes on."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)
