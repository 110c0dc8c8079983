"""Rights, default channels, visibility and files of messenger channels at the command line, as whoever runs the installation has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.fakes.channels.sandbox import client_message
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix
from tests.integration.api.test_channels import connected, told
from tests.integration.api.test_chat_files import bring, with_file
from tests.integration.channels.test_files_in import PNG


async def typed(url: str, *words: str) -> Any:
    done = await callmatrix(url, *words, "--account", ACCOUNT, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def refused(url: str, *words: str) -> str:
    done = await callmatrix(url, *words, "--account", ACCOUNT)
    assert done.returncode == 1, done.stdout
    return " ".join(done.stderr.split())


async def test_rights_are_listed_and_the_channel_to_write_from_is_chosen(api: Api, database_url: str) -> None:
    first, second = await connected(api, name="One"), await connected(api, name="Two")
    await typed(database_url, "channel", "share", "One", "--right", "anna=send")
    await typed(database_url, "channel", "share", "Two", "--right", "anna=send", "--right", "boss=read")

    async def stars() -> list[tuple[str, str, bool]]:
        listed = await typed(database_url, "channel", "rights")
        return [(r["channel_name"], r["employee"], r["is_default"]) for r in listed]

    assert await stars() == [("One", "anna", True), ("Two", "anna", False), ("Two", "boss", False)]
    await typed(database_url, "channel", "default", "Two", "anna")
    assert await stars() == [("One", "anna", False), ("Two", "anna", True), ("Two", "boss", False)]
    one = await typed(database_url, "channel", "rights", first["id"])
    assert [(r["channel"], r["may"]) for r in one] == [(first["id"], "send")]
    assert "'boss' may not send in 'Two'" in await refused(database_url, "channel", "default", "Two", "boss")
    unknown = await refused(database_url, "channel", "default", "Two", "nobody")
    assert "there is no employee 'nobody'" in unknown
    assert "callmatrix employees list" in unknown
    assert "may not" not in unknown
    rights = (await api.ask("GET", f"{{a}}/channels/{second['id']}/rights"))["items"]
    assert {r["employee"]: r["is_default"] for r in rights} == {"anna": True, "boss": False}


async def test_who_sees_the_dialogues_of_others_is_said_and_shown(api: Api, database_url: str) -> None:
    await connected(api, name="One")
    await typed(database_url, "channel", "share", "One", "--right", "anna=read", "--right", "boss=send")
    assert await typed(database_url, "channel", "visibility") == {"visibility": "all", "observers": []}
    await typed(database_url, "channel", "visibility", "--see", "own")
    chosen = {"visibility": "own", "observers": ["anna"]}
    assert await typed(database_url, "channel", "visibility", "--observer", "anna") == chosen
    listed = await typed(database_url, "channel", "rights")
    assert {r["employee"]: r["is_observer"] for r in listed} == {"anna": True, "boss": False}
    assert (await api.ask("GET", "{a}/settings"))["dialogues"]["visibility"] == "own"
    await refused(database_url, "channel", "visibility", "--observer", "gone")
    assert await typed(database_url, "channel", "visibility") == chosen
    nobody = {"visibility": "own", "observers": []}
    assert await typed(database_url, "channel", "visibility", "--observer", "") == nobody


async def test_a_file_is_listed_saved_and_fetched_again(api: Api, database_url: str, tmp_path: Path) -> None:
    channel = await connected(api, name="One")
    await told(
        api,
        channel,
        with_file("m1", "image", name="a.png"),
        with_file("m2", "image", name="b.png", size=10**9),
        client_message("m3"),
    )
    await bring(api, channel["id"], m1=PNG)
    files = await typed(database_url, "channel", "files", "--channel", "One")
    by_name = {f["name"]: f for f in files}
    assert {name: (f["state"], f["reason"]) for name, f in by_name.items()} == {
        "a.png": ("kept", ""),
        "b.png": ("refused", "too-large"),
    }
    lost = str(by_name["b.png"]["id"])
    here, place = str(by_name["a.png"]["id"]), tmp_path / "a.png"
    in_words = await callmatrix(
        database_url,
        "channel",
        "files",
        "--state",
        "refused",
        "--lang",
        "en",
        "--account",
        ACCOUNT,
        COLUMNS="300",
    )
    assert "larger than we take" in in_words.stdout
    assert "a.png" not in in_words.stdout
    await typed(database_url, "channel", "file", here, "--to", str(place))
    assert place.read_bytes() == PNG
    again = await refused(database_url, "channel", "file", here, "--to", str(place))
    assert "is there already" in again
    missing = await refused(database_url, "channel", "file", lost, "--to", str(tmp_path / "b.png"))
    assert "callmatrix channel refetch" in missing
    await typed(database_url, "channel", "refetch", lost)
    [waiting] = await typed(database_url, "channel", "files", "--state", "waiting")
    assert waiting["name"] == "b.png"
    assert "being fetched" in await refused(database_url, "channel", "refetch", lost)
    told_of = await api.ask("GET", "/audit", what="message")
    assert [(e["action"], e["after"]) for e in told_of["items"]] == [("refetched", {"file": int(lost)})]


async def test_rules_are_told_as_they_are_typed(api: Api, database_url: str) -> None:
    await connected(api, name="One")
    rules = ["authors.p1=anna", "authors.p2=boss", "employees=anna,boss", "keeps_deleted_text=true"]
    typed_rules = [word for rule in rules for word in ("--rule", rule)]
    done = await callmatrix(database_url, "channel", "set", "One", *typed_rules, "--account", ACCOUNT)
    assert done.returncode == 0, done.stderr
    told = {line.strip().replace(": ", "=") for line in done.stdout.splitlines()}
    assert told >= set(rules)
