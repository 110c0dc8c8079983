"""Topics and comments that operators of MANGO's contact centre give a call, read from its API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from gateway.pbx.call_log import PbxAnswerInvalid
from gateway.pbx.capabilities import ToldTopics
from gateway.pbx.connection import Connection
from gateway.pbx.mango.client import answer_of
from gateway.pbx.mango.commands import Command
from gateway.pbx.mango.contact_centre import refuse_result
from gateway.pbx.port import WireInvalid
from gateway.pbx.reading.payload import as_count, as_text, json_object

_NAMES_SECONDS = 600.0
_NO_SUCH_CALL = 3300


def parse_call_topics(body: bytes) -> tuple[tuple[str, ...], str] | None:
    """Return ids of topics and the comment of `cc/call`; None: the call is not known (yet). The comment is a text in the vendor's
    table and a list in its example. Raises WireInvalid, PbxRefused, PbxThrottled."""
    told = json_object(body, "body")
    if as_count(told.get("result"), "result") == _NO_SUCH_CALL:
        return None
    refuse_result(told)
    call = told.get("call")
    if not isinstance(call, Mapping):
        raise WireInvalid("call", "must be an object")
    ids = tuple(str(id) for id in _listed(call.get("tag_id")) if id not in (None, ""))
    comments = [str(part).strip() for part in _listed(call.get("call_comment")) if part not in (None, "")]
    return ids, "\n".join(comment for comment in comments if comment)


def parse_names(body: bytes) -> dict[str, str]:
    """Return the names of topics by id, of `cc/tags`. Raises WireInvalid, PbxRefused, PbxThrottled."""
    told = json_object(body, "body")
    refuse_result(told)
    return {
        str(tag["id"]): as_text(tag.get("name"), "name") or str(tag["id"])
        for tag in _listed(told.get("tags"))
        if isinstance(tag, Mapping) and tag.get("id") is not None
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


class MangoTopics:
    """Asks for one call at a time; names of topics are kept for some minutes."""

    def __init__(self) -> None:
        self._names: dict[str, tuple[float, dict[str, str]]] = {}

    async def topics_of(
        self, session: aiohttp.ClientSession, connection: Connection, call_key: str
    ) -> ToldTopics | None:
        """Raise PbxError."""
        body = await answer_of(
            session, connection, Command("cc/call/", {"entry_id": call_key}), "topics", 15.0
        )
        try:
            found = parse_call_topics(body)
            if found is None:
                return None
            ids, comment = found
            names = await self._names_of(session, connection) if ids else {}
        except WireInvalid as err:
            raise PbxAnswerInvalid(str(err)) from err
        return ToldTopics(topics=tuple(names.get(id, id) for id in ids), comment=comment)

    async def _names_of(self, session: aiohttp.ClientSession, connection: Connection) -> dict[str, str]:
        until, names = self._names.get(connection.name, (0.0, {}))
        if time.monotonic() >= until:
            names = parse_names(await answer_of(session, connection, Command("cc/tags/", {}), "topics", 15.0))
            self._names[connection.name] = (time.monotonic() + _NAMES_SECONDS, names)
        return names
