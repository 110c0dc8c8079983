"""The settings of an account that rules read: values, versioned with the configuration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from routing.outbound.settings import OutboundSettings
from routing.schedules.calendar import OwnDay
from routing.texts.catalogue import DEFAULT_LANGUAGE, Language

_FIVE_DAYS: dict[int, tuple[tuple[str, str], ...]] = dict.fromkeys(range(1, 6), (("09:00", "18:00"),))

ANY_VALUE = "*"
"""Of a custom field: filled in, with whatever."""

LookupKind = Literal["lead", "contact", "deal"]


class NumberPolicy(BaseModel):
    """How numbers are read.

    region: ISO code that national spellings are read in. area_code: put before local numbers that lack one (digits,
    None = such numbers are invalid). eight_is_plus_seven: "8XXXXXXXXXX means +7…", for Russian accounts; off where
    clients have foreign numbers that begin with 8. own_numbers: ours, E.164; calls from them are never a client's.
    internal_digits: up to this many digits are an extension or a short number, never E.164.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str = "RU"
    area_code: str | None = None
    eight_is_plus_seven: bool = True
    own_numbers: frozenset[str] = frozenset()
    internal_digits: int = Field(default=6, ge=2, le=6)


class LookupPolicy(BaseModel):
    """priority: order in which entities are looked for. deputies: after an owner who cannot be rung, their deputy.
    group: extensions that are rung when nobody else can be. ring_seconds: for each target.

    availability: whether it counts that an owner is off shift, on leave, offline, busy or wants no calls: "skip" = the next
    one is rung, "ring_first" = they are, for ring_away_seconds, and then the next one. schedule: by which shifts count, None = none
    do. template: whose people are rung, in the order of its ledger, when no owner or deputy can be; at most template_people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    priority: tuple[LookupKind, ...] = ("lead", "contact", "deal")
    use_deputies: bool = True
    group: tuple[str, ...] = ()
    ring_seconds: int = Field(default=20, ge=1, le=300)
    availability: Literal["off", "skip", "ring_first"] = "off"
    ring_away_seconds: int = Field(default=10, ge=1, le=300)
    schedule: str | None = Field(default=None, max_length=200)
    template: str | None = Field(default=None, max_length=200)
    template_people: int = Field(default=5, ge=1, le=50)


class OnePersonPolicy(BaseModel):
    """Clients who are for one person only: nobody else is rung for them, and nobody else is given what they leave.

    clients: E.164, or `<kind>:<id>` of a contact, company, deal or lead -> employee id; "" = whoever owns it. tags: of a
    contact, company or open deal -> the same. fields: id of a custom field -> its value -> the same; "*" = any other value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clients: dict[str, str] = Field(default_factory=dict, max_length=10_000)
    tags: dict[str, str] = Field(default_factory=dict, max_length=100)
    fields: dict[str, dict[str, str]] = Field(default_factory=dict, max_length=20)

    @property
    def knows_any(self) -> bool:
        """Whether there is any such client at all."""
        return bool(self.clients or self.tags or self.fields)


class CallPolicy(BaseModel):
    """settle_seconds: how long what follows from "missed" waits for a late answer. lost_hangup_minutes: after so long
    without any event a call is taken as over. update_wait_seconds: how long update-only waits for others' entities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settle_seconds: int = Field(default=10, ge=0, le=600)
    lost_hangup_minutes: int = Field(default=120, ge=1, le=1440)
    update_wait_seconds: int = Field(default=60, ge=0, le=3600)


class CasePolicy(BaseModel):
    """Missed-call cases. escalate_minutes: of working time, None = never. max_escalations: to the next senior manager.
    quiet_hours: local hours, over midnight too, in which nothing is escalated and no task to call back is due."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    escalate_minutes: int | None = Field(default=None, ge=1, le=1_000_000)
    max_escalations: int = Field(default=1, ge=0, le=10)
    quiet_hours: tuple[tuple[str, str], ...] = Field(default=(), max_length=10)
    seniors: tuple[str, ...] = ()
    """Employee ids in the order of escalation; empty = the senior manager only."""
    count_text: str = ""
    """Empty: in the words of the account's language. The task's text once the client has called again in vain: {text} as the matrix wrote it, {count}, {time} local."""
    done_text: str = ""
    """Empty: in the words of the account's language. The task's result when somebody reached the client: {who}, {time} local."""


class WorkingTime(BaseModel):
    """Weekly hours of an account in its zone: weekday (1 = Monday) -> list of ("HH:MM", "HH:MM"); "24:00" ends a day.
    holidays: ISO country whose public holidays are free, None = none. working_saturdays: whether days that it moves to a
    week-end are worked on. free_days/work_days: exceptions, ISO dates. days: the same with names and hours, above all others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hours: dict[int, tuple[tuple[str, str], ...]] = Field(default_factory=lambda: dict(_FIVE_DAYS))
    holidays: str | None = None
    free_days: tuple[str, ...] = ()
    work_days: tuple[str, ...] = ()
    working_saturdays: bool = True
    days: dict[str, OwnDay] = Field(default_factory=dict, max_length=2000)


class PersonalDataPolicy(BaseModel):
    """After how many days what is kept of clients is emptied; None = with the row that it stands in, or never.

    number_days: their numbers. name_days: their names, and texts that hold them. recording_days: links to recordings.
    param_days: what a call came with (utm_*, client ids). raw_days: what the PBX sent, word by word. text_days: what was written
    by SMS and in messengers, in both directions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number_days: int | None = Field(default=None, ge=3, le=3650)
    name_days: int | None = Field(default=None, ge=3, le=3650)
    recording_days: int | None = Field(default=None, ge=3, le=3650)
    param_days: int | None = Field(default=None, ge=3, le=3650)
    raw_days: int | None = Field(default=None, ge=3, le=3650)
    text_days: int | None = Field(default=None, ge=3, le=3650)


class AlertPolicy(BaseModel):
    """Who is told when the account needs a person, besides the operators of the installation; and when that is.

    emails: addresses. telegram_chats: ids of chats, or @name of a channel. pbx_silent_minutes: of working time without any
    message of a connection that has spoken before, None = silence is no alarm. desk_full: so many entries on the desk.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    emails: tuple[str, ...] = ()
    telegram_chats: tuple[str, ...] = ()
    pbx_silent_minutes: int | None = Field(default=240, ge=10, le=30_000)
    desk_full: int = Field(default=10, ge=1, le=1_000_000)


PresenceSign = Literal["crm", "calls", "page", "pbx", "schedule"]


class PresencePolicy(BaseModel):
    """Who is at work just now. is_on: off, nothing is watched and everybody counts as available.

    idle_minutes: of silence before the question "are you there?", None = it is never asked. answer_seconds: to answer it.
    sources: what counts besides the employee's own button: their doings in the CRM, their calls, their open page, their
    phone's do-not-disturb, the end of their shift. feed_late_minutes: of working time without any doing of anybody in the
    CRM's feed, after which the feed counts as late and nobody is taken off; None = silence is silence. burst: more events
    of one kind by one person within a second are one action. integration_users: CRM users behind whom a program stands.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_on: bool = False
    idle_minutes: int | None = Field(default=15, ge=1, le=720)
    answer_seconds: int = Field(default=60, ge=10, le=3600)
    sources: tuple[PresenceSign, ...] = ("crm", "calls", "page", "pbx", "schedule")
    feed_late_minutes: int | None = Field(default=10, ge=1, le=720)
    burst: int = Field(default=5, ge=1, le=1000)
    integration_users: tuple[str, ...] = ()


class CampaignPolicy(BaseModel):
    """leaves_traces: whether calls of campaigns are shown and recorded in the CRM; where off, no campaign's are. from_pipeline:
    whether triggers put numbers into campaigns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leaves_traces: bool = True
    from_pipeline: bool = True


class DialoguePolicy(BaseModel):
    """Who sees which dialogues of messengers. visibility: all of the channels that they may read, or their own and those of nobody.
    observers: employees who see all of their channels whatever the visibility, and own and answer none. in_crm: whether dialogues
    show in the CRM's own chats too, where everybody sees them who sees the deal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    visibility: Literal["all", "own"] = "all"
    observers: tuple[str, ...] = ()
    in_crm: bool = False


class AccountSettings(BaseModel):
    """Everything of an account that is not a matrix, a person or a connection. Stored in account.settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language = DEFAULT_LANGUAGE
    """Of what people read: texts in the CRM, explanations of decisions, problems of the matrix."""
    numbers: NumberPolicy = NumberPolicy()
    lookup: LookupPolicy = LookupPolicy()
    one_person: OnePersonPolicy = OnePersonPolicy()
    calls: CallPolicy = CallPolicy()
    cases: CasePolicy = CasePolicy()
    working_time: WorkingTime = WorkingTime()
    personal_data: PersonalDataPolicy = PersonalDataPolicy()
    alerts: AlertPolicy = AlertPolicy()
    presence: PresencePolicy = PresencePolicy()
    outbound: OutboundSettings = OutboundSettings()
    campaigns: CampaignPolicy = CampaignPolicy()
    dialogues: DialoguePolicy = DialoguePolicy()
    default_pipeline_id: str | None = None
    support_phone: str | None = Field(default=None, max_length=40)
    """At which the company is reached about this installation."""
    requests_per_second: int = Field(default=7, ge=1, le=50)


def stored_settings(value: object) -> AccountSettings:
    """Read what stands in account.settings. What a newer program keeps there and this one does not know is left alone:
    while nodes are upgraded one after the other, both read the same row. value: JSON as Python has it, None = all defaults.
    """
    return AccountSettings.model_validate(value or {}, extra="ignore")
