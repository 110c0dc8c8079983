"""Carries out one batch or one look, and records what became of each effect. When and what is the writer's business."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from crm.effects import outcomes
from crm.effects.batching import BY_NUMBER, COMPLEX, Sizes
from crm.effects.gone import find_gone
from crm.effects.model import ENTITY_GONE, EffectOutcome, EffectStore, StoredEffect
from crm.effects.owners import OWNER, StandIns
from crm.effects.pauses import FIRST_SECONDS, LONGEST_SECONDS, SPREAD, is_alarm, pause_after
from crm.effects.requests import entities_of, send
from crm.effects.verify import Found, look_for
from crm.errors import CrmError, CrmOutcomeUnknown, CrmRefused, CrmTooLarge, CrmUnauthorised, CrmUnpaid
from crm.lane import Lane
from crm.port import LEFT_OUT, Crm
from runtime.circuit_breaker import CircuitBreaker, Permit
from runtime.database.lease import Held, LeaseLost
from runtime.trouble import Trouble

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSettings:
    """quiet_seconds: the longest time that a request may still be under way in the CRM, margin included.

    catch_up_seconds, backfill_catch_up_seconds: how old the directory may be when something is created;
    told_catch_up_seconds: the latter while webhooks keep up, and a poll only makes sure.
    are_notes_dated: call notes keep the time of the call; otherwise a backfill lets the CRM match calls by number where
    that hits the right entity, because that route takes times.
    """

    quiet_seconds: float = 45.0
    card_seconds: float = 30.0
    live_requests: int = 6
    backfill_requests: int = 4
    catch_up_seconds: float = 1.0
    backfill_catch_up_seconds: float = 5.0
    told_catch_up_seconds: float = 30.0
    poll_seconds: float = 1.0
    window: int = 1000
    unknown_attempts_limit: int = 12
    are_notes_dated: bool = False


class Sender:
    """split: key -> group, for effects that must not travel with others. routes: key -> kind of request chosen for it."""

    def __init__(
        self,
        crm: Crm,
        effects: EffectStore,
        account_id: str,
        lease: Held,
        settings: WriterSettings,
        now: Callable[[], datetime],
        random: Callable[[], float],
        account_breaker: CircuitBreaker | None = None,
        stand_ins: StandIns = lambda _user: (),
        on_refused_value: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_refused_value = on_refused_value
        self._stand_ins = stand_ins
        self._crm, self._effects, self._account, self._lease = crm, effects, account_id, lease
        self._settings, self._now = settings, now
        self.breaker = CircuitBreaker(
            first=FIRST_SECONDS,
            longest=LONGEST_SECONDS,
            spread=SPREAD,
            clock=lambda: now().timestamp(),
            random=random,
            within=account_breaker,
        )
        self._trouble = Trouble("crm", account=account_id)
        self.sizes = Sizes()
        self._told_left_out: set[str] = set()
        self.split: dict[str, str] = {}
        self.routes: dict[str, str] = {}
        self.unpaid: str | None = None  # the kind of order that the account was last refused as a whole for
        self.last_success: datetime | None = None
        self.last_error: tuple[str, datetime] | None = None

    async def send(self, kind: str, lane: Lane, taken: Sequence[StoredEffect], permit: Permit) -> None:
        stored = await self._without_needless(kind, taken)
        if not stored:
            return
        try:
            self._lease.check()
            answers = await send(self._crm, kind, lane, stored)
        except CrmError as error:
            await self._failed(kind, stored, error, permit)
            return
        except LeaseLost:
            raise  # whoever holds it now looks for what is marked as being sent
        except Exception as error:  # a mistake of ours must not lose an effect: unknown outcome
            self._trouble.failed(error, is_mistake=True, request=kind)
            wrapped = CrmOutcomeUnknown(f"{type(error).__name__}: {error}")
            await self._failed(kind, stored, wrapped, permit)
            return
        now = self._now()
        self._on_success(kind, len(stored), now, permit)
        results = outcomes.answered(kind, stored, answers, self._stand_ins)
        gone = await find_gone(self._crm, lane, stored, answers)
        results = [gone.told.get(o.key, o) for o in results]
        if any(_is_about_a_value(o) for o in results):
            self._on_refused_value()
        self._tell_left_out(results)
        self._tell_handed_on(results)
        self._send_apart_next(kind, results)
        told = {o.key for o in results}
        silence = CrmOutcomeUnknown("the answer does not mention this item")
        results += [
            outcomes.unknown(s, silence, now, self._settings.quiet_seconds)
            for s in stored
            if s.key not in told
        ]
        await self._effects.record(results, entities_of(stored, answers), now, gone.refs)

    async def _without_needless(self, kind: str, taken: Sequence[StoredEffect]) -> list[StoredEffect]:
        """Those that still have to be sent; the others get their outcome here."""
        now = self._now()
        clients = {s.client for s in taken if s.order.do in ("create_contact", "create_deal")}
        known = await self._effects.known(clients) if clients else {}
        watched = [s for s in taken if outcomes.owner_was(s.order) is not None]
        owned = await self._effects.owned_now(watched) if watched else {}
        settled: dict[str, EffectOutcome] = {}
        for effect in taken:
            outcome = outcomes.before_sending(effect, now, self._settings.card_seconds)
            outcome = outcome or outcomes.already_there(effect, known.get(effect.client))
            outcome = outcome or outcomes.overtaken(effect, owned.get(effect.key))
            if outcome is not None:
                settled[effect.key] = outcome
        kept = [s for s in taken if s.key not in settled]
        if (
            kind == COMPLEX
        ):  # a deal whose contact is there already is sent by itself, when it knows the contact's id
            keys = {s.key for s in kept}
            by_key = {s.key: s for s in taken}
            whole = {c.key: d.key for c, d in _pairs(taken) if c.key in keys and d.key in keys}
            pairs = {*whole, *whole.values()}
            for s in kept:
                if s.key not in pairs:
                    settled[s.key] = outcomes.again(by_key[s.key])
            kept = [s for s in kept if s.key in pairs]
        if settled:
            await self._effects.record(list(settled.values()), [], now)
        return kept

    async def _failed(
        self, kind: str, stored: Sequence[StoredEffect], error: CrmError, permit: Permit
    ) -> None:
        now = self._now()
        if isinstance(error, CrmUnpaid):
            self.unpaid = _deciding(stored)
        if error.is_outcome_unknown:
            if isinstance(error, CrmTooLarge):
                self.sizes.too_large(kind, len(stored) // 2 if kind == COMPLEX else len(stored))
            results = [outcomes.unknown(s, error, now, self._settings.quiet_seconds) for s in stored]
        elif error.retryable or isinstance(error, CrmUnauthorised):
            results = [outcomes.again(s, error) for s in stored]
        else:
            results = self._refused(stored, error)
        await self._effects.record(results, [], now)
        await self.on_failure(error, now, permit)

    def _refused(self, stored: Sequence[StoredEffect], error: CrmError) -> list[EffectOutcome]:
        """Send those that a refusal names to the desk, else cut the request in two."""
        named = {p[0] for p in error.problems} if isinstance(error, CrmRefused) else set()
        bad = [s for s in stored if s.key in named] or (list(stored) if len(stored) == 1 else [])
        if bad:
            return [outcomes.refused(s, error) if s in bad else outcomes.again(s) for s in stored]
        for position, effect in enumerate(stored):
            half = "a" if position < len(stored) // 2 else "b"
            self.split[effect.key] = f"{self.split.get(effect.key, '')}{stored[0].key}{half}"
        return [outcomes.again(s, error) for s in stored]

    def _send_apart_next(self, kind: str, results: Sequence[EffectOutcome]) -> None:
        for outcome in results:
            if outcome.state == "waiting" and kind == COMPLEX:
                self.split[outcome.key] = "apart"
            elif outcome.state == "waiting" and kind == BY_NUMBER:
                self.routes[outcome.key] = ""
            else:
                self.split.pop(outcome.key, None)
                self.routes.pop(outcome.key, None)

    async def look(self, stored: Sequence[StoredEffect], permit: Permit) -> None:
        now = self._now()
        findable = [s for s in stored if not outcomes.is_repeatable(s)]
        found = Found()
        if findable:
            try:
                found = await look_for(
                    self._crm, stored[0].lane, findable, self._effects.claimed, self._effects.known
                )
            except CrmError as error:
                await self.on_failure(error, now, permit, is_read=True)
                return
            self.breaker.passed(permit)
            self._trouble.recovered()
        results = [self._looked(s, found, now) for s in stored]
        await self._effects.record(results, found.entities, now)

    def _looked(self, effect: StoredEffect, found: Found, now: datetime) -> EffectOutcome:
        gives_up = self._gives_up(effect, now)
        is_unclear = effect.key in found.unclear
        if is_unclear and effect.key not in found.ids and not gives_up:
            doubt = CrmOutcomeUnknown(
                "something in the CRM may be it, and cannot be read or stands too far back"
            )
            return outcomes.unknown(effect, doubt, now, self._settings.quiet_seconds)
        return outcomes.looked(effect, found.ids.get(effect.key), give_up=gives_up)

    def _tell_left_out(self, results: Sequence[EffectOutcome]) -> None:
        """Each field once."""
        told = {one for r in results if (out := r.extra.get(LEFT_OUT)) for one in out.split("; ")}
        for one in sorted(told - self._told_left_out):
            log.warning("value-left-out", account=self._account, value=one)
        self._told_left_out |= told

    def _tell_handed_on(self, results: Sequence[EffectOutcome]) -> None:
        for outcome in results:
            if OWNER in outcome.extra and outcome.state == "waiting":
                owner = outcome.extra[OWNER] or None
                log.warning("owner-refused", account=self._account, effect=outcome.key, goes_to=owner)

    def _gives_up(self, effect: StoredEffect, now: datetime) -> bool:
        others_succeed = self.last_success is not None and now - self.last_success < timedelta(hours=1)
        return effect.unknown_attempts >= self._settings.unknown_attempts_limit and others_succeed

    def _on_success(self, kind: str, sent: int, now: datetime, permit: Permit) -> None:
        self.breaker.passed(permit)
        self._trouble.recovered()
        self.unpaid = None
        self.sizes.on_success(kind, sent // 2 if kind == COMPLEX else sent)
        self.last_success = now

    async def on_failure(
        self, error: CrmError, now: datetime, permit: Permit, *, is_read: bool = False
    ) -> None:
        """is_read: of looking or catching up, which come again by themselves: never without a pause.

        One 401 may be the CRM's own trouble: the account is broken only when what is asked seconds later is refused too.
        """
        self.last_error = (f"{error.code}: {error}", now)
        if isinstance(error, CrmUnauthorised):
            is_confirmed = permit.is_probe and self.breaker.state.reason == error.code
            self._trouble.failed(error, is_alarm=is_confirmed)
            if is_confirmed:
                await self._effects.break_account(str(error))
                self.breaker.passed(permit)  # the account's state keeps quiet from now on
            else:
                pause_after(error, self.breaker, permit)
        elif error.retryable or is_read:
            pause_after(error, self.breaker, permit)
            self._trouble.failed(error, is_alarm=is_alarm(error.code))
        else:  # it answers, and only this request is not to its liking
            self.breaker.passed(permit)
            self._trouble.recovered()


def _is_about_a_value(outcome: EffectOutcome) -> bool:
    """Whether the CRM would not have some value: what we know of its users, stages and fields may be old."""
    is_dead = outcome.state == "dead" and outcome.code != ENTITY_GONE
    return is_dead or LEFT_OUT in outcome.extra or OWNER in outcome.extra


def _deciding(stored: Sequence[StoredEffect]) -> str:
    """Return what kind of order a refusal of all of them means: of a contact with its deal the deal."""
    return stored[-1].order.do


def _pairs(taken: Sequence[StoredEffect]) -> list[tuple[StoredEffect, StoredEffect]]:
    """Pairs whose both halves were taken; a half can be missing when somebody changed it a moment ago."""
    contacts = {s.key: s for s in taken if s.order.do == "create_contact"}
    found = []
    for deal in taken:
        ref = getattr(deal.order, "contact", None)
        if ref is not None and ref.effect in contacts:
            found.append((contacts[ref.effect], deal))
    return found
