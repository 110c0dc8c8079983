"""The dead-letter desk: effects that cannot succeed by themselves, for a person to retry, mend or set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crm.effects.store import dead_letters as store
from crm.effects.texts.refusals import TEXTS, what, why
from routing.effects import Order
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language, Texts
from runtime.database.pool import Conn

_ORDER: TypeAdapter[Order] = TypeAdapter(Order)


class DeskItemGone(Exception):
    """There is no such effect on the desk (any more)."""

    code = "desk-item-gone"


class OrderInvalid(Exception):
    """The changed order cannot be carried out. field: dotted path of the bad value."""

    code = "order-invalid"

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskItem:
    """what, why: plain words. code, field, detail: as the CRM said it. since: the last send. seq: for paging. system: who carries it out."""

    seq: int
    system: str
    key: str
    call_id: str | None
    client: str
    do: str
    what: str
    why: str
    since: datetime
    attempts: int
    code: str
    field: str
    detail: str
    note: str
    order: Mapping[str, Any]


async def items(
    conn: Conn, account_id: str, *, after: int = 0, limit: int = 100, language: Language = DEFAULT_LANGUAGE
) -> list[DeskItem]:
    """Oldest first, those with a `seq` greater than `after`. language: of what and why."""
    texts = TEXTS[language]
    return [_item(dict(row), texts) for row in await store.page(conn, account_id, after, limit)]


async def count(conn: Conn, account_id: str) -> int:
    return await store.count(conn, account_id)


async def retry(conn: Conn, account_id: str, keys: Sequence[str] | None = None) -> int:
    """Try these again (None = all), together with what they need and what needs them; how many effects that were."""
    async with conn.transaction():
        return await store.revive(conn, account_id, keys)


async def edit_and_retry(
    conn: Conn, account_id: str, key: str, order: Mapping[str, Any], note: str | None = None
) -> int:
    """Try it again with another order of the same kind. Raises DeskItemGone or OrderInvalid; then nothing has changed."""
    async with conn.transaction():
        found = await store.one(conn, account_id, key)
        if found is None:
            raise DeskItemGone(f"no effect {key} is on the desk")
        changed = _valid(order, found["what"])
        await store.change(conn, account_id, key, changed, note)
        return await store.revive(conn, account_id, [key])


async def ignore(conn: Conn, account_id: str, keys: Sequence[str], note: str) -> int:
    """Never send these, nor what needs them; how many effects that were. note: why, for those who ask later."""
    async with conn.transaction():
        return await store.set_aside(conn, account_id, keys, note)


def _valid(order: Mapping[str, Any], what: str) -> dict[str, Any]:
    try:
        read = _ORDER.validate_python(dict(order))
    except ValidationError as err:
        first = err.errors()[0]
        path = ".".join(str(part) for part in first["loc"][1:]) or "do"
        said = "is missing" if first["type"] == "missing" else "cannot be this"
        raise OrderInvalid(f"{path}: {said}", path) from err
    if read.do != what:
        raise OrderInvalid(f"do: this effect is {what}, it cannot become {read.do}", "do")
    unknown = sorted(set(order) - set(type(read).model_fields))
    if unknown:
        raise OrderInvalid(f"{unknown[0]}: there is no such field", unknown[0])
    return read.model_dump(mode="json")


def _item(row: Mapping[str, Any], texts: Texts) -> DeskItem:
    return DeskItem(
        seq=row["seq"],
        system=row["system"],
        key=row["effect_key"],
        call_id=row["call_id"],
        client=row["client"],
        do=row["what"],
        what=what(row["what"], texts),
        why=why(row["error_code"], row["error_field"], row["error_detail"], texts),
        since=row["since"],
        attempts=row["attempts"],
        code=row["error_code"] or "",
        field=row["error_field"] or "",
        detail=row["error_detail"] or "",
        note=row["note"] or "",
        order=row["order"],
    )
