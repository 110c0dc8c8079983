"""Under which addresses MANGO tells."""

from __future__ import annotations


def event_name(path: str) -> str:
    """`events/call`, `vpbx/events/call/` and `call` are the same; so are `result/route` and `vpbx/result/route`."""
    return path.strip("/").removeprefix("vpbx/").removeprefix("events/").strip("/")
