"""Every kind has a recipe; its files can be read by whom they are for, and speak of settings that exist."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest

from gateway.pbx.kinds import KINDS
from gateway.pbx.ringostat.wire import moment_of, webhook_events
from tests.paths import ROOT
from tests.unit.gateway.pbx.builders import RECEIVED, a_connection, a_request

RECIPES = ROOT / "deploy" / "pbx"
CODE = "\n".join(file.read_text() for file in (ROOT / "gateway").rglob("*.py"))


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_recipe(kind: str) -> None:
    text = (RECIPES / kind / "README.md").read_text()
    assert f"--kind {kind}" in text


@pytest.mark.parametrize("file", sorted(RECIPES.rglob("*.xml")), ids=lambda file: file.name)
def test_xml_is_well_formed_and_names_our_paths(file: Path) -> None:
    values = [e.get("value") or e.get("data") or "" for e in ElementTree.parse(file).iter()]
    urls = [url for value in values for url in re.findall(r"https://\S+", value)]
    assert urls
    for url in urls:
        assert re.fullmatch(r"/pbx/fs/(lookup|events)", urlsplit(url).path), url
        assert ("token", "SECRET") in parse_qsl(urlsplit(url).query), url


def test_the_answer_that_freeswitchs_dialplan_posts_is_understood() -> None:
    text = (RECIPES / "freeswitch" / "10_callmatrix.xml").read_text()
    url = re.search(r"curl (https://\S+) post", text)
    assert url is not None
    filled = url.group(1).replace("&amp;", "&")
    for name, value in {
        "callmatrix_call": "a-1",
        "callmatrix_from": "79001234567",
        "callmatrix_to": "74951234567",
        "url_encode(${dialed_user})": "101",
    }.items():
        filled = filled.replace(f"${{{name}}}", value)
    assert "${" not in filled
    query = dict(parse_qsl(urlsplit(filled).query))
    (event,) = KINDS["freeswitch"].parse(a_request(query=query), a_connection("freeswitch")).events
    assert (event.kind, event.call_key, event.party, event.client) == (
        "answered",
        "a-1",
        "101",
        "79001234567",
    )


@pytest.mark.parametrize("kind", ["ringostat", "mango", "freeswitch"])
def test_settings_of_a_recipe_exist(kind: str) -> None:
    table = (RECIPES / kind / "README.md").read_text().partition("## Settings of the connection")[2]
    rows = [line.split("|")[1] for line in table.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    names = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]
    assert len(names) >= 3
    for name in names:
        assert f'"{name}"' in CODE, name


def test_every_moment_in_ringostats_recipe_is_understood() -> None:
    text = (RECIPES / "ringostat" / "README.md").read_text()
    moments = re.findall(r"/events/([a-z]+)\?token", text)
    assert len(moments) == 4
    told = {"call_id": "1", "caller": "380671112233", "destination": "380441112233", "call_type": "in"}
    pbx = a_connection("ringostat")
    kinds = [webhook_events(moment_of(told, m), told, RECEIVED, pbx)[0].kind for m in moments]
    assert kinds == ["started", "answered", "rang", "summary"]
