"""Who is at work: now, before, switched by a button, asked and answered, told by an open page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.input_words import PAGE_ID
from gateway.admin.presence import people
from gateway.admin.presence.people import LONGEST_PAGE, PersonNow, PresenceOff, online_seconds
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Items, NoQuery, Route
from gateway.api.sent_time import SentTime
from gateway.presence.heartbeats import BeatsLost
from gateway.store.presence.attendance import PresenceInterval
from gateway.texts.sentences import TEXTS
from routing.attendance.model import Attendance, AttendanceReason, MarkSaid, mark_said, state_of
from routing.attendance.pages import page_beat
from routing.attendance.trust import BEAT_SECONDS
from routing.presence import PresenceState
from routing.texts.catalogue import Language

_LONGEST_IDLE = 7 * 24 * 3600


class QuestionView(Answer):
    """asked_at: name it in the answer. answer_by: without an answer by then the employee is offline."""

    asked_at: datetime
    answer_by: datetime


class PersonPresence(Answer):
    """state: what a lookup and a distribution see. mark: what it is concluded from; null where nothing is known yet.

    switched_by: who pressed the button or answered, "" = nobody. dnd: overruled = the phone says it, but its owner has
    pressed the button since.
    """

    employee: str
    name: str
    state: PresenceState
    mark: MarkSaid | None = None
    since: datetime | None = None
    source: str | None = None
    reason: AttendanceReason | None = None
    message: str = ""
    switched_by: str = ""
    last_sign_at: datetime | None = None
    is_in_call: bool = False
    dnd: Literal["no", "yes", "overruled"] = "no"
    question: QuestionView | None = None


class AccountPresence(Answer):
    """doubt: why nobody is taken offline just now: not_watched, just_started, feed_unread, feed_silent or beats_lost; "" = a
    silence counts. feed_error: what the CRM's feed last failed with."""

    is_on: bool
    doubt: str
    feed_read_at: datetime | None
    feed_heard_at: datetime | None
    feed_error: str
    items: list[PersonPresence]


class IntervalView(Answer):
    """id: pass it as `after` to read on. until: null = it goes on."""

    id: int
    state: MarkSaid
    since: datetime
    until: datetime | None
    source: str
    reason: str
    message: str
    switched_by: str


class PresenceHistory(Items[IntervalView]):
    """online_seconds: of the listed intervals, within the time asked for."""

    online_seconds: int


class PresenceHistoryQuery(Body):
    """since, until: a week back from now by default."""

    since: SentTime | None = None
    until: SentTime | None = None
    after: Annotated[int, Field(ge=1, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class PresenceAnswerBody(Body):
    """asked_at: which question; null = the open one."""

    is_here: bool
    asked_at: SentTime | None = None


class HeartbeatBody(Body):
    """page: a name that this open page gave itself. idle_seconds: since the last key or touch in it, null = none so far.
    is_closing: it says good-bye."""

    page: Annotated[str, Field(min_length=1, max_length=LONGEST_PAGE, pattern=PAGE_ID)]
    idle_seconds: Annotated[int, Field(ge=0, le=_LONGEST_IDLE)] | None = None
    is_visible: bool = True
    is_closing: bool = False


class HeartbeatAnswer(PersonPresence):
    """next_seconds: when to beat again."""

    next_seconds: int


def person_view(found: PersonNow, language: Language) -> PersonPresence:
    known = found.attendance
    named = {"employee": found.employee.id, "name": found.employee.name}
    if known is None:
        return PersonPresence(**named, state=PresenceState.UNKNOWN)
    return PersonPresence(
        **named,
        state=state_of(known),
        mark=mark_said(known.mark),
        since=known.since,
        source=known.source,
        reason=known.reason,
        message=TEXTS[language].word("presence.reason", known.reason.value),
        switched_by=known.by,
        last_sign_at=known.last_sign_at,
        is_in_call=known.is_in_call,
        dnd=known.dnd,
        question=_open_question(known),
    )


def _open_question(known: Attendance) -> QuestionView | None:
    if known.mark != "asked" or known.question is None:
        return None
    return QuestionView(asked_at=known.question.asked_at, answer_by=known.question.answer_by)


async def list_presence(call: ApiCall) -> AccountPresence:
    async with call.services.pool.acquire() as conn:
        found = await people.presence_now(conn, call.account, datetime.now(UTC))
    return AccountPresence(
        is_on=found.is_on,
        doubt=found.doubt,
        feed_read_at=found.feed_read_at,
        feed_heard_at=found.feed_heard_at,
        feed_error=found.feed_error,
        items=[person_view(person, call.account.settings.language) for person in found.people],
    )


async def show_presence(call: ApiCall) -> PersonPresence:
    async with call.services.pool.acquire() as conn:
        return person_view(
            await people.person_now(conn, call.account, call.path["employee"]), call.account.settings.language
        )


async def show_history(call: ApiCall[PresenceHistoryQuery, None]) -> PresenceHistory:
    query, now = call.query, datetime.now(UTC)
    until = query.until or now
    since = query.since or until - timedelta(days=7)
    async with call.services.pool.acquire() as conn:
        found = await people.presence_history(
            conn, call.account, call.path["employee"], since, until, before=query.after, limit=query.limit
        )
    return PresenceHistory(
        items=[_interval(one, call.account.settings.language) for one in found],
        next=str(found[-1].interval_id) if len(found) == query.limit else None,
        online_seconds=online_seconds(found, since, until, now),
    )


def _interval(one: PresenceInterval, language: Language) -> IntervalView:
    return IntervalView(
        id=one.interval_id,
        state=mark_said(one.state),
        since=one.since,
        until=one.until,
        source=one.source,
        reason=one.reason,
        message=TEXTS[language].word("presence.reason", one.reason),
        switched_by=one.switched_by,
    )


async def start_presence(call: ApiCall) -> PersonPresence:
    return await _switched(call, is_on=True)


async def stop_presence(call: ApiCall) -> PersonPresence:
    return await _switched(call, is_on=False)


async def _switched(call: AnyCall, *, is_on: bool) -> PersonPresence:
    async with call.services.pool.acquire() as conn:
        found = await people.switch_presence(
            conn, call.account, call.path["employee"], datetime.now(UTC), is_on=is_on
        )
    return person_view(found, call.account.settings.language)


async def answer_presence(call: ApiCall[NoQuery, PresenceAnswerBody]) -> PersonPresence:
    async with call.services.pool.acquire() as conn:
        found = await people.answer_question(
            conn,
            call.account,
            call.path["employee"],
            datetime.now(UTC),
            is_here=call.body.is_here,
            asked_at=call.body.asked_at,
        )
    return person_view(found, call.account.settings.language)


async def beat(call: ApiCall[NoQuery, HeartbeatBody]) -> HeartbeatAnswer:
    if not call.account.settings.presence.is_on:
        raise PresenceOff(call.account.id)
    body, now = call.body, datetime.now(UTC)
    async with call.services.pool.acquire() as conn:
        person = person_view(
            await people.person_now(conn, call.account, call.path["employee"]), call.account.settings.language
        )
    said = page_beat(
        body.page,
        now,
        idle_seconds=body.idle_seconds,
        is_visible=body.is_visible,
        is_closing=body.is_closing,
    )
    try:
        await call.services.heartbeats.beat(call.account.id, person.employee, said)
    except BeatsLost as err:
        raise ApiError(503, err.code, "The heartbeat cannot be kept.", detail="Beat again.") from err
    return HeartbeatAnswer(**person.model_dump(), next_seconds=BEAT_SECONDS)


_ALL = "/v1/accounts/{account}/presence"
_ONE = "/v1/accounts/{account}/employees/{employee}/presence"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_presence,
        summary="Who is at work now, and whether silence counts",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show_presence,
        summary="Whether an employee is at work, and the question that is open",
        role="read_only",
        is_ones_own=True,
    ),
    Route(
        method="GET",
        path=_ONE + "/history",
        handler=show_history,
        summary="When an employee was at work, with what told of it and why",
        role="senior_manager",
        is_ones_own=True,
        is_counter=True,
    ),
    Route(
        method="POST",
        path=_ONE + "/start",
        handler=start_presence,
        summary="Start an employee's counter: they are at work",
        role="senior_manager",
        is_ones_own=True,
        is_counter=True,
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_ONE + "/stop",
        handler=stop_presence,
        summary="Stop an employee's counter: they are offline until it is started, or their next shift begins",
        role="senior_manager",
        is_ones_own=True,
        is_counter=True,
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_ONE + "/answer",
        handler=answer_presence,
        summary='Answer the question "are you there?"',
        role="senior_manager",
        is_ones_own=True,
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_ONE + "/heartbeat",
        handler=beat,
        summary="An open page says that it is open, and when it was last used",
        role="admin",
        is_ones_own=True,
        errors=(409, 503),
    ),
)
