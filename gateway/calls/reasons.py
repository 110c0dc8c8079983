"""What the desk says of what could not be worked on."""

from __future__ import annotations

from runtime.database.errors import storable


def reason_of(err: Exception) -> str:
    """Return `code: what in one line`."""
    code = getattr(err, "code", None) or "event-unprocessable"
    detail = str(err).splitlines()[0] if str(err) else ""
    return storable(f"{code}: {type(err).__name__}: {detail}")
