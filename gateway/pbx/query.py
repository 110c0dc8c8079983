"""The query of an address, read by one rule for every request of a PBX.

Of repeated names the last that holds something counts. A `+` is a space, escapes are UTF-8, and what is no valid escape or no
valid UTF-8 stays visible instead of being refused: the phone is ringing.
"""

from __future__ import annotations

from urllib.parse import unquote

from gateway.pbx.reading.text import legible


def read_query(raw_path: str) -> dict[str, str]:
    """Return the parameters of an address as it stood in the request's first line. A few microseconds; never raises."""
    return read_pairs(raw_path.partition("?")[2])


def read_pairs(query: str) -> dict[str, str]:
    """Read what stands behind the `?`."""
    # Bytes that are no UTF-8 arrive as lone surrogates, which nothing behind us can store.
    query = legible(query)
    if "#" in query:
        query = query.partition("#")[0]
    if "+" in query:
        query = query.replace("+", " ")
    fields: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if "%" in pair:
            name = _unescaped(name)
            # A number in E.164 is the usual case, and unquoting would be the slow part of a lookup.
            value = "+" + value[3:] if value[:3] == "%2B" and value[3:].isdigit() else _unescaped(value)
        if pair and (name not in fields or value.strip()):
            fields[name] = value
    return fields


def _unescaped(text: str) -> str:
    return legible(unquote(text, errors="surrogateescape"))
