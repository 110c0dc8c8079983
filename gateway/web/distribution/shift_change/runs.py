"""Moves of people's deals: all of them, each deal by deal, begun and stopped by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crm.store.metadata import users_of
from gateway.admin.operations import shift_change as service
from gateway.admin.operations.shift_change import MoveKind, RunProgress, ShiftRefused
from gateway.admin.refused import NothingOfThatName
from gateway.shift_change.people import people_now
from gateway.store.admin.staff import staff_of
from gateway.store.shift_change import listing
from gateway.store.shift_change.moves import MoveRow, MoveState
from gateway.web.distribution.shift_change.settings import SETTINGS, refusals_of
from gateway.web.distribution.tabs import tabs
from gateway.web.distribution.template.seen import people_options
from gateway.web.frame import (
    AnyPageCall,
    Form,
    NoPageQuery,
    PageAnswer,
    PageCall,
    PageQuery,
    PageRefused,
    SeeOther,
    Shown,
    page_not_found,
)
from routing.shift_change.reasons import reason_key
from routing.staff import Staff
from routing.texts.catalogue import Texts, phrase
from runtime.database.pool import Conn

RUNS = "/distribution/shift-change"
_ROWS, _MOVES = 50, 100
_TONES: Mapping[str, str] = {"running": "info", "paused": "warn", "done": "good", "broken_off": "warn"}
_MOVE_TONES: Mapping[MoveState, str] = {"moved": "good", "left": "", "ordered": "info", "planned": ""}


class RunsPageQuery(PageQuery):
    """before: the number of the last run of the page before."""

    before: int | None = None


class MovesPageQuery(PageQuery):
    """state: of the deals. after: the place of the last one of the page before."""

    state: Literal["moved", "left", "ordered", "planned"] | None = None
    after: int | None = None


class MovePageQuery(PageQuery):
    employee: str = ""
    kind: MoveKind = "away"


class MoveForm(Form):
    employee: str
    kind: MoveKind


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """name: whose deals. why: of a run that waits or ended early, "" = neither."""

    progress: RunProgress
    name: str
    user: str
    tone: str
    why: str

    @property
    def done(self) -> int:
        return self.progress.counts.moved + self.progress.counts.left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveSeen:
    """returned_at: when it came back, None = it did not."""

    row: MoveRow
    url: str
    owner_was: str
    given_to: str
    tone: str
    why: str
    returned_at: datetime | None


async def list_runs(call: PageCall[RunsPageQuery, None]) -> Shown:
    async with call.connection() as conn:
        found = await service.progress_of_all(
            conn, call.account.id, before=call.query.before, limit=_ROWS + 1
        )
        policy = await service.show_policy(conn, call.account.id)
        on = policy.model_copy(update={"is_on": True})
        wrong = await service.policy_problems(conn, call.account.id, on)
        staff = await staff_of(conn, call.account.id)
    values = {
        "runs": [run_seen(one, staff, call.texts) for one in found[:_ROWS]],
        "older": found[_ROWS - 1].run.run_id if len(found) > _ROWS else None,
        "policy": policy,
        "wrong": [call.texts.say(f"distribution.shift.refused.{one.code}") for one in wrong],
        "people": people_options(staff, call.texts.say("distribution.choose")),
        "may_set": call.may("admin"),
        "settings": SETTINGS,
        "query": call.query,
        "tabs_shown": tabs(call, "shift_change"),
    }
    return Shown(
        "distribution/_shift_runs.html" if call.is_fragment else "distribution/shift_runs.html", values
    )


def run_seen(found: RunProgress, staff: Staff, texts: Texts) -> RunSeen:
    run = found.run
    person = staff.by_id.get(run.employee_id)
    return RunSeen(
        progress=found,
        name=person.name if person else run.employee_id,
        user=run.user_id,
        tone=_TONES.get(run.state, ""),
        why=reason_said(run.reason, texts),
    )


def reason_said(reason: str, texts: Texts) -> str:
    """Say why a run waits or ended, or why a deal stayed; any other reason is the CRM's answer to a reading."""
    if not reason:
        return ""
    key = f"{reason_key(reason)}.{reason}"
    return texts.say(key) if key in texts.sentences else texts.say("distribution.shift.crm_silent")


async def show_run(call: PageCall[MovesPageQuery, None]) -> Shown:
    async with call.connection() as conn:
        found = await _progress(conn, call)
        staff, users = await staff_of(conn, call.account.id), await users_of(conn, call.account.id)
        rows = await listing.deals_of_run(
            conn,
            call.account.id,
            found.run.run_id,
            state=call.query.state,
            after=call.query.after,
            limit=_MOVES + 1,
        )
        back = await listing.returned_since(
            conn, call.account.id, found.run, [row.entity_id for row in rows[:_MOVES]]
        )
    names = {user.id: user.name for user in users} | {p.crm_user_id: p.name for p in staff.employees}
    values = {
        "seen": run_seen(found, staff, call.texts),
        "moves": [_move_seen(call, row, names, back.get(row.entity_id)) for row in rows[:_MOVES]],
        "returned": await _returned(call, found),
        "older": rows[_MOVES - 1].position if len(rows) > _MOVES else None,
        "query": call.query,
        "tabs_shown": tabs(call, "shift_change"),
    }
    return Shown(
        "distribution/_shift_run.html" if call.is_fragment else "distribution/shift_run.html", values
    )


async def _returned(call: AnyPageCall, found: RunProgress) -> int:
    if found.run.kind == "return":
        return 0
    async with call.connection() as conn:
        return await listing.count_returned(conn, call.account.id, found.run)


def _move_seen(
    call: AnyPageCall, row: MoveRow, names: Mapping[str | None, str], back: datetime | None
) -> MoveSeen:
    return MoveSeen(
        row=row,
        url=call.services.url_of(call.account.id, "deal", row.entity_id),
        owner_was=names.get(row.owner_was, row.owner_was),
        given_to=names.get(row.given_to, row.given_to or "") if row.given_to else "",
        tone=_MOVE_TONES[row.state],
        why=reason_said(row.reason, call.texts),
        returned_at=back,
    )


async def _progress(conn: Conn, call: AnyPageCall) -> RunProgress:
    name = call.path["run"]
    if not (name.isascii() and name.isdigit() and len(name) <= 18):
        raise page_not_found("shift-run")
    try:
        return await service.progress(conn, call.account.id, int(name))
    except service.NoSuchShiftRun as err:
        raise page_not_found("shift-run") from err


async def change_run(call: PageCall) -> SeeOther:
    """Pause, resume or stop, as the path says."""
    do: service.ShiftAct = call.path["action"]  # type: ignore[assignment]  # the path takes no other
    async with call.connection() as conn:
        run = (await _progress(conn, call)).run
        try:
            await service.change(conn, call.account.id, run.run_id, do)
        except ShiftRefused as err:
            raise PageRefused(409, "shift-run-over") from err
    return SeeOther(call.here(f"{RUNS}/runs/{run.run_id}"), said=phrase(f"distribution.shift.said.{do}"))


async def ask_stop(call: PageCall) -> Shown:
    async with call.connection() as conn:
        found = await _progress(conn, call)
        seen = run_seen(found, await staff_of(conn, call.account.id), call.texts)
    return Shown("distribution/shift_stop.html", {"seen": seen, "tabs_shown": tabs(call, "shift_change")})


async def ask_move(call: PageCall[MovePageQuery, None]) -> Shown:
    """Say what a move would do now; nothing is asked of the CRM."""
    return await _question(call, call.query.employee, call.query.kind)


async def _question(
    call: AnyPageCall, employee: str, kind: MoveKind, refused: ShiftRefused | None = None
) -> Shown:
    said: list[str] = []
    preview = None
    async with call.connection() as conn:
        staff = await staff_of(conn, call.account.id)
        try:
            preview = await service.preview(conn, call.account.id, employee, kind, people_now)
        except NothingOfThatName as err:
            raise page_not_found("employee") from err
        except ShiftRefused as err:
            refused = refused or err
    if refused is not None:
        said = [call.texts.render(one) for one in refusals_of(refused).values()]
    stay = preview.stay if preview else {}
    values = {
        "employee": staff.by_id[employee],
        "kind": kind,
        "preview": preview,
        "refused": said,
        "stay": [(reason_said(reason, call.texts), n) for reason, n in stay.items()],
        "receivers": [
            staff.by_id[id].name for id in (preview.receivers if preview else ()) if id in staff.by_id
        ],
        "tabs_shown": tabs(call, "shift_change"),
    }
    return Shown("distribution/shift_move.html", values, status=409 if refused else 200)


async def begin_move(call: PageCall[NoPageQuery, MoveForm]) -> PageAnswer:
    form = call.form
    async with call.connection() as conn:
        try:
            begun = await service.start(conn, call.account.id, form.employee, form.kind, call.who.name)
        except NothingOfThatName as err:
            raise page_not_found("employee") from err
        except ShiftRefused as err:
            refused = err
        else:
            run_id = begun.run.run_id
            return SeeOther(call.here(f"{RUNS}/runs/{run_id}"), said=phrase("distribution.shift.said.begun"))
    return await _question(call, form.employee, form.kind, refused)
