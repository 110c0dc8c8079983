"""What browsers send: the fields of an address and of a form, as a model wants them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, get_origin

from aiohttp import web
from pydantic import BaseModel

from gateway.http.body import BodyRefused
from gateway.web.frame import Form

MOST_BYTES = 32 * 1024 * 1024
_TOO_MANY_FIELDS = 20_000
_SECONDS = 60.0


def of_query(model: type[BaseModel], request: web.Request) -> dict[str, Any]:
    return _gathered(model, request.query.items(), request.query)


async def of_body(model: type[Form] | None, request: web.Request, *, most: int) -> dict[str, Any]:
    """Return the fields; a file is an aiohttp FileField. most: bytes. Raise BodyRefused."""
    request = request.clone(client_max_size=most)
    try:
        async with asyncio.timeout(_SECONDS):
            sent = await request.post()
    except TimeoutError as err:
        raise BodyRefused(408, "form-late", "The form did not arrive in time.", "Send it again.") from err
    except web.HTTPRequestEntityTooLarge as err:
        raise BodyRefused(
            413, "body-too-large", "The form is too large.", f"It takes {most // 1024} KiB at most."
        ) from err
    except ValueError as err:
        raise BodyRefused(
            400, "form-malformed", "The form cannot be read.", "Send it as browsers do."
        ) from err
    if len(sent) > _TOO_MANY_FIELDS:
        raise BodyRefused(
            413, "form-too-long", "The form has too many fields.", f"{_TOO_MANY_FIELDS} at most."
        )
    return {"csrf": sent.get("csrf", "")} | (_gathered(model, sent.items(), sent) if model else {})


def _gathered(
    model: type[BaseModel], items: Iterable[tuple[str, Any]], names: Iterable[str]
) -> dict[str, Any]:
    """Fields of a tuple take every value of their name, others the last; an empty one of those is as good as none."""
    many = {n for n, f in model.model_fields.items() if get_origin(f.annotation) is tuple}
    by_alias = {f.alias: n for n, f in model.model_fields.items() if f.alias}
    found: dict[str, Any] = {}
    for name, value in items:
        field = by_alias.get(name, name)
        if isinstance(value, str):
            value = value.replace("\x00", "")
        if field in many:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return {n: v for n, v in found.items() if v != "" or _takes_empty(model, by_alias.get(n, n))}


def _takes_empty(model: type[BaseModel], field: str) -> bool:
    info = model.model_fields.get(field)
    return info is not None and info.annotation is str
