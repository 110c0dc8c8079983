"""One call: why it went there, and what is left of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.admin.operations.desk import retry_effects
from gateway.decisions.names_then import NamesThen
from gateway.decisions.of_call import effects_known
from gateway.decisions.why.sentence import WhySentence
from gateway.decisions.why.why import why_of
from gateway.store.decisions.decisions import Explained
from gateway.web.calls.call_words import result_of
from gateway.web.calls.journal.lines import client_name
from gateway.web.calls.one.call_file import CallFile, call_file
from gateway.web.calls.one.client_panel import client_panel
from gateway.web.calls.one.course import course_of, numbers_of
from gateway.web.calls.one.trace import TraceStep, TraceWords, lookup_steps, other_steps
from gateway.web.calls.one.writes import writes_of_decisions
from gateway.web.dialogs.beginning import new_dialogue_hrefs
from gateway.web.dialogs.lately import written_lately
from gateway.web.frame import AnyPageCall, Form, NoPageQuery, PageCall, SeeOther, Shown
from gateway.web.words.phones import phone
from routing.matrix.texts import row_phrase
from routing.texts.catalogue import phrase

_MENDS = {
    "employee": "/setup/people",
    "deputy": "/setup/people",
    "cell": "/matrix",
    "crm": "/setup/crm",
    "pbx": "/setup/pbx",
}


Sentence = tuple[str, str, str, tuple[str, str] | None]
"""(tone, sentence, what else there is to say, (words, address) of what may be done)"""


class RetryForm(Form):
    """key: of the change in the CRM that is tried again."""

    key: str


async def one_call(call: PageCall) -> Shown:
    async with call.connection() as conn:
        file = await call_file(call, conn, call.path["call"])
    written = await written_lately(call, file.row.client)
    hrefs = await new_dialogue_hrefs(call, [file.row.client] if file.row.client else [])
    more = {"written": written, "write_href": next(iter(hrefs.values()), "")}
    return Shown("calls/call.html", {**shown_call(call, file), **more})


def shown_call(call: AnyPageCall, file: CallFile) -> dict[str, Any]:
    """Return what the page has to show of a call: a stored one or one that is only tried."""
    row, words = file.row, call.words
    name = client_name(row, _names(file), words)
    numbers = numbers_of(file.decisions)
    pbx = file.connection.name if file.connection else ""
    lookup = file.lookup
    return {
        "row": row,
        "file": file,
        "name": name,
        "number": words.phone(row.client),
        "context": _context(call, file),
        "result": result_of(row.call, words),
        "sentences": _sentences(call, file),
        "course": course_of(row, file.decisions, name, pbx, file.now.staff, words),
        "numbers": numbers,
        "lookup": lookup[0] if lookup else None,
        "lookup_steps": _lookup_steps(call, lookup, file) if lookup else [],
        "traces": _traces(call, file, numbers),
        "writes": writes_of_decisions(
            list(zip(file.decisions, file.names, strict=True)), numbers, words, _url_to(call)
        ),
        "client": client_panel(call, file),
        "facts": _facts(call, file),
        "missing": _missing(call, file),
        "cell": _cell(file),
        "is_tried": False,
        "written": [],
    }


def _names(file: CallFile) -> Mapping[str, str]:
    entities = file.client.entities if file.client else ()
    found = [
        e.name for kind in ("contact", "company", "lead") for e in entities if e.ref.kind == kind and e.name
    ]
    return {file.row.client: found[0]} if file.row.client and found else {}


def _url_to(call: AnyPageCall) -> Any:
    return lambda kind, id: call.services.url_of(call.account.id, kind, id)


def _context(call: AnyPageCall, file: CallFile) -> str:
    row, words = file.row, call.words
    line = phone(row.line) if row.line else (file.connection.name if file.connection else "")
    parts = [
        call.texts.say(f"calls.head.{row.call.direction}", line=line),
        words.time(row.call.started_at, seconds=True),
    ]
    if row.call.ended_at:
        lasted = words.duration(row.call.ended_at - row.call.started_at)
        parts.append(call.texts.say("calls.head.lasted", duration=lasted))
    return " · ".join(parts)


def _sentences(call: AnyPageCall, file: CallFile) -> list[Sentence]:
    """Return them, the page's answer first."""
    told = [*file.of_kind("lookup"), *file.of_kind("matrix")[-1:], *file.of_kind("case")[-1:]]
    found: list[Sentence] = []
    for explained, names in told:
        why = why_of(explained.decision, names, call.words, effects=effects_known(explained, file.decisions))
        more = _passed_over(call, explained, names, file) if explained.decision.kind == "lookup" else ""
        if why.more is not None:
            more = f"{call.texts.render(why.more)} {more}".strip()
        tone = "" if why.tone == "quiet" else why.tone
        found.append((tone, _sentence(call, explained, why), more, _mend(call, why)))
    return found or [("", call.texts.say("calls.no_decision"), "", None)]


def _sentence(call: AnyPageCall, told: Explained, why: WhySentence) -> str:
    """Return it; what is only tried waits for nothing."""
    if not is_tried(told):
        return call.texts.render(why.sentence)
    what = dict.fromkeys(call.texts.word("why.what", effect.what) for effect in told.effects)
    return call.texts.say("calls.try.would", what=", ".join(what))


def is_tried(told: Explained) -> bool:
    return any(effect.state == "dry_run" for effect in told.effects)


def _mend(call: AnyPageCall, why: WhySentence) -> tuple[str, str] | None:
    if why.mend is None and why.tone == "bad":
        return call.texts.say("calls.mend.refused"), "#writes"
    if why.mend is None or why.mend not in _MENDS or not call.may("senior_manager"):
        return None
    query = {"cell": why.about} if why.mend == "cell" else {}
    return call.texts.say(f"calls.mend.{why.mend}"), call.here(_MENDS[why.mend], **query)


def _passed_over(call: AnyPageCall, told: Explained, names: NamesThen, file: CallFile) -> str:
    """Say who was looked at before, and why that was not who was rung."""
    if told.decision.outcome.get("outcome") != "manager":
        return ""
    steps = [s for s in _lookup_steps(call, (told, names), file) if s.kind == "excluded" and s.entity]
    said = [
        call.texts.say("calls.passed_over", what=s.title, name=s.entity.then, why=s.text)
        for s in steps
        if s.entity
    ]
    return " ".join(said[:2])


def _lookup_steps(call: AnyPageCall, lookup: tuple[Explained, NamesThen], file: CallFile) -> list[TraceStep]:
    told, names = lookup
    beside = TraceWords(names=names, entities=file.entities, words=call.words, url_to=_url_to(call))
    return lookup_steps(told.decision, beside)


def _traces(
    call: AnyPageCall, file: CallFile, numbers: Mapping[str, int]
) -> list[tuple[int, str, str, list[TraceStep]]]:
    """Return (number, what was decided, its sentence, steps) of what is no lookup."""
    found = []
    for told, names in zip(file.decisions, file.names, strict=True):
        row = told.decision
        if row.kind == "lookup":
            continue
        why = why_of(row, names, call.words, effects=effects_known(told, file.decisions))
        moment = row.outcome.get("moment")
        title = (
            call.texts.word("matrix.moment", str(moment))
            if moment
            else call.texts.word("explain.kind", row.kind)
        )
        sentence = _sentence(call, told, why)
        found.append((numbers.get(row.decision_id, 0), title, sentence, other_steps(row, call.words)))
    return found


def _cell(file: CallFile) -> str:
    matrix = file.of_kind("matrix")
    return str(matrix[-1][0].decision.outcome.get("cell") or "") if matrix else ""


def _facts(call: AnyPageCall, file: CallFile) -> list[tuple[str, str]]:
    """Return (name, value) of everything else that is known."""
    row, texts, words = file.row, call.texts, call.words
    params = row.call.params
    lookup = file.lookup[0].decision.inputs if file.lookup else {}
    took, age = lookup.get("took_us"), lookup.get("directory_age_ms")
    kind = (_cell(file).partition("/")[0]) if _cell(file) else ""
    pairs = [
        ("line", phone(row.line) if row.line else ""),
        ("pbx", file.connection.name if file.connection else ""),
        ("ads", " / ".join(params[n] for n in ("utm_source", "utm_medium") if params.get(n))),
        ("campaign", params.get("utm_campaign", "")),
        ("query", params.get("utm_term", "")),
        ("kind", texts.render(row_phrase(kind)) if kind.count(".") == 2 else ""),
        ("matrix", str(row.matrix_version) if row.matrix_version else ""),
        ("waited", words.duration(row.call.wait_seconds) if row.call.wait_seconds is not None else ""),
        (
            "answered_in",
            texts.say("calls.fact.ms", ms=words.decimal(took / 1000)) if took is not None else "",
        ),
        ("age", words.duration(age / 1000) if age is not None else ""),
        (
            "failed_side",
            texts.word("calls.failed_side", row.call.failed_side.value) if row.call.failed_side else "",
        ),
        ("left_waiting", texts.say("calls.fact.yes") if row.call.is_left_waiting else ""),
        ("callback", texts.say("calls.fact.yes") if row.call.is_callback else ""),
    ]
    return [(texts.say(f"calls.fact.{name}"), words.text(value)) for name, value in pairs if value]


def _missing(call: AnyPageCall, file: CallFile) -> list[str]:
    """Name what the page cannot show, with the reason."""
    row, texts = file.row, call.texts
    found = []
    if row.call.direction == "inbound" and file.lookup is None:
        found.append("lookup")
    if not row.call.legs and row.call.is_over:
        found.append("legs")
    if not file.of_kind("matrix") and row.call.is_over:
        found.append("decisions")
    if row.call.is_answered and row.call.is_over and not row.call.recordings:
        found.append("recording")
    if not file.messages:
        found.append("messages")
    return [texts.say(f"calls.missing.{name}") for name in found] + [
        texts.say(f"calls.missing.emptied.{name}") for name in row.emptied
    ]


async def retry_write(call: PageCall[NoPageQuery, RetryForm]) -> SeeOther:
    """Try one refused change in the CRM again."""
    call_id = call.path["call"]
    async with call.connection() as conn:
        file = await call_file(call, conn, call_id)
        keys = {effect.key for told in file.decisions for effect in told.effects if effect.state == "dead"}
        count = await retry_effects(conn, call.account.id, [call.form.key]) if call.form.key in keys else 0
    said = phrase("calls.retried", n=count) if count else phrase("calls.nothing_to_retry")
    return SeeOther(call.here(f"/calls/{call_id}"), said=said)
