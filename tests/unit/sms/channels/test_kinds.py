"""A kind of messenger channel is a folder and one line in kinds.py."""

from __future__ import annotations

import ast

import pytest

from sms.channels.kinds import CHANNEL_KINDS
from sms.channels.port import ChannelKind, MessengerChannel, TextUnit
from sms.channels.sending import OutgoingMessage
from tests.paths import ROOT

FOLDERS = ROOT / "sms" / "channels"
each_kind = pytest.mark.parametrize("kind", list(CHANNEL_KINDS.values()), ids=list(CHANNEL_KINDS))


@each_kind
def test_a_kind_stands_in_the_folder_of_its_name(kind: ChannelKind) -> None:
    assert type(kind).__module__ == f"sms.channels.{kind.kind}.adapter"


def test_every_folder_stands_in_the_table() -> None:
    there = {folder.name for folder in FOLDERS.iterdir() if (folder / "adapter.py").exists()}
    assert there == set(CHANNEL_KINDS)


@each_kind
def test_a_kind_names_each_key_and_setting_that_its_folder_reads(kind: ChannelKind) -> None:
    read_keys, read_settings = set(), set()
    for file in (FOLDERS / kind.kind).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            called, name = ast.unparse(node.func), node.args[0]
            if not isinstance(name, ast.Constant):
                continue
            if called.endswith("keys.get"):
                read_keys.add(name.value)
            if called.split(".")[-2:][0].endswith("channel"):
                read_settings.add(name.value)
    assert read_keys == {*kind.keys, *kind.more_keys}
    assert read_settings - {"base_url"} == set(kind.settings)
    assert set(kind.needed_settings) <= set(kind.settings)


def test_a_channel_shows_no_key() -> None:
    channel = MessengerChannel(account_id="1", id="1", name="x", kind="sandbox", keys={"token": "hush"})
    assert "hush" not in repr(channel)


@pytest.mark.parametrize("key", ["", "a b", "ключ", "x" * 65, "a\n"])
def test_a_key_is_one_that_every_vendor_takes(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        OutgoingMessage(key=key, chat_id="7", text="x")


def test_a_message_goes_somewhere() -> None:
    with pytest.raises(ValueError, match="chat"):
        OutgoingMessage(key="k", chat_id="", text="x")


def test_a_text_is_as_long_as_its_vendor_counts() -> None:
    family = "Ы😀"
    lengths = {unit: unit.length(family) for unit in TextUnit}
    assert lengths == {TextUnit.CHARACTER: 2, TextUnit.UTF16: 3, TextUnit.BYTE: 6}
