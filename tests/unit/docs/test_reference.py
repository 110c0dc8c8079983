"""The reference names everything that the program has. Renew its tables with `python -m tests.unit.docs.tables`."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from gateway.pbx.dialects import DIALECTS
from gateway.pbx.kinds import KINDS
from routing.dialogues.incoming import INCOMING_REASONS
from routing.dialogues.owner import OWNER_REASONS
from routing.distribution.checks.problems import TEMPLATE_PROBLEMS
from routing.distribution.reasons import DISTRIBUTION_REASONS, DISTRIBUTION_STEPS
from routing.lookup.reasons import REASONS, STEP_REASONS
from routing.matrix.checks.problems import SEVERITIES
from routing.matrix.model import CELLS
from routing.matrix.presets import PRESETS
from routing.matrix.reasons import DECISIONS, OWNERS, STEPS
from routing.matrix.variables import VARIABLES
from routing.missed_calls import CaseReason
from routing.templates import FILTERS
from routing.triggers.model import CAUSE_KINDS, CONDITION_TESTS
from routing.triggers.problems import TRIGGER_PROBLEMS
from routing.triggers.reasons import FIRING_REASONS, FIRING_STEPS
from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.model import MessageStatus
from sms.channels.reasons import ChannelReason, ChannelState, MessageDoubt
from sms.kinds import SMS_KINDS
from sms.model import SmsState
from sms.reasons import SmsDoubt, SmsReason
from sms.recipients import SkipReason
from sms.templates import MACROS
from tests.paths import ROOT
from tests.unit.docs import sources
from tests.unit.docs.tables import TABLES

REFERENCE = ROOT / "docs" / "reference"
RENEW = "run: .venv/bin/python -m tests.unit.docs.tables"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def missing(names: list[str], text: str) -> list[str]:
    """Those that do not stand in the text between back-quotes."""
    quoted = set(re.findall(r"`([^`\n]+)`", text))
    return [name for name in names if name not in quoted]


def test_every_setting_of_a_process_stands_with_its_default() -> None:
    text = page("settings.md")
    for setting in sources.settings():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{setting.name}` |")), "")
        default = f"`{setting.default}`" if setting.default else "empty"
        assert f"| {default} |" in row, f"{setting.name} = {default}; {RENEW}"


def test_every_setting_of_an_account_stands() -> None:
    assert missing([s.name for s in sources.account_settings()], page("settings.md")) == []


def test_every_setting_of_a_connection_stands() -> None:
    read = sorted(sources.connection_settings())
    assert {"ami_host", "routes_calls"} <= set(read)
    assert missing(read, page("settings.md")) == []


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        pytest.param([*REASONS, *STEP_REASONS], "reasons.md", id="lookup"),
        pytest.param([*DECISIONS, *STEPS, *OWNERS], "reasons.md", id="matrix"),
        pytest.param(list(get_args(CaseReason)), "reasons.md", id="case"),
        pytest.param([*DISTRIBUTION_REASONS, *DISTRIBUTION_STEPS], "reasons.md", id="distribution"),
        pytest.param(list(SEVERITIES), "matrix.md", id="checks"),
        pytest.param(
            [*CAUSE_KINDS, *CONDITION_TESTS, *TRIGGER_PROBLEMS, *FIRING_REASONS, *FIRING_STEPS],
            "triggers.md",
            id="triggers",
        ),
        pytest.param(list(TEMPLATE_PROBLEMS), "distribution.md", id="checks of templates"),
        pytest.param(sources.template_fields(), "distribution.md", id="templates"),
        pytest.param([*CELLS, *PRESETS], "matrix.md", id="cells"),
        pytest.param(list(VARIABLES), "matrix.md", id="variables"),
        pytest.param(list(FILTERS), "matrix.md", id="filters"),
        pytest.param([e.code for e in sources.error_codes()], "errors.md", id="errors"),
        pytest.param([m.name for m in sources.metrics()], "metrics.md", id="metrics"),
        pytest.param([*KINDS, *DIALECTS], "http.md", id="kinds"),
        pytest.param(
            [
                *CHANNEL_KINDS,
                *MessageStatus,
                *ChannelReason,
                *ChannelState,
                *MessageDoubt,
                *INCOMING_REASONS,
                *OWNER_REASONS,
            ],
            "channels.md",
            id="channels",
        ),
        pytest.param(
            [*SMS_KINDS, *SmsState, *SmsReason, *SmsDoubt, *SkipReason, *MACROS], "sms.md", id="sms"
        ),
    ],
)
def test_every_code_stands(codes: list[str], name: str) -> None:
    assert len(codes) > 5
    assert missing([str(code) for code in codes], page(name)) == [], RENEW


def test_what_a_code_means_does_not_hang_on_the_order_of_files() -> None:
    trees = sources.trees()
    backwards = dict(reversed(list(trees.items())))
    assert sources.error_codes(backwards) == sources.error_codes(trees)


def test_every_action_of_the_matrix_stands_with_its_parameters() -> None:
    text = page("matrix.md")
    for do, parameters in sources.actions().items():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{do}` |")), "")
        assert missing([p.name for p in parameters], row) == [], f"{do}; {RENEW}"


def test_every_command_stands_with_its_options() -> None:
    text = page("commands.md")
    for command in sources.commands():
        section = text.partition(f"### callmatrix {command.path}\n")[2].partition("\n### ")[0]
        assert section, f"callmatrix {command.path}; {RENEW}"
        assert missing([spelling for spelling, *_ in command.options], section) == [], (
            f"{command.path}; {RENEW}"
        )


def test_every_command_has_an_example_in_its_help() -> None:
    without = [c.path for c in sources.commands() if "Example: " not in c.help]
    assert without == []


def test_every_address_of_the_admin_api_stands_with_its_method() -> None:
    rows = set(re.findall(r"^\| (\w+) \| `([^`]+)` \|", page("http.md"), re.MULTILINE))
    assert [f"{m} {p}" for m, p, *_ in sources.routes() if (m, p) not in rows] == [], RENEW


def test_nothing_stands_that_is_not_there_any_more() -> None:
    commands = re.findall(r"^### callmatrix (.+)$", page("commands.md"), re.MULTILINE)
    assert sorted(commands) == [c.path for c in sources.commands()], RENEW
    rows = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", page("http.md"), re.MULTILINE)
    assert set(rows) == {(m, p) for m, p, *_ in sources.routes()}, RENEW


def test_every_table_is_used_and_every_mark_is_known() -> None:
    marks: set[str] = set()
    for file in (ROOT / "docs").rglob("*.md"):
        marks |= set(re.findall(r"<!-- table: ([a-z-]+) -->", file.read_text(encoding="utf-8")))
    assert marks == set(TABLES)
