"""Which phones rang, since when, who picked up and when each was gone: one leg per phone and time it rang."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from routing.calls.model import CallEvent, Disposition, EventKind, Leg, Talk

_CLOCKS = timedelta(seconds=1)
"""A talk's time may be a report's whole second, a phone's that of the event."""


@dataclass(slots=True)
class _Phone:
    """A phone while its events are read. legs: the PBX's ids of it."""

    party: str | None
    rang_at: datetime | None
    legs: set[str] = field(default_factory=set)
    answered_at: datetime | None = None
    left_at: datetime | None = None
    cause: Disposition | None = None

    def is_of(self, event: CallEvent) -> bool:
        """Compare by the leg's id where both have one, else by the address."""
        if event.leg and self.legs:
            return event.leg in self.legs
        return event.party is not None and event.party == self.party

    def as_leg(self) -> Leg:
        return Leg(
            party=self.party,
            rang_at=self.rang_at,
            answered_at=self.answered_at,
            left_at=self.left_at,
            cause=self.cause,
        )


def legs_of(told: Sequence[CallEvent], talks: Sequence[Talk]) -> tuple[Leg, ...]:
    """Return the legs in the order in which they began.

    told: distinct events in their order. talks: as they were worked out of the same events; they say who talked and when.
    """
    phones = _phones_that_rang(told)
    for talk in talks:
        phone = _picked_up(phones, talk)
        if phone is None:
            phones.append(phone := _Phone(talk.party, None))
        phone.answered_at, phone.left_at, phone.cause = talk.started_at, talk.ended_at, None
    legs = [phone.as_leg() for phone in phones]
    return tuple(sorted(legs, key=_began))


def _phones_that_rang(told: Sequence[CallEvent]) -> list[_Phone]:
    phones: list[_Phone] = []
    for event in told:
        if event.kind is EventKind.RANG:
            _rang(phones, event)
        elif event.kind is EventKind.LEG_ENDED:
            phone = next((p for p in reversed(phones) if p.left_at is None and p.is_of(event)), None)
            if phone is not None:
                phone.left_at, phone.cause = event.at, event.cause
    return phones


def _rang(phones: list[_Phone], event: CallEvent) -> None:
    """Add a phone, unless it rings already; one that had stopped rings anew."""
    phone = next((p for p in reversed(phones) if p.left_at is None and p.is_of(event)), None)
    if phone is None:
        phones.append(phone := _Phone(event.party, event.at))
    phone.party = phone.party or event.party
    if event.leg:
        phone.legs.add(event.leg)


def _picked_up(phones: Sequence[_Phone], talk: Talk) -> _Phone | None:
    """Return the phone that this talk was on: theirs that had begun to ring last and was not talked on yet."""
    rang = [
        p
        for p in phones
        if p.party == talk.party
        and p.answered_at is None
        and p.rang_at
        and p.rang_at <= talk.started_at + _CLOCKS
    ]
    return rang[-1] if rang else None


def _began(leg: Leg) -> datetime:
    began = leg.rang_at or leg.answered_at
    assert began is not None, "a leg that neither rang nor was answered"
    return began
