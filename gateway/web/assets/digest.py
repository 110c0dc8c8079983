"""Which content is the same."""

from __future__ import annotations

import hashlib


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
