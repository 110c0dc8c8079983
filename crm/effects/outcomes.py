"""What an answer, a failure or a look means for each effect: values in, outcomes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from crm.effects.batching import BY_NUMBER, COMPLEX
from crm.effects.model import ENTITY_GONE, NOTE_GONE, EffectOutcome, KnownEntities, OwnedNow, StoredEffect
from crm.effects.owners import StandIns, handed_on, owner_of
from crm.effects.refs import missing
from crm.effects.requests import as_refused
from crm.errors import CrmError, CrmNotFound, CrmRefused
from crm.port import ItemOutcome, Refused, Written
from routing.effects import (
    AttachCall,
    ChangeNote,
    ChangeTask,
    CreateContact,
    CreateDeal,
    Order,
    ShowCard,
    UpdateEntity,
)
from routing.orders import ORDER_KINDS, changed_by
from runtime.backoff import grown_pause

CHANGED_MEANWHILE = "changed-meanwhile"
CLOSED_MEANWHILE = "closed-meanwhile"
LONGEST_LOOK_SECONDS = 240.0
LONGEST_ACCEPTANCE_SECONDS = 600.0
_ACCEPTED_WITHIN = timedelta(days=14)


def answered(
    kind: str, stored: Sequence[StoredEffect], answers: Iterable[ItemOutcome], stand_ins: StandIns
) -> list[EffectOutcome]:
    """Outcomes of a request that was answered. Refused pairs and refused matches by number go on waiting: the caller
    sends them apart, or as notes; so does what was refused for its owner, for whoever is next. What the answer does not mention has an unknown outcome and is not in the list."""
    by_key = {s.key: s for s in stored}
    partner = _partners(stored) if kind == COMPLEX else {}
    outcomes: list[EffectOutcome] = []
    for answer in answers:
        effect = by_key.get(answer.key)
        if effect is None:
            continue
        if isinstance(answer, Written):
            outcomes.append(done(effect, answer.id, answer.extra))
        elif kind == COMPLEX:
            outcomes += [again(effect), again(by_key[partner[effect.key]])]
        elif kind == BY_NUMBER and _target(effect) is not None:
            outcomes.append(again(effect))
        else:
            outcomes.append(handed_on(effect, answer, stand_ins) or dead(effect, answer))
    return outcomes


def done(
    effect: StoredEffect, crm_id: str | None, extra: Mapping[str, str] | None = None, *, found: bool = False
) -> EffectOutcome:
    return EffectOutcome(
        key=effect.key,
        attempt=effect.attempt,
        state="done",
        crm_id=crm_id,
        extra=dict(extra or {}),
        was_found=found,
    )


def again(effect: StoredEffect, error: CrmError | None = None) -> EffectOutcome:
    """Nothing was carried out: it waits again."""
    return EffectOutcome(
        key=effect.key,
        attempt=effect.attempt,
        state="waiting",
        code=error.code if error else None,
        detail=str(error) if error else None,
    )


def not_yet(effect: StoredEffect, refused: Refused) -> EffectOutcome | None:
    """Put off what the CRM takes only when somebody has accepted the lead: tried again ever later, for two weeks."""
    sent_at = effect.sent_at or effect.created_at
    if (
        not (effect.in_lead and "entity_id" in refused.field)
        or sent_at - effect.created_at > _ACCEPTED_WITHIN
    ):
        return None
    seconds = grown_pause(effect.attempt, 5.0, LONGEST_ACCEPTANCE_SECONDS)
    return EffectOutcome(
        key=effect.key,
        attempt=effect.attempt,
        state="waiting",
        code="lead-not-accepted",
        field=refused.field,
        detail=refused.detail,
        next_try_at=sent_at + timedelta(seconds=seconds),
    )


def dead(effect: StoredEffect, refused: Refused) -> EffectOutcome:
    if waits := not_yet(effect, refused):
        return waits
    if isinstance(effect.order, ChangeNote) and refused.is_entity:
        return skipped(effect, NOTE_GONE)
    return EffectOutcome(
        key=effect.key,
        attempt=effect.attempt,
        state="dead",
        code=refused.code,
        field=refused.field,
        detail=refused.detail,
    )


def entity_gone(effect: StoredEffect, refused: Refused) -> EffectOutcome:
    """Let its call be decided anew: what it was for is no longer in the CRM."""
    outcome = dead(effect, refused)
    return replace(outcome, code=ENTITY_GONE) if outcome.state == "dead" else outcome


def refused(effect: StoredEffect, error: CrmError) -> EffectOutcome:
    """For a request with this effect alone."""
    problems = error.problems if isinstance(error, CrmRefused) else ()
    if problems:
        problem = next((p for p in problems if p[0] == effect.key), problems[0])
        return dead(effect, as_refused(effect.key, problem))
    is_entity = isinstance(error, CrmNotFound)
    return dead(
        effect, Refused(key=effect.key, code=error.code, field="", detail=str(error), is_entity=is_entity)
    )


def unknown(effect: StoredEffect, error: CrmError, now: datetime, quiet_seconds: float) -> EffectOutcome:
    """To be looked for once the request cannot be under way any more; ever later for one that never ends well."""
    if isinstance(effect.order, ShowCard):
        return skipped(effect, error.code)
    seconds = grown_pause(effect.unknown_attempts + 1, quiet_seconds, LONGEST_LOOK_SECONDS)
    return EffectOutcome(
        key=effect.key,
        attempt=effect.attempt,
        state="unknown",
        code=error.code,
        detail=str(error),
        next_try_at=now + timedelta(seconds=seconds),
        is_unknown=True,
    )


def skipped(effect: StoredEffect, code: str) -> EffectOutcome:
    return EffectOutcome(key=effect.key, attempt=effect.attempt, state="skipped", code=code)


def looked(effect: StoredEffect, id: str | None, *, give_up: bool) -> EffectOutcome:
    """id: what was found. give_up: it has failed too often while others succeeded; a person should look."""
    if id is not None:
        return done(effect, id, found=True)
    if isinstance(effect.order, ShowCard):
        return skipped(effect, "too-late")
    if give_up:
        detail = f"{effect.unknown_attempts} sends ended without an answer that could be trusted"
        return dead(effect, Refused(key=effect.key, code="crm-outcome-unknown", field="", detail=detail))
    return again(effect)


def is_repeatable(effect: StoredEffect) -> bool:
    """Doing it twice is the same as doing it once, so there is nothing to look for."""
    return ORDER_KINDS[effect.order.do].verified in ("repeat", "never")


def before_sending(effect: StoredEffect, now: datetime, card_seconds: float) -> EffectOutcome | None:
    """Why this effect must not be sent at all; None = it may."""
    order = effect.order
    if isinstance(order, ShowCard) and now - effect.created_at > timedelta(seconds=card_seconds):
        return skipped(effect, "too-late")
    made_by = changed_by(order)
    is_lost = made_by is not None and not effect.changed_id
    if is_lost or (missing(order) and not isinstance(order, CreateDeal)):
        needed = (made_by if is_lost else missing(order)) or ""
        return dead(effect, Refused(key=effect.key, code="dependency", field="", detail=needed))
    return None


def already_there(effect: StoredEffect, client: KnownEntities | None) -> EffectOutcome | None:
    """Return the contact or deal that somebody made meanwhile, which is used instead of a twin; None = create it."""
    if client is None:
        return None
    if isinstance(effect.order, CreateContact):
        kind, id = client.contact
        return done(effect, id, {"kind": kind} if kind != "contact" else {}, found=True)
    if isinstance(effect.order, CreateDeal):
        for id, created_at in client.deals:
            if effect.contact_found or (created_at is not None and created_at >= effect.created_at):
                return done(effect, id, found=True)
    return None


def owner_was(order: Order) -> str | None:
    """Return to whom it must still belong; None = to anybody."""
    return order.owner_was if isinstance(order, UpdateEntity | ChangeTask) else None


def overtaken(effect: StoredEffect, now: OwnedNow | None) -> EffectOutcome | None:
    """Return why it is needless by what the CRM has told meanwhile: it is as ordered, or somebody did something else."""
    was = owner_was(effect.order)
    if was is None or now is None:
        return None
    if now.owner_id == owner_of(effect.order):
        return done(effect, _changed_id(effect), found=True)
    if now.owner_id != was:
        return skipped(effect, CHANGED_MEANWHILE)
    return None if now.is_open else skipped(effect, CLOSED_MEANWHILE)


def _changed_id(effect: StoredEffect) -> str | None:
    order = effect.order
    return order.target.id if isinstance(order, UpdateEntity) else effect.changed_id


def _partners(stored: Sequence[StoredEffect]) -> dict[str, str]:
    keys = [s.key for s in stored]
    return {b: a for a, b in zip(keys[::2], keys[1::2], strict=True)}


def _target(effect: StoredEffect) -> object:
    return effect.order.target if isinstance(effect.order, AttachCall) else None
