"""One made-up call through the matrix: the decisions that it would get, in the form of stored ones. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from gateway.at_work import AtWork
from gateway.calendars import holidays_around
from gateway.calls.call import gone_from_crm, known_client
from gateway.calls.turns import turns_asked
from gateway.decisions.explain import UrlOf, explained
from gateway.decisions.names_then import NamesThen, names_now
from gateway.decisions.order_summary import order_in_words
from gateway.store.admin.accounts import Account
from gateway.store.admin.staff import staff_of
from gateway.store.decisions.decisions import DecisionRow, EffectRow, Explained
from gateway.texts.sentences import TEXTS
from routing.calls.model import Call, Disposition, Talk
from routing.client import Client
from routing.client_work.call import line_of, no_client_reason, situation_of
from routing.client_work.play import play
from routing.client_work.values import CallRow, ClientState, Setup
from routing.effects import Effect, Order
from routing.matrix.decide import MatrixDecision
from routing.matrix.model import Matrix, Moment
from routing.matrix.situation import Situation
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Staff
from routing.texts.catalogue import Language, Texts
from runtime.database.pool import Conn

_ID = "dry-run"
_ORDER: TypeAdapter[Order] = TypeAdapter(Order)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleCall:
    """number, line: in any spelling. answered_by: extension, SIP login or number; None with `is_answered` = the PBX does
    not say who. rung: whose phones rang. talk_seconds, wait_seconds: before and after the answer, or until the end."""

    number: str
    line: str | None
    connection: str
    at: datetime
    direction: Literal["inbound", "outbound"] = "inbound"
    is_answered: bool = False
    answered_by: str | None = None
    rung: Sequence[str] = ()
    wait_seconds: int = 10
    talk_seconds: int = 60
    params: Mapping[str, str] = field(default_factory=dict)

    def as_call(self) -> Call:
        answered_at = self.at + timedelta(seconds=self.wait_seconds)
        ended_at = answered_at + timedelta(seconds=self.talk_seconds if self.is_answered else 0)
        talk = Talk(party=self.answered_by, started_at=answered_at, ended_at=ended_at)
        rung = self.rung or ((self.answered_by,) if self.answered_by else ())
        return Call(
            call_key=_ID,
            direction=self.direction,
            client=self.number,
            line=self.line,
            started_at=self.at,
            answered_at=answered_at if self.is_answered else None,
            ended_at=ended_at,
            disposition=Disposition.ANSWERED if self.is_answered else Disposition.NO_ANSWER,
            is_over=True,
            rung=tuple(rung),
            talks=(talk,) if self.is_answered else (),
            talk_seconds=self.talk_seconds if self.is_answered else 0,
            wait_seconds=self.wait_seconds,
            params=dict(self.params),
        )

    def as_row(self, account: Account, policy: NumberPolicy, client: Client) -> CallRow:
        """As it would be stored once it is over. policy: how the connection's numbers are read."""
        call = self.as_call()
        return CallRow(
            account_id=account.id,
            call_id=_ID,
            connection_id=self.connection,
            call_key=_ID,
            client=client.number,
            line=line_of(call, policy),
            call=call,
            client_kind=client.kind,
            heard_at=self.at,
        )


async def dry_run(
    conn: Conn,
    account: Account,
    policy: NumberPolicy,
    matrix: Matrix,
    made_up: SampleCall,
    url_of: UrlOf | None = None,
    at_work: AtWork | None = None,
    language: Language | None = None,
) -> list[dict[str, Any]]:
    """Return its decisions as the API shows those of a real call. Arguments as of `made_decisions`; language: of the words, else
    the account's."""
    texts = TEXTS[language or account.settings.language]
    made = await made_decisions(conn, account, policy, matrix, made_up, at_work)
    names = await names_now(conn, account.id)
    return [_explained(account, one, names, url_of, texts) for one in made]


async def made_decisions(
    conn: Conn,
    account: Account,
    policy: NumberPolicy,
    matrix: Matrix,
    made_up: SampleCall,
    at_work: AtWork | None = None,
) -> list[Explained]:
    """Its decisions in order. policy: how the connection's numbers are read. The client is who the number belongs to now,
    and templates are asked whose turn it is: they are not moved."""
    call = made_up.as_call()
    number = normalise(made_up.number, policy)
    if not isinstance(number, PublicNumber) or number.is_own:
        return [_nothing(account, call, policy)]
    staff = await staff_of(conn, account.id)
    client = await known_client(conn, account.id, number.e164)
    row, setup = made_up.as_row(account, policy, client), setup_at(account, staff, made_up.at)
    gone = await gone_from_crm(conn, account, matrix)
    turns = await turns_asked(conn, account, staff, at_work or AtWork(), matrix, client, made_up.at)
    return [
        made_decision(row, client, decision, staff.version)
        for decision in play(matrix, row, client, setup, gone_places=gone, turns=turns).decisions
    ]


async def sample_situation(
    conn: Conn, account: Account, policy: NumberPolicy, staff: Staff, made_up: SampleCall
) -> Situation:
    """Return the end of a made-up call, for previews of templates. A number that cannot be read is taken as it is."""
    number = normalise(made_up.number, policy)
    e164 = number.e164 if isinstance(number, PublicNumber) else None
    client = await known_client(conn, account.id, e164) if e164 else Client(number=made_up.number)
    row, setup = made_up.as_row(account, policy, client), setup_at(account, staff, made_up.at)
    return situation_of(row, Moment.END, ClientState(client), setup)


def setup_at(account: Account, staff: Staff, at: datetime) -> Setup:
    """Return the account's present configuration at another time."""
    holidays = holidays_around(account.settings.working_time, at)
    return Setup(staff, account.settings, account.time_zone, holidays, at)


def made_decision(call: CallRow, client: Client, decision: MatrixDecision, staff_version: int) -> Explained:
    """Return what the matrix decides of a call in the form of a stored decision. Its effects are ordered by nobody."""
    row = DecisionRow(
        account_id=call.account_id,
        decision_id=f"{_ID}:{decision.moment.value}",
        kind="matrix",
        at=_at(call.call, decision.moment),
        call_id=None,
        client=client.number,
        reason=decision.reason,
        outcome=decision.model_dump(mode="json", exclude={"steps"}),
        steps=[s.as_json() for s in decision.steps],
        inputs={
            "client": client.model_dump(mode="json"),
            "client_kind": client.kind.value,
            "call": call.call.model_dump(mode="json"),
            "staff_version": staff_version,
            "matrix_version": decision.version,
        },
    )
    return Explained(decision=row, effects=tuple(map(_effect, decision.effects)))


def _at(call: Call, moment: Moment) -> datetime:
    times = {Moment.ANSWER: call.answered_at, Moment.END: call.ended_at}
    return times.get(moment) or call.started_at


def _explained(
    account: Account, made: Explained, names: NamesThen, url_of: UrlOf | None, texts: Texts
) -> dict[str, Any]:
    shown = explained(made, texts, ZoneInfo(account.time_zone), url_of)
    shown["decision_id"], shown["at"] = "", made.decision.inputs["call"]["started_at"]
    for effect, told in zip(made.effects, shown["effects"], strict=True):
        told["message"] = order_in_words(
            _ORDER.validate_python(effect.order), names, texts, account.time_zone
        )
    return shown


def _effect(effect: Effect) -> EffectRow:
    return EffectRow(
        key=effect.key,
        what=effect.order.do,
        order=effect.order.model_dump(mode="json"),
        state="dry_run",
        crm_id=None,
        crm_extra={},
        was_found=False,
        error_code=None,
        error_field=None,
        error_detail=None,
        created_at=datetime.now(UTC),
        done_at=None,
    )


def _nothing(account: Account, call: Call, policy: NumberPolicy) -> Explained:
    reason = no_client_reason(call, policy)
    row = DecisionRow(
        account_id=account.id,
        decision_id=_ID,
        kind="matrix",
        at=call.started_at,
        call_id=None,
        client=None,
        reason=reason,
        outcome={"effects": [], "reason": reason},
        steps=[{"rule": "client", "verdict": "decided", "because": reason, "facts": {}}],
        inputs={"call": call.model_dump(mode="json")},
    )
    return Explained(decision=row, effects=())
