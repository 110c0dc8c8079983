"""A kind of SMS provider is a folder and one line in kinds.py."""

from __future__ import annotations

import ast

import pytest

from sms.kinds import SMS_KINDS
from sms.model import OutboundSms
from sms.port import SmsConnection, SmsKind
from tests.paths import ROOT

FOLDERS = ROOT / "sms" / "providers"


@pytest.mark.parametrize("kind", list(SMS_KINDS.values()), ids=list(SMS_KINDS))
def test_a_kind_stands_in_the_folder_of_its_name(kind: SmsKind) -> None:
    assert type(kind).__module__ == f"sms.providers.{kind.kind}.adapter"


def test_every_folder_stands_in_the_table() -> None:
    assert {folder.name for folder in FOLDERS.iterdir() if (folder / "adapter.py").exists()} == set(SMS_KINDS)


@pytest.mark.parametrize("kind", list(SMS_KINDS.values()), ids=list(SMS_KINDS))
def test_a_kind_names_each_key_and_setting_that_its_folder_reads(kind: SmsKind) -> None:
    read_keys, read_settings = set(), set()
    for file in (FOLDERS / kind.kind).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                called, name = ast.unparse(node.func), node.args[0]
                if isinstance(name, ast.Constant) and called.endswith("keys.get"):
                    read_keys.add(name.value)
                if isinstance(name, ast.Constant) and called.split(".")[-2:][0].endswith("connection"):
                    read_settings.add(name.value)
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("keys"):
                assert isinstance(node.slice, ast.Constant)
                read_keys.add(node.slice.value)
    assert read_keys == {*kind.keys, *kind.more_keys}
    assert read_settings == set(kind.settings)
    assert set(kind.needed_settings) <= set(kind.settings)


def test_a_connection_shows_no_key() -> None:
    connection = SmsConnection(account_id="1", id="1", name="x", kind="smsru", keys={"api_id": "hush"})
    assert "hush" not in repr(connection)


@pytest.mark.parametrize("own_id", [0, -1, 2**31])
def test_an_own_id_is_one_that_every_provider_takes(own_id: int) -> None:
    with pytest.raises(ValueError, match="own_id"):
        OutboundSms(own_id=own_id, number="+79161234567", text="x")


@pytest.mark.parametrize("number", ["79161234567", "101", "+7916", "+7 916 123-45-67", ""])
def test_a_message_goes_to_a_number_in_e164_only(number: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        OutboundSms(own_id=1, number=number, text="x")
