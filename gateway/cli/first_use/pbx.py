"""The sixth step of `init`: a connection for the PBX, and the text to paste there."""

from __future__ import annotations

from dataclasses import replace

from gateway.admin import connections
from gateway.admin.connections import ConnectionOrder, pbx_instructions
from gateway.admin.refused import NameTaken
from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.pbx.connection import Connection
from gateway.pbx.kinds import KINDS
from gateway.settings import Settings
from gateway.store.admin import accounts as rows
from gateway.store.admin.accounts import Account
from runtime.tokens import new_secret

_ALL = ("connection", "kind", "lines", "keys", "settings")
_AGAIN = {field: (field,) for field in _ALL} | {"name": ("connection",)}


def pbx(guide: FirstUse) -> InitOutcome:
    account, talk, wanted = _account(guide), guide.talk, guide.answers.connection
    there = guide.on_database(lambda conn: rows.connections(conn, account.id))
    if known := next((c for c in there if wanted in (None, c.name)), None):
        _refuse_another(guide, account, known)
        guide.connection = known.name
        talk.say("pbx.found", name=known.name, kind=known.kind)
        return "found"
    if not guide.answers.kind and not talk.is_person:
        talk.say("pbx.left")
        return "left"
    taken = frozenset(c.name for c in guide.on_database(rows.connections))
    added, secret = guide.until_right(lambda: _add(guide, account, taken), *_ALL, again=_AGAIN)
    guide.connection = added.name
    talk.say("pbx.secret", name=added.name, secret=secret)
    text = pbx_instructions(added.kind, added.name, secret, Settings().base_url, KINDS)
    talk.lines(text.splitlines())
    return "done"


def _refuse_another(guide: FirstUse, account: Account, there: Connection) -> None:
    """Raise Failure where options tell of another PBX, or of other settings, than the connection that is there has."""
    given = guide.answers
    guide.refuse_other("--kind", given.kind, there.kind, "pbx", name=there.name)
    if given.lines:
        told = ", ".join(sorted(_lines(",".join(given.lines), account)))
        guide.refuse_other("--line", told, ", ".join(sorted(there.lines)), "connection", name=there.name)
    for name, value in given.settings.items():
        held = there.settings.get(name)
        known = f"{name}={'' if held is None else held}"
        guide.refuse_other("--setting", f"{name}={value}", known, "connection", name=there.name)
    for name, value in given.keys.items():
        if there.keys.get(name) != value:
            guide.refuse_other("--key", f"{name}=…", f"{name}", "connection", name=there.name)


def _account(guide: FirstUse) -> Account:
    assert guide.account is not None
    return guide.account


def _add(guide: FirstUse, account: Account, taken: frozenset[str]) -> tuple[Connection, str]:
    order = _order(guide, account, taken)
    secret = new_secret()
    added = guide.on_database(lambda conn: connections.add_connection(conn, account.id, order, secret, KINDS))
    return added, secret


def _order(guide: FirstUse, account: Account, taken: frozenset[str]) -> ConnectionOrder:
    """Ask for what is missing, each answer judged as it is given."""

    def judge_name(told: str) -> None:
        connections.refuse_bad_connection_name(told)
        if told in taken:
            raise NameTaken("connection", told)

    talk, choices = guide.talk, ", ".join(sorted(KINDS))
    guide.answer("kind", "pbx.ask-kind", default="generic", judge=_judge_kind, kinds=choices)
    guide.answer("connection", "pbx.ask-name", default="office", judge=judge_name)
    if not guide.answers.lines and talk.is_person:
        told = talk.ask("pbx.ask-lines", judge=lambda text: _lines(text, account))
        guide.answers = replace(guide.answers, lines=_lines(told, account))
    given = guide.answers
    kind, name = given.kind or "generic", given.connection or "office"
    keys = dict(given.keys)
    for key in KINDS[kind].keys if talk.is_person and kind in KINDS else ():
        if key not in keys and (value := talk.ask("pbx.ask-key", is_secret=True, name=key)):
            keys[key] = value
    return ConnectionOrder(name=name, kind=kind, lines=given.lines, keys=keys, settings=given.settings)


def _judge_kind(told: str) -> None:
    connections.refuse_unknown_kind(told, KINDS)


def _lines(text: str, account: Account) -> tuple[str, ...]:
    """Return them as E.164. Raise InputRefused for the first that is no phone number."""
    policy = account.settings.numbers.model_copy(update={"region": account.region})
    return tuple(connections.lines_of([line.strip() for line in text.split(",") if line.strip()], policy))
