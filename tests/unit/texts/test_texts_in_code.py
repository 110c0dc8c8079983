"""What the CRM is sent and managers are shown comes from the catalogues, in both languages.

English by rule, and so not looked for: log events, errors and their details, what the command line, the admin API and
`/metrics` say to whoever runs the program. Russian letters in code are held by `test_catalogues.py`.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterator

import pytest

from tests.unit.product import Parsed, modules

SPEAKING_ROOMS = (
    "routing/",
    "crm/",
    "sms/",
    "campaigns/",
    "gateway/calls/",
    "gateway/crm_accounts/",
    "gateway/crm_events/",
    "gateway/decisions/",
    "gateway/distribution/",
    "gateway/health/",
    "gateway/lookup/",
    "gateway/messages/",
    "gateway/outbound/",
    "gateway/presence/",
    "gateway/triggers/",
    "gateway/web/",
)
"""Their values reach the CRM, a manager or a page, whether the room stands already or is still to be built."""
SILENT = re.compile(r"/texts/|/store/|^crm/sandbox/|^crm/store/|/store\.py$|^gateway/web/(assets|charts)/")
"""Catalogues themselves; SQL; another vendor's server; what the build says to developers; elements of drawings."""
WORDS = re.compile(r"[^\W\d_]{2,}[,;:.!?]? [^\W\d_]{2,}")
"""Two words beside each other: a text, and no code."""

ENGLISH_BY_RULE = {
    "crm/amocrm/fields.py:_kind": "what stands in a field, in an error's detail",
    "crm/amocrm/fields.py:bad": "what a field should hold, in an error's detail",
    "crm/effects/dead_letters.py:_valid": "a refusal's detail",
    "crm/errors.py:WHAT_HAPPENED": "why the authorisation broke, in an error's detail",
    "crm/errors.py:_SAID": "how the CRM is quoted, in an error's detail",
    "crm/errors.py:__init__": "why the authorisation broke, in an error's detail",
    "crm/amocrm/tokens.py:status_of": "how long a key lasts, for whoever runs the program",
    "crm/amocrm/wire.py:read_answer": "an error's detail",
    "crm/amocrm/wire_oauth.py:ADDRESSES_IN_WORDS": "a refusal's remedy",
    "crm/amocrm/writes.py:_unnamed": "a refusal's detail",
    "crm/effects/outcomes.py:looked": "an error's detail",
    "crm/lending.py:_begin": "a task's name",
    "crm/sync/source.py:_note_refused": "an error's detail",
    "crm/unread.py:UnreadKind": "codes of kinds",
    "sms/channels/max/adapter.py:_ROOT": "a certificate's name",
    "sms/channels/max/adapter.py:secret_of": "what a secret is made of",
    "sms/channels/stored.py:update_of": "an error's detail",
    "sms/channels/telegram/adapter.py:_TOO_BIG": "the messenger's own words",
    "crm/unread.py:FIELD_KIND": "codes of kinds",
    "crm/unread.py:_as_json": "what is kept of a value that cannot be shown",
    "gateway/calls/queue.py": "names of sessions and loops",
    "gateway/calls/reasons.py:reason_of": "an error's detail",
    "gateway/crm_accounts/access.py:__init__": "a lock's name",
    "gateway/crm_accounts/endpoints.py:_returned": "a name in the log of exchanges",
    "gateway/crm_accounts/endpoints.py:_page": "the frame of a page",
    "gateway/crm_accounts/same_crm.py:remedy": "a refusal's remedy",
    "gateway/health/checks.py:check_all": "a session's name",
    "gateway/health/checks.py:only_language": "a session's name",
    "gateway/web/words/uses.py": "what stores tell, which is recognised",
    "sms/channels/telegram/content.py:_NAMES": "names of fields",
    "sms/channels/telegram/sending.py:_BY_WORDS": "parts of a vendor's messages, which are recognised",
    "sms/channels/multipart.py:form_with_file": "a header",
    "sms/providers/smsaero/wire.py:_NOT_FOUND": "a part of a vendor's message, which is recognised",
    "sms/providers/smsaero/wire.py:_BY_WORDS": "parts of a vendor's messages, which are recognised",
    "sms/providers/smpp/link.py:_end": "an error's detail",
    "sms/opt_out.py:_WORDS": "what clients write, not what they read",
    "gateway/health/shared_metrics.py": "what /metrics says of each figure",
    "gateway/health/outbound_metrics.py": "what /metrics says of each figure",
    "gateway/web/app.py:_rendered": "a header",
    "gateway/web/built_files.py": "headers",
    "gateway/web/render.py:icon": "markup",
    "gateway/web/stream.py:events": "a header",
    "gateway/web/stream.py:_told": "an event of the stream",
}


def errors_of(product: Collection[Parsed]) -> frozenset[str]:
    """Names of all classes that are raised, Python's own and ours."""
    known = {name for name in dir(builtins) if _is_raised(getattr(builtins, name))}
    classes = [node for module in product for node in module.nodes if isinstance(node, ast.ClassDef)]
    while more := {c.name for c in classes if c.name not in known and _bases(c) & known}:
        known |= more
    return frozenset(known)


def _is_raised(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _bases(class_: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).split(".")[-1] for base in class_.bases}


ERRORS = errors_of(modules().values())


def texts_in(module: Parsed) -> Iterator[ast.Constant]:
    """Strings that read like a text and are not said to whoever runs the program."""
    for text in module.texts():
        is_told = not any(_is_for_operators(outer) for outer in module.above(text))
        if is_told and WORDS.search(str(text.value)):
            yield text


def _is_for_operators(outer: ast.AST) -> bool:
    if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return outer.name == "samples"
    if not isinstance(outer, ast.Call):
        return isinstance(outer, (ast.Raise, ast.Assert))
    called = ast.unparse(outer.func)
    name = called.split(".")[-1]
    return (
        name in ERRORS or name in ("bad", "problem") or called.startswith(("super().__init__", "log.", "re."))
    )


@pytest.mark.parametrize(
    "planted",
    [
        'order = CreateTask(text="Call the client back", owner=owner)',
        'note = f"Missed call from {number}"',
        'texts = {"missed": "We missed a call"}',
        'order = order.model_copy(update={"text": "Клиент ждёт звонка"})',
        'def title(): return "Overdue: " + "nobody called"',
        'yield Finding("bad", "the CRM is closed to us")',
        'return web.Response(text="No manager is free")',
    ],
)
def test_a_text_for_people_would_be_seen(planted: str) -> None:
    assert list(texts_in(Parsed(planted)))


@pytest.mark.parametrize(
    "planted",
    [
        'raise ValueError("a call needs at least one event")',
        'err = CrmUnreadable("no tokens in the answer")',
        'log.warning("crm-refuses", why="it is closed to us")',
        '"""What the module does for its reader."""',
        'order = CreateTask(text=texts.say("crm.task.missed"))',
        'key = "crm.task-text"',
    ],
)
def test_what_the_operator_reads_is_let_through(planted: str) -> None:
    assert not list(texts_in(Parsed(planted)))


def test_texts_for_people_stand_in_the_catalogues_only() -> None:
    found = {
        f"{name}:{module.place(node)}": node.value
        for name, module in modules().items()
        if name.startswith(SPEAKING_ROOMS) and not SILENT.search(name)
        for node in texts_in(module)
    }
    allowed = {place for place in found if place in ENGLISH_BY_RULE or place.split(":")[0] in ENGLISH_BY_RULE}
    assert {place: text for place, text in found.items() if place not in allowed} == {}
    known = allowed | {place.split(":")[0] for place in allowed}
    assert ENGLISH_BY_RULE.keys() - known == set(), "nothing is said there any more: take it out of the list"
