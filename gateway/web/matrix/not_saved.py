"""A cell with a number that none can read: nothing is saved, what was typed stays, and the field says what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.web.frame import PageCall, Shown
from gateway.web.matrix.seen import see_draft
from gateway.web.matrix.table_page import MatrixQuery, table_values
from routing.matrix.actions import MOST_MINUTES, Action
from routing.matrix.versions.parts import MatrixPart, with_part

_MINUTES = ".minutes"


def odd_numbers(sent: Mapping[str, Any]) -> dict[str, str]:
    """Return field -> as it was typed, of the minutes that are none. An empty field is not sent at all."""
    tasks = [name.removesuffix(".do") for name, value in sent.items() if value == "create_task"]
    typed = {f"{task}{_MINUTES}": str(sent.get(f"{task}{_MINUTES}", "")) for task in tasks}
    return {name: value for name, value in typed.items() if not _is_fine(value)}


def _is_fine(typed: str) -> bool:
    text = typed.strip()
    return (
        text.isascii()
        and text.isdigit()
        and len(text) <= len(str(MOST_MINUTES))
        and int(text) <= MOST_MINUTES
    )


async def not_saved(
    call: PageCall[Any, Any],
    part: MatrixPart,
    actions: Sequence[Action],
    odd: Mapping[str, str],
    *,
    revision: int,
) -> Shown:
    """Show the cell as it was typed. actions: in place of an odd number they have another. revision: that the form began with."""
    if call.is_fragment:
        return Shown("matrix/_not_saved.html", {"odd": odd}, status=422)
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
    typed = with_part(seen.matrix, part, tuple(actions))
    seen = replace(seen, draft=replace(seen.draft, matrix=typed, revision=revision))
    first = int(min(odd).partition(".")[0].removeprefix("a"))
    query = MatrixQuery(
        cell=part.name,
        table=call.query.table,
        direction=call.query.direction,
        changed=call.query.changed,
        open=first,
    )
    return Shown(
        "matrix/table.html", {**table_values(call, seen, query), "tried": None, "odd": odd}, status=422
    )
