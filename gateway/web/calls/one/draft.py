"""What the draft would make of a call that was: beside what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gateway.admin.calls.run_again import can_run_again
from gateway.decisions.names_then import names_now
from gateway.decisions.replay import Replay
from gateway.store.admin.matrices import NoSuchMatrixVersion
from gateway.store.decisions.decisions import Explained
from gateway.web.calls.one.call_file import call_file
from gateway.web.calls.one.call_page import shown_call
from gateway.web.calls.one.writes import Write
from gateway.web.frame import PageCall, PageRefused, Shown, page_not_found


async def draft_of_call(call: PageCall) -> Shown:
    """Play the call through the draft, with what was known when it was; nothing is written."""
    call_id = call.path["call"]
    async with call.connection() as conn:
        file = await call_file(call, conn, call_id)
        now = await names_now(conn, call.account.id)
    if not can_run_again(file.row):
        raise PageRefused(409, "draft_too_early")
    replay = Replay(call.services.pool, call.account.id, at_work=call.services.at_work)
    try:
        made = await replay.one(call_id, "draft")
    except NoSuchMatrixVersion as err:
        raise page_not_found("draft") from err
    if made is None:
        raise page_not_found("call")
    done = shown_call(call, file)
    lookups = [told for told in file.decisions if told.decision.kind == "lookup"]
    decisions: list[Explained] = [*lookups, *made.decisions]
    tried = shown_call(call, replace(file, decisions=decisions, names=[now] * len(decisions)))
    alike_named = shown_call(call, replace(file, names=[now] * len(file.decisions)))
    same = _same(alike_named["writes"], tried["writes"])
    more = {"missing": [], "is_tried": True, "is_reconstructed": made.is_reconstructed}
    return Shown("calls/draft.html", {**tried, "done": done["writes"], "same": same, **more})


def _same(done: Sequence[Write], tried: Sequence[Write]) -> bool:
    """Whether both order the same, in words."""
    return Counter((w.icon != "circle-minus", w.detail) for w in done) == Counter(
        (True, w.detail) for w in tried
    )
