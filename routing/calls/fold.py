"""From events to one call: `fold` is a function of the *set* of events, so order and repetition do not matter.

What beats what: a final report (summary) beats everything; without one, "somebody answered" beats any "nobody did",
however late it comes, unless the client went in the same moment; a hangup ends the call whenever it arrives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from routing.calls.legs import legs_of
from routing.calls.model import Call, CallEvent, Direction, Disposition, EventKind, FailedSide, Talk
from routing.calls.talks import TalksTold, claims_answer, first, talked_since

__all__ = ["fold"]

_SECOND = timedelta(seconds=1)

_RANK = {kind: rank for rank, kind in enumerate(EventKind)}

# The most telling reason first, where several phones or reports give different ones.
_TELLING = (
    Disposition.BUSY,
    Disposition.REJECTED,
    Disposition.CANCELLED,
    Disposition.FAILED,
    Disposition.NO_ANSWER,
)


def fold(events: Iterable[CallEvent]) -> Call:
    """Return the call that these events tell of.

    events: all of one call_key, in any order, with any repetitions; at least one.
    Raises ValueError when there is none or when they are of different calls.
    """
    told = _distinct(events)
    if not told:
        raise ValueError("a call needs at least one event")
    if len({event.call_key for event in told}) > 1:
        raise ValueError("events of different calls cannot be folded into one")
    return _Fold(told).call()


def _distinct(events: Iterable[CallEvent]) -> list[CallEvent]:
    """Each event once, in an order that does not depend on how they arrived."""
    by_content = {_content(event): event for event in events}
    return [
        by_content[content]
        for content in sorted(
            by_content,
            key=lambda content: (
                by_content[content].at,
                -1 if by_content[content].seq is None else by_content[content].seq,
                _RANK[by_content[content].kind],
                content,
            ),
        )
    ]


def _content(event: CallEvent) -> str:
    fields = event.model_dump(exclude={"params"})
    return repr(sorted((name, str(value)) for name, value in fields.items())) + repr(
        sorted(event.params.items())
    )


class _Fold:
    """One folding: the distinct events in their order and what has been worked out of them."""

    def __init__(self, told: Sequence[CallEvent]) -> None:
        self.told = told
        self.heard = TalksTold(told)
        self.summaries = self.of(EventKind.SUMMARY)
        self.ends = self.of(EventKind.ENDED)
        self.answers = self.of(EventKind.ANSWERED)
        self.starts = self.of(EventKind.STARTED)
        # Whose word counts first for what a call *is*: the report, the start, then the rest by time.
        rest = [e for e in told if e.kind not in (EventKind.SUMMARY, EventKind.STARTED)]
        self.by_authority = [*self.summaries, *self.starts, *rest]

    def of(self, kind: EventKind) -> list[CallEvent]:
        return [event for event in self.told if event.kind is kind]

    def call(self) -> Call:
        # A report calls a callback outbound, since the PBX dialled; those who know that the client asked for it know better.
        callbacks = [e for e in self.by_authority if e.is_callback]
        direction: Direction = first([*callbacks, *self.by_authority], lambda e: e.direction) or "inbound"
        is_over = bool(self.summaries or self.ends)
        is_answered = self._is_answered()
        started_at = self._started_at()
        answered_at = self._answered_at(started_at) if is_answered else None
        ended_at = self._ended_at(answered_at or started_at) if is_over else None
        talks = self.heard.talks(direction, answered_at, ended_at) if answered_at else ()
        legs_gone_at = None if is_over else self._legs_gone_at()
        over_at = ended_at or legs_gone_at
        recordings = self._recordings()
        return Call(
            call_key=self.told[0].call_key,
            direction=direction,
            client=first(self.by_authority, lambda e: e.client),
            line=first(self.by_authority, lambda e: e.line),
            started_at=started_at,
            answered_at=answered_at,
            ended_at=ended_at,
            disposition=self._disposition(is_answered, is_over),
            is_over=is_over,
            rung=self._rung(direction, talks),
            talks=talks,
            legs=legs_of(self.told, talks),
            talk_seconds=self._talk_seconds(answered_at, ended_at),
            wait_seconds=self._wait_seconds(started_at, answered_at, ended_at),
            recording=recordings[-1] if recordings else None,
            recordings=recordings,
            is_callback=bool(callbacks),
            legs_gone_at=legs_gone_at,
            got_to=self._got_to() if direction == "outbound" or callbacks else None,
            number_word=None if is_answered else first(self.by_authority, lambda e: e.number_word),
            attempt=first(self.by_authority, lambda e: e.attempt),
            campaign_task=first(self.by_authority, lambda e: e.campaign_task),
            is_left_waiting=is_answered and over_at is not None and self.heard.is_left_waiting(over_at),
            params=self._params(),
        )

    def _is_answered(self) -> bool:
        claims = [claim for summary in self.summaries if (claim := claims_answer(summary)) is not None]
        is_told = any(claims) if claims else bool(self.answers) or any(claims_answer(e) for e in self.ends)
        return is_told and not self._is_crossed()

    def _is_crossed(self) -> bool:
        """Did the client go in the moment in which a phone was picked up? Then it was, and nobody talked."""
        reports = [*self.summaries, *self.ends]
        talked = [e.talk_seconds for e in reports if e.talk_seconds is not None]
        if not reports or any(talked):
            return False
        picked_up = [e.answered_at or e.at for e in self.answers]
        picked_up += [e.answered_at for e in reports if e.answered_at]
        if not picked_up:
            return bool(talked)
        is_given_up = any(e.cause is Disposition.CANCELLED and e.at < min(picked_up) for e in self.ends)
        lasted = max(e.at for e in reports) - min(picked_up)
        return bool(talked or is_given_up) and lasted <= _SECOND

    def _started_at(self) -> datetime:
        """Return the report's word; else the earliest that anything is known of; recordings and reports come afterwards."""
        reported = [e.started_at for e in self.summaries if e.started_at]
        if reported:
            return min(reported)
        told = [e.started_at for e in self.told if e.started_at]
        seen = [
            e.at for e in self.told if e.kind not in (EventKind.RECORDING, EventKind.SUMMARY, EventKind.ENDED)
        ]
        lasted = [
            e.at - timedelta(seconds=(e.talk_seconds or 0) + (e.wait_seconds or 0))
            for e in [*self.summaries, *self.ends]
        ]
        return min(told + seen + (lasted if not seen else []) or [e.at for e in self.told])

    def _answered_at(self, started_at: datetime) -> datetime:
        reported = [e.answered_at for e in self.summaries if e.answered_at]
        seen = [e.answered_at or e.at for e in self.answers] + [
            e.answered_at for e in self.ends if e.answered_at
        ]
        lost = self.heard.lost_first
        if lost is not None and not reported:
            seen = [talked_since(lost)]
        if reported or seen:
            return max(min(reported or seen), started_at)
        reports = [e for e in [*self.summaries, *self.ends] if claims_answer(e)]
        ended_at = max(e.at for e in reports)
        talked = max((e.talk_seconds or 0) for e in reports)
        return max(ended_at - timedelta(seconds=talked), started_at)

    def _ended_at(self, not_before: datetime) -> datetime:
        """Return the report's time; never before what came earlier, even where two clocks disagree."""
        return max(max(e.at for e in self.summaries or self.ends), not_before)

    def _legs_gone_at(self) -> datetime | None:
        gone = {e.leg: e.at for e in self.of(EventKind.LEG_ENDED) if e.leg}
        seen = {e.leg for e in [*self.starts, *self.of(EventKind.RANG), *self.answers]}
        if not gone or not seen <= gone.keys():
            return None
        return max(max(gone.values()), *(e.at for e in self.told if e.kind is not EventKind.RECORDING))

    def _disposition(self, is_answered: bool, is_over: bool) -> Disposition:
        if is_answered:
            return Disposition.ANSWERED if is_over else Disposition.TALKING
        if not is_over:
            return Disposition.RINGING
        for reports in (self.summaries, self.ends, self.of(EventKind.LEG_ENDED)):
            causes = {e.cause for e in reports if e.cause}
            telling = [cause for cause in _TELLING if cause in causes]
            if telling and reports and reports[0].kind is EventKind.LEG_ENDED:
                # One busy phone of a group does not make the call busy.
                return telling[0] if len(causes) == 1 else Disposition.NO_ANSWER
            if telling:
                return telling[0]
        return Disposition.NO_ANSWER

    def _got_to(self) -> FailedSide | None:
        """Return the report's word; else the furthest that anything tells of."""
        for told in (self.summaries, self.told):
            sides = {e.failed_side for e in told}
            if reached := [side for side in FailedSide if side in sides]:
                return reached[-1]
        return None

    def _rung(self, direction: Direction, talks: tuple[Talk, ...]) -> tuple[str, ...]:
        rang = [e.party for e in self.of(EventKind.RANG)]
        reported = [e.party for e in self.summaries] if direction != "outbound" else []
        talked = [talk.party for talk in talks] if direction != "outbound" else []
        return tuple(dict.fromkeys(party for party in [*rang, *talked, *reported] if party))

    def _talk_seconds(self, answered_at: datetime | None, ended_at: datetime | None) -> int | None:
        """Return what was talked, not how long the client was there: a report's seconds mostly run to the client's hangup,
        so where the PBX told when people left they are the most that it can have been."""
        if answered_at is None:
            return 0 if ended_at else None
        if ended_at is None:
            return None
        told, whole = self._told_seconds(), ended_at - answered_at
        talked = self.heard.talked(answered_at, ended_at)
        if told is not None and whole - talked < _SECOND:
            return told
        seconds = int(talked.total_seconds())
        return seconds if told is None else min(seconds, told)

    def _told_seconds(self) -> int | None:
        """Return what a report or hangup says."""
        for reports in (self.summaries, self.ends):
            whole = [e.talk_seconds for e in reports if e.talk_seconds is not None and e.leg is None]
            if whole:
                return max(0, *whole)
            parts = {e.leg: e.talk_seconds for e in reports if e.talk_seconds is not None}
            if parts:
                return max(0, sum(parts.values()))
        return None

    def _wait_seconds(
        self, started_at: datetime, answered_at: datetime | None, ended_at: datetime | None
    ) -> int | None:
        told = [e.wait_seconds for e in [*self.summaries, *self.ends] if e.wait_seconds is not None]
        if told:
            return max(0, *told)
        until = answered_at or ended_at
        return int((until - started_at).total_seconds()) if until else None

    def _recordings(self) -> tuple[str, ...]:
        """Those of recording events after those mentioned elsewhere: a link made when the file was ready is the better one."""
        told = sorted(self.told, key=lambda e: e.kind is EventKind.RECORDING)
        return tuple(dict.fromkeys(e.recording for e in told if e.recording))

    def _params(self) -> dict[str, str]:
        """Later values replace earlier ones, the report's replace all."""
        params: dict[str, str] = {}
        for event in [*(e for e in self.told if e.kind is not EventKind.SUMMARY), *self.summaries]:
            params.update({name: value for name, value in event.params.items() if value})
        return dict(sorted(params.items()))
