"""Every recorded call of a real Asterisk, heard by the real processes over the manager interface, and what it leaves in the CRM."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from gateway.demo import data
from gateway.store.admin.accounts import change_connection
from routing.calls.model import FailedSide
from routing.matrix.actions import Attach
from routing.matrix.model import Matrix
from routing.matrix.presets import recommended
from tests.e2e.features.office import API, Office
from tests.e2e.stack import ACCOUNT, running_stack
from tests.integration.asterisk.fake_ami import FakeAmi, fake_ami
from tests.unit.gateway.pbx.recorded_calls import (
    LINES,
    NOT_CONNECTED,
    OWN_MOBILE,
    TRUNKS,
    TRUTH,
    UNREACHED,
    Truth,
    raw_recording,
)
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

MISSED = "voicemail"
"""A client who was missed, before somebody calls back."""
CALL_BACKS = tuple(
    name for name in TRUTH if name.startswith("click_") or name == "callback_from_an_own_mobile"
)
INBOUND = tuple(name for name, truth in TRUTH.items() if truth.direction == "inbound")
OUTBOUND = tuple(name for name, truth in TRUTH.items() if truth.direction == "outbound")
# The sample data's contacts without deals and leads: what is called is known, who calls is new.
BESIDE = {truth.beside for truth in TRUTH.values()}
KNOWN = [c for n in range(1, 50) if n % 3 and n % 10 and (c := f"7900{n:07d}") not in BESIDE]
MINUTE = 60
WITH_A_MOBILE = {
    "name": "Менеджер 109",
    "email": "manager109@demo.example",
    "extensions": ["109"],
    "sip": ["user109"],
    "numbers": [f"+{OWN_MOBILE}"],
}


@dataclass(frozen=True)
class Scene:
    """One recording, of a client of its own. ago: seconds before now that it ended."""

    name: str
    client: str
    ago: float = 0
    copy: str = ""

    @property
    def truth(self) -> Truth:
        return TRUTH[self.name]

    def said(self, now: float) -> bytes:
        """What Asterisk said, as if it had been just now."""
        raw = raw_recording(self.name)
        if self.truth.client:
            raw = raw.replace(self.truth.client[-10:].encode(), self.client[-10:].encode())
        raw = raw.replace(b": a-179", f": {self.copy}a-179".encode())
        last = max(float(at) for at in re.findall(rb"Timestamp: ([\d.]+)", raw))
        later = now - self.ago - last
        return re.sub(rb"(Timestamp: )([\d.]+)", lambda m: m[1] + f"{float(m[2]) + later:.6f}".encode(), raw)


def scenes() -> dict[str, Scene]:
    known = iter(KNOWN)
    found = {}
    for n, name in enumerate(TRUTH):
        client = next(known) if name in OUTBOUND else f"7905001{n:04d}"
        found[name] = Scene(name, client)
    return found


SCENES = scenes()


def with_notes_of_unanswered_calls() -> Matrix:
    """The recommended matrix, and a note of every outgoing call that came to nothing."""
    matrix = recommended()
    table = matrix.tables["default"]
    notes = {cell: (Attach(),) for cell in table.cells if cell.startswith("outbound.missed.")}
    table = table.model_copy(update={"cells": {**table.cells, **notes}})
    return matrix.model_copy(update={"tables": {"default": table}})


@dataclass
class Heard:
    """The office after all scenes. calls: of the journal, as the API gives them."""

    office: Office
    calls: list[dict[str, Any]]

    def of(self, client: str) -> list[dict[str, Any]]:
        return sorted((c for c in self.calls if c["client"] == f"+{client}"), key=lambda c: c["started_at"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heard(
    postgres_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Heard]:
    admin = await asyncpg.connect(postgres_url)
    await admin.execute(f'CREATE DATABASE recorded_calls TEMPLATE "{template_database}"')
    url = postgres_url.rsplit("/", 1)[0] + "/recorded_calls"
    try:
        folder = tmp_path_factory.mktemp("recorded")
        async with fake_ami() as ami, running_stack(folder, url, lines=LINES) as stack:
            office = Office(stack)
            await office.open()
            await office.use(with_notes_of_unanswered_calls())
            await office.stack.api("PUT", f"{API}/employees/manager109", body=WITH_A_MOBILE)
            await _listen(office, ami)
            await _tell(office, ami)
            yield Heard(office, await _journal(office))
    finally:
        await admin.execute("DROP DATABASE IF EXISTS recorded_calls WITH (FORCE)")
        await admin.close()


async def _listen(office: Office, ami: FakeAmi) -> None:
    async with office.stack.pool.acquire() as conn:
        await conn.execute("UPDATE connection SET lines = $1 WHERE connection_id = 'asterisk'", list(LINES))
        await change_connection(
            conn,
            "asterisk",
            keys={"ami_user": "callmatrix", "ami_secret": ami.secret},
            settings={"ami_host": "127.0.0.1", "ami_port": ami.port, "trunks": TRUNKS},
        )
    await ami.until_links(1, seconds=30)


async def _tell(office: Office, ami: FakeAmi) -> None:
    """First those who are missed and called back afterwards, then all, one after the other."""
    now = time.time()
    for n, name in enumerate(CALL_BACKS):
        client = SCENES[name].client
        truth = TRUTH[MISSED]
        assert truth.client
        ami.pour(Scene(MISSED, client, ago=10 * MINUTE, copy=f"m{n}-").said(now))
    await until(
        lambda: office.stack.pool.fetchval("SELECT count(*) = $1 FROM missed_case", len(CALL_BACKS)),
        "all who are called back have been missed",
        seconds=30,
    )
    await office.idle()
    for scene in SCENES.values():
        ami.pour(scene.said(time.time()))
    for name, scene in SCENES.items():
        if scene.truth.client:
            await until(partial(_is_over, office, scene.client), f"{name} is over", seconds=30)
    await office.idle()


async def _is_over(office: Office, client: str) -> bool:
    sql = "SELECT coalesce(bool_and(is_over), false) FROM call WHERE client = $1"
    return bool(await office.stack.pool.fetchval(sql, f"+{client}"))


async def _journal(office: Office) -> list[dict[str, Any]]:
    page = await office.stack.api("GET", f"{API}/calls", limit="500")
    assert page["next"] is None
    return list(page["items"])


async def test_no_client_has_a_call_too_many(heard: Heard) -> None:
    beside = [f"+{truth.beside}" for truth in TRUTH.values() if truth.beside]
    wanted = sorted(
        beside
        + [f"+{s.client}" for s in SCENES.values() if s.truth.client]
        + [f"+{SCENES[n].client}" for n in CALL_BACKS]
    )
    assert sorted(c["client"] for c in heard.calls if c["client"]) == wanted


@pytest.mark.parametrize("name", INBOUND + OUTBOUND)
async def test_the_journal_holds_the_call_as_it_was(heard: Heard, name: str) -> None:
    truth = SCENES[name].truth
    call = heard.of(SCENES[name].client)[-1]
    assert (call["direction"], call["is_over"]) == (truth.direction, True)
    assert [talk["party"] for talk in call["talks"]] == list(truth.talks)
    assert (call["disposition"] == "answered") is bool(truth.talks)
    assert abs(call["talk_seconds"] - truth.seconds) <= 1
    assert call["failed_side"] == UNREACHED.get(name)
    assert call["params"].get("not_connected") == NOT_CONNECTED.get(name)


async def test_internal_calls_have_no_client_and_leave_nothing(heard: Heard) -> None:
    internal = [c for c in heard.calls if c["client"] is None]
    assert {c["direction"] for c in internal} == {"internal"}, internal
    effects = await heard.office.stack.pool.fetchval(
        "SELECT count(*) FROM effect WHERE call_id = ANY($1)", [c["call_id"] for c in internal]
    )
    assert effects == 0


@pytest.mark.parametrize("name", [n for n in INBOUND if TRUTH[n].talks])
async def test_an_answered_caller_is_a_contact_and_a_deal_of_who_answered_first(
    heard: Heard, name: str
) -> None:
    office, truth = heard.office, TRUTH[name]
    left = await office.left(SCENES[name].client)
    is_ours = _extension(truth.talks[0]) in data.EXTENSIONS
    owner = office.user(int(_extension(truth.talks[0])) if is_ours else 100)
    assert left.numbers == (1, 1, 0 if is_ours else 1, 1), left
    assert [e["responsible_user_id"] for e in (*left.contacts, *left.deals)] == [owner, owner]
    (note,) = left.calls
    assert (note["note_type"], note["params"]["call_status"]) == ("call_in", 4)
    assert abs(note["params"]["duration"] - truth.seconds) <= 1
    assert await _cases(office, SCENES[name].client) == []
    if len(set(truth.talks)) > 1:
        assert "Разговаривали: Менеджер 101" in note["params"]["call_result"]


@pytest.mark.parametrize("name", [n for n in INBOUND if not TRUTH[n].talks])
async def test_a_missed_caller_is_one_task_of_the_senior_and_an_open_case(heard: Heard, name: str) -> None:
    office = heard.office
    left = await office.left(SCENES[name].client)
    senior = office.user(100)
    assert left.numbers == (1, 1, 1, 1), left
    assert left.tasks[0]["responsible_user_id"] == senior
    assert left.calls[0]["params"]["call_status"] == 6
    assert await _cases(office, SCENES[name].client) == ["open"]


@pytest.mark.parametrize("name", [n for n in OUTBOUND if TRUTH[n].talks])
async def test_an_outgoing_talk_is_a_note_in_the_name_of_who_talked(heard: Heard, name: str) -> None:
    office, truth = heard.office, TRUTH[name]
    left = await office.left(SCENES[name].client)
    (note,) = [n for n in left.calls if n["note_type"] == "call_out"]
    talker = office.user(int(_extension(truth.talks[0])))
    assert (note["params"]["call_status"], note["created_by"]) == (4, talker)
    assert abs(note["params"]["duration"] - truth.seconds) <= 1
    assert len(left.contacts) == 1


@pytest.mark.parametrize("name", UNREACHED)
async def test_an_outgoing_call_that_came_to_nothing_says_whose_side_it_was(heard: Heard, name: str) -> None:
    left = await heard.office.left(SCENES[name].client)
    contact = left.contacts[0]["id"]
    notes = [n for n in await heard.office.stack.rows("note") if n["entity_id"] == contact]
    said = [n["params"].get("text") or n["params"].get("call_result") for n in notes]
    if UNREACHED[name] is FailedSide.CLIENT_NOT_REACHED:
        assert said.count("Клиент не ответил") == 1
        assert [n["note_type"] for n in left.calls].count("call_out") == 1
    else:
        assert "Клиент не ответил" not in said
        assert said.count("Сотрудник не ответил") == 1
        assert [n["note_type"] for n in left.calls].count("call_out") == 0


@pytest.mark.parametrize("name", CALL_BACKS)
async def test_only_a_talk_with_the_client_closes_the_case_of_a_missed_call(heard: Heard, name: str) -> None:
    left = await heard.office.left(SCENES[name].client)
    is_reached = bool(TRUTH[name].talks)
    (task,) = left.tasks
    assert bool(task["is_completed"]) is is_reached
    assert await _cases(heard.office, SCENES[name].client) == ["closed" if is_reached else "open"]


def _extension(party: str) -> str:
    return "109" if party == OWN_MOBILE else party


async def _cases(office: Office, client: str) -> list[str]:
    rows = await office.stack.pool.fetch(
        "SELECT state FROM missed_case WHERE account_id = $1 AND client = $2", ACCOUNT, f"+{client}"
    )
    return [row["state"] for row in rows]
