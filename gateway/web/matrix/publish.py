"""Publishing the draft: what changes, what it would have done to the calls of the last days, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from gateway.admin import matrices
from gateway.admin.matrices import DraftMoved, MatrixRefused, OnTrial
from gateway.admin.matrix import trials
from gateway.store.decisions.replayable import PastCalls
from gateway.store.worker import long_tasks
from gateway.store.worker.long_tasks import LongTask
from gateway.web.frame import Form, PageCall, PageQuery, SeeOther, Shown, page_not_found
from gateway.web.matrix.seen import SeenDraft, see_draft
from gateway.web.matrix.table_page import others_of, problem_view
from gateway.web.matrix.versions import changes_in_words
from routing.matrix.texts import row_phrase
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn
from runtime.masking import mask_numbers

_DAYS = 7
_MOST_BY_ITSELF = 20_000
_SHORTEST_WHY = 3
_MOST_SHOWN = 50


class PublishForm(Form):
    """part: publish for all calls, or begin a trial for a share of the clients or one line."""

    revision: int = Field(ge=0, le=2**53)
    why: str = Field(default="", max_length=2000)
    part: str = "all"
    percent: str = ""
    line: str = ""


class ReplayQuery(PageQuery):
    work: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCall:
    """kind: of call, in words, "" = it has none. before, after: what it leaves in the CRM, in words."""

    call_id: str
    at: datetime
    client: str
    kind: str
    before: Sequence[str]
    after: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReplayView:
    """work None: none was asked for yet. is_own: it is of the draft as it is. listed: the first calls that end otherwise."""

    work: LongTask | None
    calls: int
    is_own: bool
    listed: Sequence[ReplayedCall] = ()

    @property
    def begins_by_itself(self) -> bool:
        return not self.is_own and 0 < self.calls <= _MOST_BY_ITSELF

    @property
    def result(self) -> Mapping[str, Any] | None:
        return self.work.result if self.work and self.is_own else None

    @property
    def is_running(self) -> bool:
        return self.work is not None and self.is_own and self.work.state in ("waiting", "running")


async def show_publish(call: PageCall) -> Shown:
    async with call.connection() as conn:
        return await _page(conn, call, {})


async def _page(conn: Conn, call: PageCall[Any, Any], more: Mapping[str, Any], status: int = 200) -> Shown:
    seen = await see_draft(conn, call.account.id)
    values = {
        "seen": seen,
        "changes": changes_in_words(seen.published, seen.matrix, call.texts, seen.catalogue),
        "problems": [problem_view(call, p) for p in seen.problems],
        "others": others_of(call, seen),
        "may_publish": call.may("admin"),
        "may_edit": call.may("senior_manager"),
        "replay": await _replay(conn, call, seen),
        "next_version": _next(seen),
        "error": "",
        "percent_error": "",
        "form": PublishForm(revision=seen.draft.revision),
        "most_shown": _MOST_SHOWN,
    }
    return Shown("matrix/publish.html", {**values, **more}, status=status)


def _next(seen: SeenDraft) -> int:
    return max(seen.version, seen.trial.version if seen.trial else 0) + 1


async def _replay(conn: Conn, call: PageCall[Any, Any], seen: SeenDraft) -> ReplayView:
    """Return the latest replay of the draft that this page would show."""
    account_id = call.account.id
    found = [
        w
        for w in await long_tasks.all_work(conn, account_id, "replay")
        if w.asked.get("version") == "draft" and w.asked.get("against") == seen.version
    ]
    since = call.now - timedelta(days=_DAYS)
    calls = await PastCalls().count(conn, account_id, since, call.now)
    own = [w for w in found if w.asked.get("revision") == seen.draft.revision and w.state != "cancelled"]
    if not own:
        return ReplayView(found[0] if found else None, calls, False)
    work = await long_tasks.work_of(conn, account_id, own[0].work_id)
    rows = (work.result or {}).get("list", ())[:_MOST_SHOWN]
    return ReplayView(work, calls, True, [_replayed(call, row) for row in rows])


def _replayed(call: PageCall[Any, Any], row: Mapping[str, Any]) -> ReplayedCall:
    """Return the call as this person may see it: what is left in the CRM often names the client's number."""
    shown = str if call.who.sees_numbers else mask_numbers
    return ReplayedCall(
        call_id=row["call_id"],
        at=datetime.fromisoformat(row["started_at"]),
        client=row["client"],
        kind=call.texts.render(row_phrase(row["row"])) if row["row"] else "",
        before=[shown(line) for line in row["published"]],
        after=[shown(line) for line in row["draft"]],
    )


async def show_replay(call: PageCall) -> Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
        values = {"seen": seen, "replay": await _replay(conn, call, seen), "most_shown": _MOST_SHOWN}
    return Shown("matrix/_replay.html", {**values, "may_edit": call.may("senior_manager")})


async def begin_replay(call: PageCall) -> SeeOther | Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
        known = await _replay(conn, call, seen)
        if not known.is_own:
            asked = {
                "days": _DAYS,
                "version": "draft",
                "against": seen.version,
                "revision": seen.draft.revision,
                "language": call.texts.language,
            }
            try:
                await long_tasks.ask(conn, call.account.id, "replay", asked, call.who.name)
            except long_tasks.TooMuchWork:
                return SeeOther(call.here("/matrix/publish"), said=phrase("matrix.page.too-much-work"))
    return await show_replay(call) if call.is_fragment else SeeOther(call.here("/matrix/publish") + "#replay")


async def stop_replay(call: PageCall) -> SeeOther | Shown:
    async with call.connection() as conn:
        seen = await see_draft(conn, call.account.id)
        known = await _replay(conn, call, seen)
        if known.work is None:
            raise page_not_found()
        await long_tasks.stop(conn, call.account.id, known.work.work_id)
    return await show_replay(call) if call.is_fragment else SeeOther(call.here("/matrix/publish") + "#replay")


async def publish(call: PageCall[PageQuery, PublishForm]) -> SeeOther | Shown:
    """Publish the draft, or put it on trial."""
    form, texts = call.form, call.texts
    async with call.connection() as conn:
        if len(form.why.strip()) < _SHORTEST_WHY:
            error = {"error": texts.say("matrix.page.say-why"), "form": form}
            return await _page(conn, call, error, 422)
        if form.part == "share" and not _is_share(form.percent):
            said = texts.say("matrix.page.odd-percent", typed=form.percent)
            return await _page(conn, call, {"percent_error": said, "form": form}, 422)
        try:
            return await _publish(conn, call)
        except MatrixRefused:
            return await _page(conn, call, {"form": form}, 422)
        except DraftMoved as err:
            is_earlier = (await see_draft(conn, call.account.id)).is_begun_earlier
            said = "matrix.page.decide-first" if is_earlier else "matrix.page.moved"
            error = {"error": texts.say(said, who=err.who), "form": form}
            return await _page(conn, call, error, 409)
        except OnTrial as err:
            error = {"error": texts.say("matrix.page.on-trial", version=err.trial.version), "form": form}
            return await _page(conn, call, error, 409)


def _is_share(typed: str) -> bool:
    text = typed.strip()
    return text.isascii() and text.isdigit() and len(text) <= 2 and int(text) >= 1


async def _publish(conn: Conn, call: PageCall[PageQuery, PublishForm]) -> SeeOther:
    form, account_id, why = call.form, call.account.id, call.form.why.strip()
    if form.part == "all":
        done = await matrices.publish_draft(
            conn, account_id, revision=form.revision, by=call.who.name, why=why
        )
        said = phrase("matrix.page.published", version=str(done.version))
        return SeeOther(call.here("/matrix/versions"), said=said)
    begun = await trials.begin(
        conn,
        account_id,
        percent=int(form.percent) if form.part == "share" else None,
        line=form.line or None if form.part == "line" else None,
        revision=form.revision,
        by=call.who.name,
        why=why,
    )
    said = phrase("matrix.page.trial-begun", version=str(begun.version))
    return SeeOther(call.here("/matrix/trial"), said=said)
