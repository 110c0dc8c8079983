"""The accounts of a run: each has a CRM of its own, connections with clocks of their own, and something that the others
have not: a key that is renewed all the time, or another zone, language and matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from gateway.demo import data
from routing.matrix.actions import Attach, Deadline, MakeContact, MakeDeal, MakeTask
from routing.matrix.model import CELLS, Matrix, MatrixTable
from routing.settings import AccountSettings, CallPolicy
from routing.texts.catalogue import Language
from tests.chaos.outgoing.office import PBX, outbound_settings

CALLS = CallPolicy(settle_seconds=2, lost_hangup_minutes=1)
KNOWN_CONTACTS = 200
"""Sample contacts 1…n of a sandbox, whose numbers are +7900 and seven digits."""
OUTGOING_RATE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """skews: connections by name, how far their clock is ahead of ours in seconds, None = they tell no times.

    share: of the calls. call_back: how the text of a task begins. missed_by: extension of who gets a new client's missed
    call. due_minutes: of working time, or of any time. contacts: that its CRM begins with; each third has a deal. is_outgoing:
    nobody calls there: its deals ring and write to their clients.
    """

    account: str
    share: float
    skews: Mapping[str, float | None]
    key: Literal["long_lived", "oauth"] = "long_lived"
    zone: str = "Europe/Moscow"
    language: Language = "ru"
    call_back: str = "Перезвонить"
    missed_by: str = "100"
    due_minutes: int = 60
    is_due_in_working_time: bool = True
    matrix: Matrix | None = None
    contacts: int = KNOWN_CONTACTS
    is_outgoing: bool = False

    @property
    def sandbox(self) -> str:
        """Name of the process that is its CRM."""
        return "sandbox" if self.account == data.ACCOUNT else f"sandbox-{self.account}"

    @property
    def settings(self) -> AccountSettings:
        settings = AccountSettings(calls=CALLS, language=self.language)
        outbound = outbound_settings(OUTGOING_RATE)
        return settings.model_copy(update={"outbound": outbound}) if self.is_outgoing else settings

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


def _eastern() -> Matrix:
    """New callers become contact and deal of who answered; the missed ones are those of manager 105, in half an hour by the
    clock."""
    name, owner = "Call {{ client.number }}", "employee:manager105"
    text = "Ring {{ client.number }} ({{ connection.name }}, {{ call.started_at | date('%d.%m %H:%M') }})"
    task = MakeTask(
        purpose="call_back",
        responsible=owner,
        text=text,
        due=Deadline(minutes=30, is_working=False),
    )

    def new(responsible: str) -> tuple[MakeContact, MakeDeal]:
        return MakeContact(responsible=responsible), MakeDeal(responsible=responsible, name=name)

    rows = {
        "inbound.answered.new/answer": new("who_answered"),
        "inbound.answered_by_unknown.new/answer": new("senior"),
        "inbound.missed.new/end": (*new(owner), Attach(responsible=owner), task),
        "inbound.missed.known_with_deal/end": (task,),
        "inbound.missed.known_without_deal/end": (task,),
    }
    for outcome in ("answered", "answered_by_unknown"):
        rows |= {f"inbound.{outcome}.{kind}/end": (Attach(),) for kind in _KINDS}
        rows |= {f"outbound.{outcome}.{kind}/end": (Attach(),) for kind in _KINDS[1:]}
    cells = {cell: rows.get(cell, ()) for cell in CELLS}
    return Matrix(version=1, tables={"default": MatrixTable(name="East", cells=cells)})


_KINDS = ("new", "known_with_deal", "known_without_deal")

TENANTS = (
    Tenant(account=data.ACCOUNT, share=0.5, skews={"generic": 0.0, "branch": 300.0, "plain": None}),
    Tenant(
        account="renewed", share=0.25, skews={"renewed": 0.0, "renewed-plain": None}, key="oauth",
        zone="Europe/Kaliningrad",
    ),
    Tenant(
        account="east", share=0.25, skews={"east": 0.0, "east-branch": 120.0}, zone="Asia/Vladivostok",
        language="en", call_back="Ring ", missed_by="105", due_minutes=30, is_due_in_working_time=False,
        matrix=_eastern(),
    ),
    Tenant(account="outgoing", share=0.0, skews={PBX: 0.0}, contacts=3000, is_outgoing=True),
)  # fmt: skip
