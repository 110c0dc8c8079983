"""The tables and pictures of docs/ that follow from the program: `python -m tests.unit.docs.tables` writes them anew.

They stand between `<!-- table: NAME -->` and `<!-- end -->`; everything around them is written by people.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields

from campaigns.reasons import MEMBER_REASONS, ROW_FAULTS
from gateway.pbx import kinds
from gateway.texts.sentences import TEXTS
from routing.attendance.model import AttendanceReason
from routing.dialogues.gaps import GAP_STATES
from routing.dialogues.incoming import INCOMING_REASONS
from routing.dialogues.owner import OWNER_REASONS
from routing.dialogues.sending import SEND_REFUSALS
from routing.distribution.checks.problems import TEMPLATE_PROBLEMS
from routing.distribution.reasons import DISTRIBUTION_REASONS, DISTRIBUTION_STEPS
from routing.lookup.reasons import REASONS, STEP_REASONS
from routing.matrix.checks.problems import SEVERITIES
from routing.matrix.model import CELLS
from routing.matrix.reasons import DECISIONS, OWNERS, STEPS
from routing.matrix.texts import cell_in_words
from routing.matrix.variables import VARIABLES, sample_of
from routing.outbound.dialling import DIAL_REASONS, end_of
from routing.shift_change.reasons import RUN_REASONS, STAY_REASONS
from routing.templates import FILTERS
from routing.triggers.model import CAUSE_KINDS, CONDITION_TESTS
from routing.triggers.problems import TRIGGER_PROBLEMS
from routing.triggers.reasons import FIRING_REASONS, FIRING_STEPS
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import MessageStatus
from sms.channels.port import ChannelCapabilities
from sms.channels.reasons import FAILURE_OF, ChannelReason, ChannelState, FileReason, MessageDoubt
from sms.kinds import SMS_KINDS
from sms.model import SmsState
from sms.port import SmsCapabilities
from sms.reasons import CLASS_OF, SmsDoubt, SmsReason
from sms.recipients import SkipReason
from sms.templates import MACROS, sample_of_macro
from tests.paths import ROOT
from tests.unit.docs import rooms, sources

EN, RU = TEXTS["en"], TEXTS["ru"]
_BLOCK = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(_cell(c) for c in line) + " |\n" for line in lines)


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _settings() -> str:
    rows = [(code(s.name), code(s.default) or "empty", s.what) for s in sources.settings()]
    return table(("Variable", "Default", "Meaning"), rows)


def _lookup_reasons() -> str:
    return table(("Reason", "Meaning"), [(code(c), EN.word("lookup.reason", c)) for c in REASONS])


def _lookup_steps() -> str:
    return table(("Code", "Meaning"), [(code(c), EN.word("lookup.step", c)) for c in STEP_REASONS])


def _matrix_reasons() -> str:
    sets = (("reason", DECISIONS), ("step", STEPS), ("owner", OWNERS))
    rows = [(code(c), *_said(f"matrix.{kind}.{c}")) for kind, codes in sets for c in codes]
    return table(("Code", "Meaning", "По-русски"), rows)


def _distribution_reasons() -> str:
    rows = [(code(c), *_said(f"distribution.reason.{c}")) for c in DISTRIBUTION_REASONS]
    return table(("Reason", "Meaning", "По-русски"), rows)


def _distribution_steps() -> str:
    rows = [(code(c), *_said(f"distribution.step.{c}")) for c in DISTRIBUTION_STEPS]
    return table(("Code", "Meaning", "По-русски"), rows)


def _presence_reasons() -> str:
    rows = [(code(c), *_said(f"presence.reason.{c}")) for c in AttendanceReason]
    return table(("Reason", "Meaning", "По-русски"), rows)


def _outbound_reasons() -> str:
    ends = {"expired": "`expired`", "failed": "`failed`", "dropped": "`dropped`", None: ""}
    rows = [
        (code(c), ends["expired" if c == "expired" else end_of(c)], *_said(f"outbound.reason.{c}"))
        for c in DIAL_REASONS
    ]
    return table(("Reason", "Ends as", "Meaning", "По-русски"), rows)


def _shift_reasons() -> str:
    rows = [(code(c), *_said(f"shift.reason.{c}")) for c in RUN_REASONS]
    return table(("Reason", "Why", "По-русски"), rows)


def _shift_stays() -> str:
    rows = [(code(c), *_said(f"shift.stays.{c}")) for c in STAY_REASONS]
    return table(("Reason", "Why", "По-русски"), rows)


def _said(key: str) -> tuple[str, str]:
    return EN.sentences[key], RU.sentences[key]


def _problems() -> str:
    rows = [
        (code(c), severity, EN.sentences[f"matrix.problem.{c}"], EN.sentences[f"matrix.problem.{c}.remedy"])
        for c, severity in SEVERITIES.items()
    ]
    return table(("Code", "Severity", "What", "What to do"), rows)


def _template_problems() -> str:
    rows = [
        (
            code(c),
            severity,
            _as_written(f"distribution.problem.{c}"),
            _as_written(f"distribution.problem.{c}.remedy"),
        )
        for c, severity in TEMPLATE_PROBLEMS.items()
    ]
    return table(("Code", "Severity", "What", "What to do"), rows)


def _trigger_problems() -> str:
    rows = [
        (
            code(c),
            severity,
            EN.sentences[f"trigger.problem.{c}"],
            EN.sentences[f"trigger.problem.{c}.remedy"],
        )
        for c, severity in TRIGGER_PROBLEMS.items()
    ]
    return table(("Code", "Severity", "What", "What to do"), rows)


def _trigger_words(kind: str, codes: Sequence[str], what: str) -> str:
    rows = [(code(c), *_said(f"trigger.{kind}.{c}")) for c in codes]
    return table((what, "Meaning", "По-русски"), rows)


def _campaign_words(kind: str, codes: Sequence[str], what: str) -> str:
    return table((what, "Meaning", "По-русски"), [(code(c), *_said(f"campaign.{kind}.{c}")) for c in codes])


def _as_written(key: str) -> str:
    """Return the sentence without the forms of its nouns."""
    return re.sub(r"\{(\w+):[^|}]*\|([^|}]*)(\|[^}]*)?\}", r"{\1} \2", EN.sentences[key])


def _cells() -> str:
    return table(("Cell", "По-русски"), [(code(c), cell_in_words(c, RU)) for c in CELLS])


def _actions() -> str:
    rows = [
        (code(do), RU.word("matrix.action", do), "; ".join(code(p.name) + (f" = {code(p.default)}" if p.default else "") for p in given))
        for do, given in sources.actions().items()
    ]  # fmt: skip
    return table(("Action", "По-русски", "Parameters and their defaults"), rows)


def _variables() -> str:
    return table(
        ("Variable", "Что это", "Sample"),
        [(code(n), RU.word("variable", n), sample_of(n, RU)) for n in VARIABLES],
    )


def _filters() -> str:
    return table(("Filter", "Что делает"), [(code(n), RU.word("filter", n)) for n in FILTERS])


def _errors() -> str:
    rows = [(code(e.code), e.status, e.what.split(". ")[0].rstrip(".")) for e in sources.error_codes()]
    return table(("Code", "HTTP", "Meaning"), rows)


def _commands() -> str:
    return "\n".join(_command(c) for c in sources.commands())


def _command(command: sources.Command) -> str:
    said, _, example = command.help.partition("Example:")
    text = f"### callmatrix {command.path}\n\n{said.strip()}\n\n```\n{command.usage}\n```\n"
    if command.options:
        rows = [(code(spelling), code(default), what) for spelling, default, what in command.options]
        text += "\n" + table(("Option", "Default", "Meaning"), rows)
    return text + (f"\nExample: `{example.strip()}`\n" if example else "")


def _routes() -> str:
    rows = [(method, code(path), code(role), summary) for method, path, role, summary in sources.routes()]
    return table(("Method", "Path", "Role", "What"), rows)


def _kinds() -> str:
    rows = [
        (
            code(k),
            code(kinds.KINDS[k].default_dialect),
            ", ".join(code(n) for n in kinds.KINDS[k].keys) or "none",
        )
        for k in kinds.KINDS
    ]
    return table(("Kind", "Dialect", "Secrets besides the token"), rows)


def _metrics() -> str:
    return table(("Metric", "Type", "Meaning"), [(code(m.name), m.type, m.what) for m in sources.metrics()])


def _sms_states() -> str:
    return table(("State", "Meaning", "По-русски"), [(code(s), *_said(f"sms.state.{s}")) for s in SmsState])


def _sms_reasons() -> str:
    rows = [(code(r), code(CLASS_OF[r]), *_said(f"sms.reason.{r}")) for r in SmsReason]
    return table(("Reason", "Class", "Meaning", "По-русски"), rows)


def _sms_doubts() -> str:
    return table(("Code", "Meaning", "По-русски"), [(code(d), *_said(f"sms.doubt.{d}")) for d in SmsDoubt])


def _sms_providers() -> str:
    rows = []
    for k in SMS_KINDS.values():
        others = [name for name in k.settings if name not in k.needed_settings]
        rate = k.capabilities.per_second
        rows.append(
            (
                code(k.kind),
                _codes(k.keys),
                _codes(k.needed_settings),
                _codes([*k.more_keys, *others]),
                f"{rate:g}" if rate else "not told",
                str(k.capabilities.most_parts),
            )
        )
    return table(("Kind", "Keys", "Settings", "May have too", "Requests a second", "Parts"), rows)


def _codes(names: Sequence[str]) -> str:
    return ", ".join(map(code, names)) or "none"


def _sms_abilities() -> str:
    names = [f.name for f in fields(SmsCapabilities) if f.type == "bool"]
    rows = [
        (code(name), *("yes" if getattr(k.capabilities, name) else "" for k in SMS_KINDS.values()))
        for name in names
    ]
    return table(("Ability", *map(code, SMS_KINDS)), rows)


def _sms_skips() -> str:
    return table(("Code", "Meaning", "По-русски"), [(code(r), *_said(f"sms.skip.{r}")) for r in SkipReason])


def _sms_macros() -> str:
    rows = [(code(n), *_said(f"sms.macro.{n}"), sample_of_macro(n, EN)) for n in MACROS]
    return table(("Macro", "Meaning", "По-русски", "Sample"), rows)


def _channel_kinds() -> str:
    rows = []
    for k in CHANNEL_KINDS.values():
        others = [name for name in k.settings if name not in k.needed_settings]
        can = k.capabilities
        window = f"{can.window.total_seconds() / 3600:g} h" if can.window else "none"
        rows.append(
            (
                code(k.kind),
                _codes(k.keys),
                _codes(k.needed_settings),
                _codes([*k.more_keys, *others]),
                f"{can.longest_text} ({can.text_unit})",
                window,
                f"{can.largest_file // 2**20} MiB",
            )
        )
    return table(("Kind", "Keys", "Settings", "May have too", "Longest text", "Window", "Largest file"), rows)


def _channel_abilities() -> str:
    names = [f.name for f in fields(ChannelCapabilities) if f.type == "bool"]
    rows = [
        (code(name), *("yes" if getattr(k.capabilities, name) else "" for k in CHANNEL_KINDS.values()))
        for name in names
    ]
    return table(("Ability", *map(code, CHANNEL_KINDS)), rows)


def _channel_reasons() -> str:
    rows = [(code(r), code(FAILURE_OF[r]), *_said(f"channel.reason.{r}")) for r in ChannelReason]
    return table(("Reason", "Class", "Meaning", "По-русски"), rows)


def _channel_words(of: str, codes: Iterable[str]) -> str:
    return table(("Code", "Meaning", "По-русски"), [(code(c), *_said(f"channel.{of}.{c}")) for c in codes])


def _dialogue_words(of: str, codes: Iterable[str]) -> str:
    return table(("Code", "Meaning", "По-русски"), [(code(c), *_said(f"dialogue.{of}.{c}")) for c in codes])


def _packages() -> str:
    rows = [(code(f"{name}/"), rooms.sentences()[name]) for name in rooms.PACKAGES]
    return table(("Package", "Its one sentence"), rows)


def _rooms(package: str) -> str:
    rows = [(code(room), rooms.sentences()[room]) for room in rooms.rooms_of(package)]
    return table(("Room", "Its one sentence"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "settings": _settings,
    "lookup-reasons": _lookup_reasons,
    "lookup-steps": _lookup_steps,
    "matrix-reasons": _matrix_reasons,
    "distribution-reasons": _distribution_reasons,
    "distribution-steps": _distribution_steps,
    "presence-reasons": _presence_reasons,
    "outbound-reasons": _outbound_reasons,
    "shift-reasons": _shift_reasons,
    "shift-stays": _shift_stays,
    "problems": _problems,
    "template-problems": _template_problems,
    "trigger-problems": _trigger_problems,
    "trigger-events": lambda: _trigger_words("on", CAUSE_KINDS, "Event"),
    "trigger-tests": lambda: _trigger_words("test", CONDITION_TESTS, "Test"),
    "campaign-members": lambda: _campaign_words("member", MEMBER_REASONS, "Reason"),
    "campaign-rows": lambda: _campaign_words("row", ROW_FAULTS, "Fault"),
    "trigger-reasons": lambda: _trigger_words("reason", FIRING_REASONS, "Reason"),
    "trigger-steps": lambda: _trigger_words("step", FIRING_STEPS, "Code"),
    "cells": _cells,
    "actions": _actions,
    "variables": _variables,
    "filters": _filters,
    "errors": _errors,
    "commands": _commands,
    "routes": _routes,
    "kinds": _kinds,
    "metrics": _metrics,
    "sms-providers": _sms_providers,
    "sms-abilities": _sms_abilities,
    "sms-states": _sms_states,
    "sms-reasons": _sms_reasons,
    "sms-doubts": _sms_doubts,
    "sms-skips": _sms_skips,
    "sms-macros": _sms_macros,
    "channel-kinds": _channel_kinds,
    "channel-abilities": _channel_abilities,
    "channel-reasons": _channel_reasons,
    "channel-states": lambda: _channel_words("state", ChannelState),
    "channel-statuses": lambda: _channel_words("status", MessageStatus),
    "dialogue-places": lambda: _dialogue_words("place", INCOMING_REASONS),
    "dialogue-refusals": lambda: _dialogue_words("refusal", SEND_REFUSALS),
    "dialogue-owners": lambda: _dialogue_words("owner", OWNER_REASONS),
    "channel-doubts": lambda: _channel_words("doubt", MessageDoubt),
    "channel-files": lambda: _channel_words("file", FileReason),
    "channel-gaps": lambda: _channel_words("gap", GAP_STATES),
    "packages": _packages,
    "picture": lambda: rooms.picture(rooms.package_arrows()),
    "gateway-picture": lambda: rooms.picture(rooms.room_arrows("gateway")),
    "gateway-rooms": lambda: _rooms("gateway"),
    "crm-rooms": lambda: _rooms("crm"),
    "routing-rooms": lambda: _rooms("routing"),
    "runtime-rooms": lambda: _rooms("runtime"),
    "sms-rooms": lambda: _rooms("sms"),
}


def renewed(text: str) -> str:
    return _BLOCK.sub(lambda m: f"{m[1]}\n{TABLES[m[2]]()}\n{m[3]}", text)


def main() -> None:
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (now := renewed(text)) != text:
            page.write_text(now, encoding="utf-8")
            print(page.relative_to(ROOT), file=sys.stderr)


if __name__ == "__main__":
    main()
