"""What the desk says of what could not be worked on."""

from __future__ import annotations

from pydantic import ValidationError

from runtime.database.errors import storable
from runtime.masking import mask_quoted

_MOST = 3


def reason_of(err: Exception) -> str:
    """Return `code: what in one line`, without what it quotes: what was sent stands with the entry itself, as long as it may."""
    code = getattr(err, "code", None) or "event-unprocessable"
    if isinstance(err, ValidationError):  # its own words are the library's
        places = (".".join(map(str, one["loc"])) for one in err.errors(include_input=False)[:_MOST])
        return storable(f"{code}: cannot be read at {', '.join(places)}")
    detail = str(err).splitlines()[0] if str(err) else ""
    return storable(f"{code}: {type(err).__name__}: {mask_quoted(detail)}")
