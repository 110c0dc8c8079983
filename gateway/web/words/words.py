"""The words of one answer: its language, its zone, its moment, and whether numbers may be seen whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from gateway.store.numbered import AT_TERMINAL
from gateway.web.words import numbers, phones, times
from routing.texts.catalogue import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """zone: of the account. sees_numbers: else phones are masked."""

    texts: Texts
    zone: ZoneInfo
    now: datetime
    sees_numbers: bool = True

    def phone(self, number: str | None) -> str:
        if not number:
            return ""
        return phones.phone(number) if self.sees_numbers else phones.with_middle_hidden(number)

    def text(self, text: str) -> str:
        """Return a text of others, with the numbers in it masked where they have to be."""
        return text if self.sees_numbers else phones.with_numbers_hidden(text)

    def who(self, said: str | None) -> str:
        """Return who made a version, as versions name them: somebody at a terminal is "root (command line)" there."""
        name, at_terminal, _ = (said or "").partition(AT_TERMINAL)
        return f"{name} ({self.texts.say('audit.door.command_line')})" if at_terminal else name

    def time(self, at: datetime, *, seconds: bool = False) -> str:
        return times.moment(at, self.now, self.zone, self.texts, seconds=seconds)

    def clock(self, at: datetime, *, seconds: bool = False) -> str:
        return times.clock(at, self.zone, seconds=seconds)

    def dense(self, at: datetime) -> str:
        return times.dense(at, self.zone, self.texts)

    def exact(self, at: datetime) -> str:
        return times.exact(at, self.zone, self.texts)

    def iso(self, at: datetime) -> str:
        """For `<time datetime>`."""
        return at.astimezone(self.zone).isoformat(timespec="seconds")

    def ago(self, at: datetime) -> str:
        return times.ago(at, self.now, self.zone, self.texts)

    def day(self, when: date | datetime, *, with_year: bool = False, with_weekday: bool = False) -> str:
        there = when.astimezone(self.zone).date() if isinstance(when, datetime) else when
        return times.day(there, self.texts, with_year=with_year, with_weekday=with_weekday)

    def duration(self, seconds: float | timedelta) -> str:
        return times.duration(seconds, self.texts)

    def working(self, seconds: float) -> str:
        """Of working time: a day of it has no certain length, so hours go on."""
        return times.duration(seconds, self.texts, has_days=False)

    def running(self, since: datetime) -> str:
        return times.running((self.now - since).total_seconds())

    def count(self, number: int) -> str:
        return numbers.count(number, self.texts.language)

    def decimal(self, number: float | Decimal, places: int = 1) -> str:
        return numbers.decimal(number, self.texts.language, places)

    def percent(self, share: float, places: int = 0) -> str:
        return numbers.percent(share, self.texts.language, places)

    def money(self, amount: float | Decimal, currency: str = "RUB") -> str:
        return numbers.money(amount, currency, self.texts.language)
