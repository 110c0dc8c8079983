"""What a connection may be made of."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from gateway.admin.connections import ConnectionOrder, judged, lines_of, sends_keys_elsewhere
from gateway.admin.refused import InputRefused
from gateway.pbx.connection_settings import settings_of
from gateway.pbx.dialects import DIALECT_SETTINGS
from gateway.pbx.kinds import KINDS
from routing.settings import NumberPolicy
from tests.paths import ROOT
from tests.unit.docs.sources import connection_settings
from tests.unit.gateway.pbx.builders import a_connection


def test_our_lines_are_kept_in_one_spelling() -> None:
    assert lines_of(["8 (495) 123-45-67", "+74951234567"], NumberPolicy(region="RU")) == ("+74951234567",)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"kind": "nonsense"}, "kind"),
        ({"kind": "mango", "dialect": "nonsense"}, "dialect"),
        ({"kind": "mango", "keys": {"api_kye": "z"}}, "keys"),
        ({"kind": "mango", "settings": {"ami_host": "x"}}, "settings"),
        ({"kind": "asterisk", "settings": {"context": "x"}}, "settings"),
        ({"kind": "freeswitch", "settings": {"call_id_field": "x"}}, "settings"),
        ({"kind": "mango", "dialect": "sipgate", "settings": {"sip_uri": "x"}}, "settings"),
    ],
)
def test_a_name_that_nothing_reads_is_refused_with_those_that_are(order: dict[str, Any], field: str) -> None:
    with pytest.raises(InputRefused) as refused:
        judged(ConnectionOrder(name="x", **order), NumberPolicy(), KINDS, order.get("dialect"))
    assert refused.value.field == field
    assert refused.value.remedy.startswith("known: ")


def test_what_is_no_number_is_no_line() -> None:
    with pytest.raises(InputRefused, match="not a phone number"):
        lines_of(["nonsense"], NumberPolicy(region="RU"))


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "kamailio", "dialect": "json", "settings": {"sip_uri": "sip:{address}@x"}},
        {"kind": "asterisk", "dialect": "sipgate", "settings": {"events_url": "http://x"}},
        {"kind": "generic", "settings": {"bridge": "user/{address}", "answer_key": "to"}},
    ],
)
def test_what_the_kind_reads_or_its_answers_is_taken(order: dict[str, Any]) -> None:
    assert judged(ConnectionOrder(name="x", **order), NumberPolicy(), KINDS, order.get("dialect")) == ()


_READ = {"get", "whole", "words", "switch", "text"}


def _settings_read_in(folder: str) -> set[str]:
    """Names that modules of this folder read of a connection's settings."""
    files = (ROOT / "gateway/pbx" / folder).glob("*.py")
    calls = [n for f in files for n in ast.walk(ast.parse(f.read_text())) if isinstance(n, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in _READ
        and ast.unparse(call.func.value) in ("connection", "connection.settings", "self._connection")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_setting_that_a_vendors_folder_reads_stands_with_its_kind(kind: str) -> None:
    own = {**KINDS[kind].settings, **settings_of(KINDS[kind], None)}
    assert _settings_read_in(kind) - own.keys() == set()


def test_every_setting_that_is_read_can_be_given() -> None:
    dialects = (None, *DIALECT_SETTINGS)
    taken = {name for kind in KINDS.values() for dialect in dialects for name in settings_of(kind, dialect)}
    assert connection_settings() - taken == set()


def test_the_settings_of_asterisk_are_seen_to_be_read() -> None:
    assert len(_settings_read_in("asterisk")) > 4


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("asterisk", "ami_host"),
        ("freeswitch", "esl_host"),
        ("freeswitch", "esl_port"),
        ("generic", "originate_url"),
    ],
)
def test_stored_keys_go_to_no_address_that_they_were_not_given_for(kind: str, setting: str) -> None:
    now = a_connection(kind, keys={"any": "key"}, settings={setting: "10.0.0.5"})
    assert sends_keys_elsewhere(now, {setting: "10.0.0.6"})
    assert not sends_keys_elsewhere(now, {setting: "10.0.0.5"})
    assert not sends_keys_elsewhere(a_connection(kind), {setting: "10.0.0.6"})
