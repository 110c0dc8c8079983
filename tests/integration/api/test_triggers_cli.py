"""Triggers and firings at the command line; the program runs in this process."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.triggers.firing import TriggerDeal, fire_by_name
from gateway.triggers.reading import AccountFirings
from tests.fakes.crm import FakeCrm
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.in_process import Said, typed
from tests.integration.api.test_triggers import in_stage, switched_on

BIG = """
name: big deals
pipeline_id: "1"
stage_id: "20"
events: [{on: price_crossed, amount: 50000}]
conditions: [{of: price, test: at_least, values: [50000]}]
action: {do: callback, connection: office}
"""


async def test_a_trigger_is_saved_from_a_file_shown_again_and_its_history_kept(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    async def at(*words: str, stdin: str = "") -> Said:
        return await typed(database_url, *words, "--account", ACCOUNT, stdin=stdin.encode())

    saved = await at("trigger", "save", "-", "--version", "0", stdin=BIG)
    assert saved.out == "Trigger 'big deals' holds as version 1 and is off.\n", saved
    again = await at("trigger", "save", "-", "--version", "0", stdin=BIG.replace("50000", "60000"))
    assert (again.code, "trigger-conflict" in again.err) == (1, True)
    assert (await at("trigger", "save", "-", stdin=BIG.replace("50000", "60000"))).out.count("version 2")
    file = tmp_path / "big.yaml"
    await at("trigger", "show", "big deals", "--output", str(file))
    assert "amount: 60000" in file.read_text()
    assert (await at("trigger", "save", str(file))).out.count("version 2")
    assert "amount: 50000" in (await at("trigger", "show", "big deals", "--version", "1")).out
    kept = json.loads((await at("trigger", "history", "big deals", "--json")).out)
    assert [line["version"] for line in kept] == [2, 1]
    [listed] = json.loads((await at("trigger", "list", "--json")).out)
    assert (listed["name"], listed["trigger"]["is_on"]) == ("big deals", False)
    assert "бюджет дошёл до суммы" in (await at("trigger", "list")).out
    assert "?trigger=big%20deals" in (await at("trigger", "hook", "big deals")).out
    assert (await at("trigger", "remove", "big deals", "--yes")).out == "Trigger 'big deals' is removed.\n"
    assert (await at("trigger", "list")).out.startswith("There is no trigger.")


async def test_what_is_wrong_is_told_in_the_language_that_is_asked_for(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    async def at(*words: str, stdin: str = "") -> Said:
        return await typed(database_url, "trigger", *words, "--account", ACCOUNT, stdin=stdin.encode())

    await switched_on(api, conditions=[{"of": "responsible", "values": ["employee:gone"]}])
    found = await at("check", "--lang", "en")
    assert (found.code, found.out) == (
        1,
        "big deals: conditions.1: There is no employee gone. Choose an employee who is there.\n",
    )
    [problems] = json.loads((await at("check", "big deals", "--json")).out).values()
    assert (problems[0]["code"], "Сотрудника" in problems[0]["message"]) == ("employee-gone", True)
    draft = tmp_path / "draft.yaml"
    draft.write_text(BIG)
    right = await at("check", "--from", str(draft))
    assert (right.code, right.out) == (0, "big deals: nothing is wrong\n")
    wrong = BIG.replace("[50000]", '["50,000"]')
    refused = await at("save", "-", "--lang", "en", stdin=wrong)
    assert (refused.code, "trigger-not-usable" in refused.err, "is not one number" in refused.err) == (
        1,
        True,
        True,
    )
    assert "holds as version 2 and is off" in (await at("off", "big deals")).out


async def test_a_trigger_is_applied_after_its_preview_and_each_firing_is_explained(
    api: Api, database_url: str
) -> None:
    async def at(*words: str) -> Said:
        return await typed(database_url, *words, "--account", ACCOUNT, "--lang", "en")

    dear = {"of": "price", "test": "above", "values": ["50 000"]}
    await switched_on(api, conditions=[dear])
    await in_stage(api, "1", "2", "3", prices={"1": "60000", "2": "100"})
    unsure = await at("trigger", "apply", "big deals")
    assert (unsure.code, "nobody answered" in unsure.err) == (1, True)
    assert "3 open deals stand there now" in unsure.out
    assert "2  the deal does not meet the conditions" in unsure.out
    assert "Of 1 deal only the CRM knows" in unsure.out
    assert (await api.ask("GET", "{a}/work"))["items"] == []
    pressed = json.loads((await at("trigger", "apply", "big deals", "--json")).out)
    assert pressed["preview"]["deals"] == 3
    assert [w["id"] for w in (await api.ask("GET", "{a}/work"))["items"]] == [pressed["work"]]

    async with api.pool.acquire() as conn, conn.transaction():
        await fire_by_name(conn, ACCOUNT, "big deals", [TriggerDeal("7", ("1", "20"))])
    await AccountFirings(api.pool, ACCOUNT, FakeCrm()).turn()
    [fired] = json.loads((await at("firings", "list", "--deal", "7", "--json")).out)
    assert "the deal is not in the CRM any more" in (await at("firings", "list")).out
    told = await at("firings", "show", fired["firing_id"])
    assert "deal 7: the deal is not in the CRM any more" in told.out
    assert "what happened: cause: entered" in told.out
    explained = await typed(database_url, "explain", fired["firing_id"], "--lang", "en")
    assert (explained.code, "trigger" in explained.out) == (0, True), explained
    by_api = await api.ask("GET", f"/decisions/{fired['firing_id']}", lang="en")
    assert (by_api["kind"], by_api["outcome"]["deal"]) == ("trigger", "7")
