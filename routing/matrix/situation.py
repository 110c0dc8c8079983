"""What the matrix decides about: one call at one moment, with all that is known of client and people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator

from routing.calls.campaign import CampaignOfCall
from routing.calls.model import Call
from routing.client import Client, ClientEntity, ClientKind
from routing.matrix.by_template.turns import NO_TURNS, CallTurns
from routing.matrix.model import CallOutcome, Moment
from routing.matrix.places import GonePlaces
from routing.matrix.versions.trial import TrialOfCall
from routing.schedules.calendar import PublicHolidays
from routing.settings import AccountSettings
from routing.staff import Employee, Staff


class Situation(BaseModel):
    """number: the client's, E.164. line: our number, E.164 or as the PBX names it. connection: its name. now: aware UTC.

    client_kind: as fixed at the call's first event; client: as it is now. ordered: keys of effects already ordered for
    this call at earlier moments; gone: those of them that came to nothing, because what they made or stood on is no longer in
    the CRM. holidays: the free days of settings.working_time.holidays around `now`. worked_days: of the same
    calendar, with the weekday whose hours they have. gone_places: of those that the matrix names.
    turns: what templates of distribution say, where the matrix names any. campaign: that called, or whose client calls.
    trial: the side that the call is on, of a trial that ran when it began.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    call_id: str
    moment: Moment
    call: Call
    number: str
    line: str | None
    connection: str
    client: Client
    client_kind: ClientKind
    staff: Staff
    settings: AccountSettings
    time_zone: str
    now: datetime
    ordered: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    holidays: frozenset[date] = frozenset()
    worked_days: dict[date, int | None] = {}
    gone_places: GonePlaces = GonePlaces()
    turns: CallTurns = NO_TURNS
    campaign: CampaignOfCall | None = None
    trial: TrialOfCall | None = None

    @field_validator("staff")
    @classmethod
    def _with_indexes(cls, staff: Staff) -> Staff:
        """Indexes are not stored: a situation read back from a decision gets them again."""
        if not staff.employees or staff.by_id:
            return staff
        return Staff.of(
            staff.employees, staff.version, gone_users=staff.gone_users, admin_user=staff.admin_user
        )

    @property
    def public_holidays(self) -> PublicHolidays:
        return PublicHolidays(self.holidays, self.worked_days)

    @property
    def zone(self) -> ZoneInfo:
        return _zone(self.time_zone)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def facts_of(s: Situation) -> Mapping[str, str]:
    """Return what conditions may ask: the PBX's parameters, and line, did, connection, direction, number, failed_side and
    left_waiting, which win."""
    facts = {name.lower(): value for name, value in s.call.params.items()}
    facts["connection"] = s.connection
    facts["direction"] = s.call.direction
    facts["number"] = s.number
    for ours in ("failed_side", "left_waiting"):
        facts.pop(ours, None)
    if s.call.is_left_waiting:
        facts["left_waiting"] = "yes"
    if s.call.failed_side:
        facts["failed_side"] = s.call.failed_side.value
    if s.line:
        facts["line"] = facts["did"] = s.line
    return facts


def party_of(call: Call) -> str | None:
    """Return the address that answered; where the PBX does not say, the only one that rang. None when it cannot be told."""
    if call.answered_by:
        return call.answered_by
    return call.rung[0] if call.is_answered and len(call.rung) == 1 else None


def who_answered(s: Situation) -> Employee | None:
    return employee_at(party_of(s.call), s) if s.call.is_answered else None


def employee_at(address: str | None, s: Situation) -> Employee | None:
    """Whose extension, SIP login or number it is; numbers also as PBXs spell them, without plus or with 8 for +7."""
    return s.staff.employee_spelled(address, eight_is_plus_seven=s.settings.numbers.eight_is_plus_seven)


def kind_of(s: Situation) -> ClientKind:
    """Return the client's kind as it was at the call's first event, unless what they were known by is gone since then.

    A deal that was closed meanwhile is there still: the call was about it.
    """
    fixed, now = s.client_kind, s.client.kind
    if fixed is ClientKind.NEW or now is ClientKind.KNOWN_WITH_DEAL or s.moment is Moment.RING:
        return fixed
    if now is ClientKind.NEW or not any(_closed_since(e, s) for e in s.client.of("deal")):
        return now
    return fixed


def _closed_since(deal: ClientEntity, s: Situation) -> bool:
    at = deal.closed_at or deal.updated_at
    return not deal.is_open and (at is None or at >= s.call.started_at)


def outcome_of(s: Situation) -> CallOutcome:
    """Return the outcome. An employee whom no CRM user is mapped to counts as unknown: the settings need the same look."""
    if s.moment is Moment.RING:
        return CallOutcome.RINGING
    if not s.call.is_answered:
        return CallOutcome.MISSED
    who = who_answered(s)
    return CallOutcome.ANSWERED if who and who.crm_user_id else CallOutcome.ANSWERED_BY_UNKNOWN
