"""What the desk says of what could not be worked on."""

from __future__ import annotations

from runtime.database.errors import storable
from runtime.masking import mask_quoted


def reason_of(err: Exception) -> str:
    """Return `code: what in one line`, without what it quotes: what was sent stands with the entry itself, as long as it may."""
    code = getattr(err, "code", None) or "event-unprocessable"
    detail = str(err).splitlines()[0] if str(err) else ""
    return storable(f"{code}: {type(err).__name__}: {mask_quoted(detail)}")
