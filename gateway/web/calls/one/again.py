"""A call that is run again: what would be new is shown, and a person says so."""

from __future__ import annotations

from dataclasses import replace

from gateway.admin.calls.run_again import AnotherOutcome, can_run_again, plan_again, run_again
from gateway.web.calls.one.call_file import CallFile, call_file
from gateway.web.calls.one.call_page import shown_call
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, PageRefused, SeeOther, Shown
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


class AgainForm(Form):
    """key: of each change that was shown as new, in that order."""

    key: tuple[str, ...] = ()


async def again(call: PageCall) -> Shown:
    async with call.connection() as conn:
        file = await _file(call, conn)
        return await _shown(call, conn, file, is_moved=False)


async def _file(call: AnyPageCall, conn: Conn) -> CallFile:
    file = await call_file(call, conn, call.path["call"])
    if not can_run_again(file.row):
        raise PageRefused(409, "call_goes_on")
    return file


async def _shown(call: AnyPageCall, conn: Conn, file: CallFile, *, is_moved: bool) -> Shown:
    plan = await plan_again(conn, call.services.client_job, call.account.id, file.row)
    told = replace(file, decisions=plan.decisions, names=[file.now] * len(plan.decisions))
    values = {**shown_call(call, told), "plan": plan, "moved": is_moved}
    return Shown("calls/again.html", values, status=409 if is_moved else 200)


async def run_call_again(call: PageCall[NoPageQuery, AgainForm]) -> Shown | SeeOther:
    async with call.connection() as conn:
        file = await _file(call, conn)
        try:
            count = await run_again(
                conn, call.services.client_job, call.account.id, file.row, keys=call.form.key
            )
        except AnotherOutcome:
            return await _shown(call, conn, file, is_moved=True)
    return SeeOther(call.here(f"/calls/{file.row.call_id}"), said=phrase("calls.again.ordered", n=count))
