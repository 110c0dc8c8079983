"""Triggers as a configuration file brings them."""

from __future__ import annotations

from gateway.admin.config_document import ConfigDocument, ConfigRefused, DocumentProblem, refuse_twice
from gateway.admin.distribution.from_file import Warn
from gateway.admin.refused import InputRefused
from gateway.admin.triggers.saved import TriggerNotUsable, save_trigger
from gateway.store.triggers import triggers as store
from routing.texts.catalogue import Language
from routing.triggers.model import Trigger
from runtime.database.pool import Conn


async def take_triggers(
    conn: Conn, account_id: str, document: ConfigDocument, by: str, language: Language, warn: Warn
) -> None:
    """Add and change as the API would, with its checks, in the caller's transaction; what the file does not name stays, and is
    told of. Raises ConfigRefused."""
    if document.triggers is None:
        return
    wanted = document.triggers
    refuse_twice("triggers", [trigger.name for trigger in wanted])
    for position, trigger in enumerate(wanted):
        await _take(conn, account_id, trigger, f"triggers.{position} «{trigger.name}».", by, language, warn)
    for stored in await store.triggers_of(conn, account_id):
        if stored.name not in {trigger.name for trigger in wanted}:
            warn("trigger-stays", name=stored.name)


async def _take(
    conn: Conn, account_id: str, trigger: Trigger, path: str, by: str, language: Language, warn: Warn
) -> None:
    try:
        done = await save_trigger(conn, account_id, trigger, by=by)
    except TriggerNotUsable as err:
        problems = [(f"{path}{p.field}", *p.in_words(language), err.code) for p in err.found]
        raise ConfigRefused([DocumentProblem(*problem) for problem in problems]) from err
    except InputRefused as err:
        raise ConfigRefused(
            [DocumentProblem(f"{path}{err.field}", err.message, err.remedy, err.code)]
        ) from err
    for found in done.warnings:
        message, remedy = found.in_words(language)
        warn("trigger-warning", where=f"{path}{found.field}", message=message, remedy=remedy)
