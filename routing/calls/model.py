"""Call events folded into one call, whatever order they came in and however often.

`CallEvent` is what every PBX adapter produces: one vocabulary for all vendors. `fold` turns all events of one call
into a `Call`; it is a function of the *set* of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["inbound", "outbound", "internal"]


class EventKind(StrEnum):
    """What happened, in our words.

    started: a call attempt exists. rang: a phone began to ring; with no party,
    a queue or mailbox took the call. answered: somebody talks. leg_ended: one phone stopped
    ringing or one talk ended. ended: the PBX says that the conversation attempt is over. summary: the PBX's final
    report of a whole call, authoritative where it disagrees with earlier events. recording: where to listen.
    """

    STARTED = "started"
    RANG = "rang"
    ANSWERED = "answered"
    LEG_ENDED = "leg_ended"
    ENDED = "ended"
    SUMMARY = "summary"
    RECORDING = "recording"


class Disposition(StrEnum):
    """How a call came out. RINGING and TALKING are calls that have not ended."""

    RINGING = "ringing"
    TALKING = "talking"
    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"


class FailedSide(StrEnum):
    """Whose side it was that nobody talked in a call that we made; the further the call had come, the later here.

    employee_not_reached: the employee's phone was not picked up. employee_hung_up: it was, and left before the client's
    phone rang. client_not_reached: the client's phone rang and nobody picked it up, whoever gave up first.
    """

    EMPLOYEE_NOT_REACHED = "employee_not_reached"
    EMPLOYEE_HUNG_UP = "employee_hung_up"
    CLIENT_NOT_REACHED = "client_not_reached"


NumberWord = Literal["no_such_number", "machine"]
"""What is said of a client's number besides that nobody was reached: there is none such, or a machine picked up."""


class CallEvent(BaseModel):
    """One thing that happened to a call, as told by a PBX.

    call_key: the PBX's id of the whole call as the client sees it (Asterisk Linkedid, MANGO entry_id, generic callId).
    at: when the PBX says it happened, aware UTC; the time of receipt where it does not say.
    seq: the PBX's own order within the call or leg, None where it has none.
    leg: the PBX's id of the phone or channel concerned, None where the event is of the whole call.
    client: the outside party's number as the PBX spelled it; line: our number it concerns, as spelled.
    party: the employee's address as the PBX names it: extension, SIP login or number.
    cause: the PBX's reason mapped to a disposition where it says one.
    failed_side: of a call that we make, whose side it is if nobody talks, as far as this event can tell.
    number_word: of a call that we make, why the client's phone was not reached, where that is told more exactly than by `cause`.
    attempt: our id of the attempt by which we ordered the call, where the PBX carries it.
    campaign_task: of a call that a contact centre's campaign made, the PBX's id of the number in it.
    talk_seconds, wait_seconds: from final reports only; None = not told.
    params: everything else worth keeping (utm_*, pool, landing, client_id, …), values as text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: EventKind
    call_key: str
    at: datetime
    seq: int | None = None
    leg: str | None = None
    direction: Direction | None = None
    client: str | None = None
    line: str | None = None
    party: str | None = None
    cause: Disposition | None = None
    failed_side: FailedSide | None = None
    number_word: NumberWord | None = None
    attempt: str | None = None
    campaign_task: str | None = None
    talk_seconds: int | None = None
    wait_seconds: int | None = None
    answered_at: datetime | None = None
    started_at: datetime | None = None
    recording: str | None = None
    transferred_from: str | None = None
    is_callback: bool = False
    params: Mapping[str, str] = Field(default_factory=dict)


class Talk(BaseModel):
    """One employee's part of a conversation. party: the address that answered, as the PBX names it."""

    model_config = ConfigDict(frozen=True)

    party: str | None
    started_at: datetime
    ended_at: datetime | None = None


class Leg(BaseModel):
    """One phone for as long as it was in a call. party: as the PBX names it, None: a queue or mailbox, or not told.

    rang_at: None where nothing told that it rang. answered_at: None where nobody picked it up. left_at: when it stopped
    ringing or the talk ended, None: goes on, or was not told. cause: why it stopped, where that was told and nobody talked.
    """

    model_config = ConfigDict(frozen=True)

    party: str | None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    left_at: datetime | None = None
    cause: Disposition | None = None


class Call(BaseModel):
    """One conversation attempt as the client sees it, however many legs the PBX made of it.

    client, line: as the PBX spelled them (normalised by the caller with the connection's policy).
    rung: every party whose phone rang, in order. talks: who talked, in order; empty = nobody.
    legs: each phone with its times, in the order in which they began; empty for calls that were stored before it was kept.
    talk_seconds: whole seconds of talk, None until known. is_over: the conversation attempt has ended.
    recording: the newest one; recordings: all of them (a transferred call has several). is_end_lost: the hangup never
    came and a timer closed the call, so ended_at is when it was closed and the talk's length is unknown.
    legs_gone_at: when the last phone known of left, where that is known but the PBX has not yet said that the call is over.
    is_left_waiting: the last who talked passed the client on to a phone, queue or mailbox where nobody took over.
    got_to: of a call that we made, on whose side it was when last heard of; `failed_side` says it of one that came to nothing.
    number_word: of one that was not answered, as the event says it.
    attempt: of a call that the gateway ordered, its own id of the attempt, where the PBX carries that.
    campaign_task: as of CallEvent.
    """

    model_config = ConfigDict(frozen=True)

    call_key: str
    direction: Direction
    client: str | None
    line: str | None
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: Disposition
    is_over: bool
    rung: tuple[str, ...] = ()
    talks: tuple[Talk, ...] = ()
    legs: tuple[Leg, ...] = ()
    talk_seconds: int | None = None
    wait_seconds: int | None = None
    recording: str | None = None
    recordings: tuple[str, ...] = ()
    is_callback: bool = False
    is_end_lost: bool = False
    legs_gone_at: datetime | None = None
    got_to: FailedSide | None = None
    number_word: NumberWord | None = None
    attempt: str | None = None
    campaign_task: str | None = None
    is_left_waiting: bool = False
    params: Mapping[str, str] = Field(default_factory=dict)

    @property
    def is_answered(self) -> bool:
        return self.answered_at is not None

    @property
    def failed_side(self) -> FailedSide | None:
        """Whose side it was that nobody talked; None of a call that came from outside, goes on or was answered, and where
        the PBX does not tell."""
        return self.got_to if self.is_over and not self.is_answered else None

    @property
    def answered_by(self) -> str | None:
        """The party that answered first, None when nobody did or the PBX does not say who."""
        return self.talks[0].party if self.talks else None
