"""Who changed what: each way in that changes something leaves an entry, and what was refused leaves none."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from crm.effects import backfill
from gateway.admin.connect_crm import NewAccount, connect_account
from gateway.api.resources import ROUTES
from gateway.cli import all_commands
from gateway.settings import Settings
from gateway.store.admin.accounts import set_account_state
from gateway.store.triggers.triggers import save_trigger
from gateway.worker.retention import clean
from routing.matrix.presets import unsorted
from routing.triggers.model import Trigger
from tests.integration.api.client import ACCOUNT, ANNA, Api, add_effect, give_key
from tests.integration.api.command_line import callmatrix

_A = "/v1/accounts/{account}"
CHANGES_NOTHING = {
    ("POST", f"{_A}/matrix/check"),
    ("POST", f"{_A}/matrix/preview"),
    ("POST", f"{_A}/matrix/dry-run"),
    ("POST", f"{_A}/template-checks"),
    ("POST", f"{_A}/trigger-checks"),
    ("POST", f"{_A}/sms-previews"),
    ("POST", f"{_A}/triggers/{{trigger}}/apply-preview"),
    ("POST", f"{_A}/employees/{{employee}}/presence/answer"),
    ("POST", f"{_A}/employees/{{employee}}/presence/heartbeat"),
    ("POST", f"{_A}/templates/{{template}}/stage-preview"),
}
WHAT_GOES_OUT = (
    "campaigns",
    "do-not-call",
    "outbound",
    "sms-connections",
    "channels",
    "crm-chats",
    "dialogues",
    "matrix/trial",
    "matrix/draft/merge",
)
"""Resources of the account whose entries their own tests look at: test_campaigns.py, test_do_not_call.py, test_outbound.py,
test_sms_connections.py, test_channels.py, test_crm_chats.py, test_matrix_trials.py."""
NEEDS_A_CRM = {("POST", "/v1/accounts")}
"""Tried below as the service that it calls."""
READING_COMMANDS = {
    "account list", "alerts list", "audit", "calendar list", "client show", "presence history", "presence list",
    "schedule list", "schedule show", "schedule who", "cases figures", "cases open", "cases overdue", "check", "config export",
    "connection list", "distribution list", "distribution shares", "distribution show", "employees list", "matrix dry-run", "crm aside", "crm unread", "desk list", "explain", "lookup", "matrix check",
    "matrix difference", "matrix trial", "matrix versions", "secrets generate", "secrets status",
    "shift journal", "shift preview", "shift runs", "shift show", "template hook", "template list", "template show", "template simulate", "token list", "users list",
    "campaign list", "channel address", "channel gaps", "channel list", "channel rights", "channel files", "channel file", "crm-chats show", "campaign members", "campaign show", "campaign stats", "do-not-call list", "firings list", "firings show",
    "outbound list", "outbound queue", "outbound settings", "outbound show", "outbound why-not", "sms incoming", "sms list",
    "sms messages", "sms preview", "trigger check", "trigger history", "trigger hook", "trigger list", "trigger show",
}  # fmt: skip
NOT_OF_THE_CONFIGURATION = {"alerts test", "demo", "init", "migrate", "sandbox", "serve"}
_EVENT = (
    "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, state,"
    " error, applied_at) VALUES ($1, 'office', $2, 'c', '+79161234567', now(), '{}', '[]', 'dead', 'no', now())"
    " RETURNING event_id"
)
_ASIDE = "INSERT INTO crm_event_work (account_id, consumer, event_id, subject, is_aside) VALUES ($1, 'x', $2, 'deal:1', true)"


async def _entries(pool: asyncpg.Pool) -> list[asyncpg.Record]:
    return list(await pool.fetch("SELECT * FROM audit ORDER BY seq"))


async def _told(
    api: Api, method: str, path: str, *, status: int = 200, body: Any = None, **query: Any
) -> Any:
    """The newest entries, after the request that must have left them."""
    before = len(await _entries(api.pool))
    await api.ask(method, path, status=status, body=body, **query)
    found = (await _entries(api.pool))[before:]
    assert found, f"{method} {path} left no entry"
    assert {(e["who_kind"], e["who"], e["door"], e["address"]) for e in found} == {
        ("token", "admin", "api", "127.0.0.1")
    }
    return found


async def _dead_event(pool: asyncpg.Pool, key: str) -> str:
    return str(await pool.fetchval(_EVENT, ACCOUNT, key.encode()))


async def test_every_writing_route_of_the_api_leaves_an_entry(api: Api) -> None:
    settings = await api.ask("GET", "{a}/settings")
    for key in ("e1", "e2", "e3", "e4", "e5"):
        await add_effect(api.pool, key, state="dead", error_code="validation")
    order = (await api.ask("GET", "{a}/desk"))["items"][0]["order"]
    events = [await _dead_event(api.pool, key) for key in ("k1", "k2")]
    await api.pool.execute(_ASIDE, ACCOUNT, 1)
    draft = await api.ask("GET", "{a}/matrix/draft")
    matrix = unsorted().model_dump(mode="json", exclude={"version"})
    version = (await api.ask("GET", "{a}/matrix/versions"))["items"][0]["version"]
    user = {"login": "olga", "role": "admin"}
    plan: list[tuple[tuple[str, str], str, Any, int]] = [
        (("PUT", _A), "{a}", {"name": "New", "time_zone": "Europe/Moscow", "region": "RU"}, 200),
        (("PUT", f"{_A}/settings"), "{a}/settings", {**settings, "language": "en"}, 200),
        (("PUT", f"{_A}/config"), "{a}/config", {"name": "Newer"}, 200),
        (("POST", f"{_A}/connections"), "{a}/connections", {"name": "second", "kind": "generic"}, 201),
        (("PATCH", f"{_A}/connections/{{connection}}"), "{a}/connections/second", {"new_secret": True}, 200),
        (("DELETE", f"{_A}/connections/{{connection}}"), "{a}/connections/second", None, 204),
        (("PUT", f"{_A}/employees/{{employee}}"), "{a}/employees/boris", {"name": "Борис"}, 200),
        (("DELETE", f"{_A}/employees/{{employee}}"), "{a}/employees/boris", None, 204),
        (("POST", "/v1/tokens"), "/tokens", {"name": "reports", "role": "read_only"}, 201),
        (("PATCH", "/v1/tokens/{name}"), "/tokens/reports", {"role": "manager"}, 200),
        (("DELETE", "/v1/tokens/{name}"), "/tokens/reports", None, 204),
        (("POST", "/v1/users"), "/users", user, 201),
        (("POST", "/v1/users"), "/users", {**user, "login": "petr"}, 201),
        (("POST", f"{_A}/frames"), "{a}/frames", {"page": "settings", "login": "petr"}, 201),
        (("PATCH", "/v1/users/{login}"), "/users/olga", {"name": "Ольга"}, 200),
        (("PUT", "/v1/users/{login}/password"), "/users/olga/password", {}, 200),
        (("DELETE", "/v1/users/{login}"), "/users/olga", None, 204),
        (("PUT", f"{_A}/matrix/draft"), "{a}/matrix/draft", {"revision": draft["revision"], "matrix": matrix}, 200),
        (("POST", f"{_A}/matrix/draft/rebase"), "{a}/matrix/draft/rebase", {"revision": draft["revision"] + 1}, 200),
        (("POST", f"{_A}/matrix/publish"), "{a}/matrix/publish", {"revision": draft["revision"] + 2, "why": "test"}, 200),
        (("POST", f"{_A}/matrix/versions/{{version}}/restore"), f"{{a}}/matrix/versions/{version}/restore", {"why": "x"}, 200),
        (("POST", f"{_A}/desk/retry"), "{a}/desk/retry", {"keys": ["e1"]}, 200),
        (("POST", f"{_A}/desk/edit"), "{a}/desk/edit", {"key": "e2", "order": order}, 200),
        (("POST", f"{_A}/desk/ignore"), "{a}/desk/ignore", {"keys": ["e3"], "note": "n"}, 200),
        (("POST", f"{_A}/desk/events/retry"), "{a}/desk/events/retry", {"ids": [events[0]]}, 200),
        (("POST", f"{_A}/desk/events/ignore"), "{a}/desk/events/ignore", {"ids": [events[1]], "note": "n"}, 200),
        (("POST", f"{_A}/desk/entries/retry"), "{a}/desk/entries/retry", {"keys": ["e4"]}, 200),
        (("POST", f"{_A}/desk/entries/ignore"), "{a}/desk/entries/ignore", {"keys": ["e5"], "note": "n"}, 200),
        (("POST", f"{_A}/crm/events/retry"), "{a}/crm/events/retry", {"ids": None}, 200),
        (("POST", f"{_A}/sync"), "{a}/sync", {"full": False}, 200),
        (("POST", f"{_A}/matrix/replays"), "{a}/matrix/replays", {"version": "current"}, 200),
        (("PUT", f"{_A}/state"), "{a}/state", {"state": "off", "reason": "test"}, 200),
    ]  # fmt: skip
    by_route = {(r.method, r.path): r for r in ROUTES}
    done = set()
    for route, path, body, status in plan:
        await _told(
            api, route[0], path, body=body, status=by_route[route].status if status == 200 else status
        )
        done.add(route)
    seen = await api.ask("GET", "{a}/matrix/draft")
    saved = await api.ask("PUT", "{a}/matrix/draft", body={"revision": seen["revision"], "matrix": matrix})
    await _told(api, "POST", "{a}/matrix/draft/reset", body={"revision": saved["revision"]})
    done |= {("POST", f"{_A}/matrix/draft/reset")} | await _work_and_backfill(api)
    done |= (
        await _triggers(api)
        | await _distribution(api)
        | await _shift_change(api)
        | await _schedules_and_presence(api)
    )
    writing = {(r.method, r.path) for r in ROUTES if r.method != "GET"}
    elsewhere = {route for route in writing if route[1].removeprefix(f"{_A}/").startswith(WHAT_GOES_OUT)}
    assert writing - done - elsewhere - NEEDS_A_CRM - CHANGES_NOTHING == set(), "a route that no test walks"


async def _triggers(api: Api) -> set[tuple[str, str]]:
    action = {"do": "callback", "connection": "office"}
    trigger = {"name": "t", "pipeline_id": "1", "events": [{"on": "entered"}], "action": action}
    await api.pool.execute("DELETE FROM crm_pipeline")
    await _told(api, "PUT", "{a}/triggers/t", body=trigger)
    async with api.pool.acquire() as conn, conn.transaction():
        await save_trigger(conn, ACCOUNT, Trigger.model_validate({**trigger, "is_on": True}), "test")
    await _told(api, "POST", "{a}/triggers/t/apply", status=202)
    await _told(api, "PUT", "{a}/triggers/t/switch", body={"is_on": False})
    await _told(api, "DELETE", "{a}/triggers/t", status=204)
    one = f"{_A}/triggers/{{trigger}}"
    return {("PUT", one), ("DELETE", one), ("PUT", f"{one}/switch"), ("POST", f"{one}/apply")}


_DEAL = (
    "INSERT INTO directory_entity (account_id, kind, entity_id, pipeline_id, stage_id, created_at)"
    " VALUES ($1, 'deal', '1', '1', '20', now())"
)


async def _distribution(api: Api) -> set[tuple[str, str]]:
    await api.pool.execute(_DEAL, ACCOUNT)
    template = {"name": "t", "employees": [{"employee_id": "anna"}]}
    stage = {"pipeline": "1", "stage": "20"}
    await _told(api, "PUT", "{a}/templates/t", body=template)
    await _told(api, "PUT", "{a}/templates/t/stages/1/20", body={})
    await _told(api, "POST", "{a}/templates/t/stage-runs", body=stage, status=202)
    await _told(api, "POST", "{a}/templates/t/simulations", body={"made_up": 1}, status=202)
    await _told(api, "POST", "{a}/distributions", body={"template": "t", "deal": "1"}, status=202)
    item = (await api.ask("GET", "{a}/distributions"))["items"][0]["id"]
    await _told(api, "POST", f"{{a}}/distributions/{item}/give-up")
    await _told(api, "POST", f"{{a}}/distributions/{item}/retry")
    await _told(api, "DELETE", "{a}/templates/t/stages/1/20", status=204)
    await _told(api, "DELETE", "{a}/templates/t", status=204)
    of_one = f"{_A}/templates/{{template}}"
    return {
        *((method, of_one) for method in ("PUT", "DELETE")),
        *((method, f"{of_one}/stages/{{pipeline}}/{{stage}}") for method in ("PUT", "DELETE")),
        *(("POST", f"{of_one}/{what}") for what in ("stage-runs", "simulations")),
        ("POST", f"{_A}/distributions"),
        *(("POST", f"{_A}/distributions/{{distribution}}/{what}") for what in ("give-up", "retry")),
    }


async def _shift_change(api: Api) -> set[tuple[str, str]]:
    employee = {"name": ANNA.name, "crm_user_id": "11", "extensions": ["101"], "numbers": list(ANNA.numbers)}
    await api.ask("PUT", "{a}/employees/anna", body=employee)
    await api.ask("PUT", "{a}/templates/all", body={"name": "all", "employees": [{"employee_id": "anna"}]})
    pipelines = [row["pipeline_id"] for row in await api.pool.fetch("SELECT pipeline_id FROM crm_pipeline")]
    policy = {"pipelines": pipelines[:1] or ["1"], "template": "all"}
    await _told(api, "PUT", "{a}/shift-change", body=policy)
    run = await api.ask("POST", "{a}/shift-change/runs", body={"employee": "anna"}, status=201)
    for action in ("pause", "resume", "stop"):
        await _told(api, "POST", f"{{a}}/shift-change/runs/{run['run_id']}/{action}")
    await _told(api, "POST", "{a}/shift-change/runs", body={"employee": "anna"}, status=201)
    return {
        ("PUT", f"{_A}/shift-change"),
        ("POST", f"{_A}/shift-change/runs"),
        ("POST", f"{_A}/shift-change/runs/{{run}}/{{action:pause|resume|stop}}"),
    }


async def _schedules_and_presence(api: Api) -> set[tuple[str, str]]:
    schedule = {"everybody": {"hours": {"mon-fri": "09:00-18:00"}}}
    await _told(api, "PUT", "{a}/schedules/office", body={"schedule": schedule})
    await _told(api, "DELETE", "{a}/schedules/office", status=204)
    await _told(api, "PUT", "{a}/calendar/days/2026-12-31", body={"kind": "free"})
    await _told(api, "DELETE", "{a}/calendar/days/2026-12-31", status=204)
    settings = await api.ask("GET", "{a}/settings")
    presence = {"is_on": True, "sources": ["page"]}
    await _told(api, "PUT", "{a}/settings", body={**settings, "presence": presence})
    for act in ("start", "stop"):
        await _told(api, "POST", f"{{a}}/employees/anna/presence/{act}")
    await _told(api, "POST", "{a}/employees/anna/presence/telegram", status=201)
    await _told(api, "DELETE", "{a}/employees/anna/presence/telegram", status=204)
    return {
        *((method, f"{_A}/schedules/{{schedule}}") for method in ("PUT", "DELETE")),
        *((method, f"{_A}/calendar/days/{{day}}") for method in ("PUT", "DELETE")),
        *(("POST", f"{_A}/employees/{{employee}}/presence/{act}") for act in ("start", "stop")),
        *((method, f"{_A}/employees/{{employee}}/presence/telegram") for method in ("POST", "DELETE")),
    }


async def _work_and_backfill(api: Api) -> set[tuple[str, str]]:
    work = (await api.ask("GET", "{a}/work"))["items"][0]["id"]
    await api.pool.execute("UPDATE long_work SET state = 'running'")
    await _told(api, "POST", f"{{a}}/work/{work}/stop")
    await add_effect(api.pool, "h1", state="held")
    await _told(api, "POST", "{a}/backfill/discard", body={"note": "no"})
    await give_key(api.pool)
    await api.ask("PUT", "{a}/state", body={"state": "on"})
    await api.pool.execute(
        "INSERT INTO call (account_id, call_id, connection_id, call_key, client, direction, disposition, is_over,"
        " started_at, facts) VALUES ($1, 'call-1', 'office', 'k', '+79161234567', 'inbound', 'no_answer', true,"
        " now(), '{}')",
        ACCOUNT,
    )
    await add_effect(api.pool, "h2", state="held", call_id="call-1")
    await _told(api, "POST", "{a}/backfill", body={"days": 3}, status=201)
    for action in ("pause", "resume", "stop"):
        await _told(api, "POST", f"{{a}}/backfill/{action}")
    return {
        ("POST", f"{_A}/work/{{work}}/stop"),
        ("POST", f"{_A}/backfill"),
        ("POST", f"{_A}/backfill/discard"),
        ("POST", f"{_A}/backfill/{{action:pause|resume|stop}}"),
    }


async def test_what_is_refused_or_changes_nothing_leaves_no_entry(api: Api) -> None:
    await give_key(api.pool)
    employee = {"name": ANNA.name, "crm_user_id": "11", "extensions": ["101"], "numbers": list(ANNA.numbers)}
    for method, path, body, status in (
        ("PUT", "{a}/employees/boris", {"name": "Б", "extensions": ["101"]}, 409),
        ("PUT", "{a}/employees/anna", employee, 200),
        ("PUT", "{a}/settings", await api.ask("GET", "{a}/settings"), 200),
        ("PUT", "{a}/state", {"state": "on"}, 200),
        ("POST", "{a}/connections", {"name": "office", "kind": "generic"}, 409),
        ("PATCH", "{a}/connections/office", {"lines": ["+74951230000"]}, 200),
        ("DELETE", "{a}/connections/nothing", None, 404),
        ("POST", "/tokens", {"name": "admin", "role": "admin"}, 409),
        ("POST", "{a}/desk/retry", {"keys": ["gone"]}, 200),
        ("POST", "{a}/backfill/stop", None, 409),
        ("POST", "{a}/matrix/publish", {"why": " "}, 400),
        ("PUT", "{a}/config", {"name": "X", "region": "XX"}, 422),
    ):
        await api.ask(method, path, body=body, status=status)
    await api.ask("PUT", "{a}/config", body={"name": "X"}, dry_run="true")
    await api.ask("PUT", "{a}/state", body={"state": "off"}, role="read_only", status=403)
    assert await _entries(api.pool) == []


async def test_entries_say_what_was_before_and_after_and_no_secret(api: Api) -> None:
    await api.ask(
        "POST",
        "{a}/connections",
        status=201,
        body={"name": "pbx", "kind": "asterisk", "keys": {"ami_secret": "SECRET-1"}},
    )
    await api.ask("PATCH", "{a}/connections/pbx", body={"keys": {"ami_secret": "SECRET-2"}, "is_on": False})
    await api.ask(
        "POST", "/users", status=201, body={"login": "olga", "role": "manager", "password": "SECRET-3-long"}
    )
    await api.ask("PUT", "/users/olga/password", body={"password": "SECRET-4-long"})
    grant = NewAccount(
        id="new", name="New", base_url="https://new.amocrm.ru", client_id="c", client_secret="SECRET-5"
    )
    await connect_account(api.pool, grant, "https://gate.example")
    found = await api.ask("GET", "/audit")
    assert "SECRET" not in json.dumps(found)
    changed = next(e for e in found["items"] if e["object"] == "pbx" and e["action"] == "changed")
    assert changed["before"] == {"is_on": True, "keys.ami_secret": "set"}
    assert changed["after"] == {"is_on": False, "keys.ami_secret": "changed"}
    password = next(e for e in found["items"] if e["action"] == "password set")
    assert password["after"] == {"password": "changed"}
    connected = next(e for e in found["items"] if (e["account"], e["action"]) == ("new", "connected"))
    assert (connected["action"], connected["door"], connected["after"]["by"]) == (
        "connected",
        "program",
        "OAuth, not granted yet",
    )


async def test_entries_are_read_by_pages_filters_and_only_by_whom_they_concern(api: Api) -> None:
    for name in ("Anna 1", "Anna 2", "Anna 3"):
        await api.ask("PUT", "{a}", body={"name": name, "time_zone": "Europe/Moscow", "region": "RU"})
    await api.ask("POST", "/tokens", body={"name": "t", "role": "read_only"}, status=201)
    seen, after = [], None
    while True:
        page = await api.ask("GET", "/audit", limit=2, **({"after": after} if after else {}))
        seen += page["items"]
        if (after := page["next"]) is None:
            break
    assert [e["after"].get("name") for e in seen] == [None, "Anna 3", "Anna 2", "Anna 1"]
    only = await api.ask("GET", "/audit", what="account", object=ACCOUNT, who="admin", account=ACCOUNT)
    assert len(only["items"]) == 3
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await api.ask("GET", "/audit", since=tomorrow))["items"] == []
    assert len((await api.ask("GET", "/audit", until=tomorrow))["items"]) == 4
    assert (await api.ask("GET", "/audit", role="other"))["items"] == []
    await api.ask("GET", "/audit", role="other", account=ACCOUNT, status=404)
    await api.ask("GET", "/audit", role="manager", status=403)
    await api.ask("GET", "/audit", since="yesterday", status=400)


async def test_entries_are_kept_for_years_and_then_go(api: Api, database_url: str) -> None:
    await api.ask("PUT", "{a}/state", body={"state": "off"})
    await api.pool.execute("UPDATE audit SET at = now() - interval '40 days'")
    await clean(api.pool, Settings(_env_file=None, database_url=database_url))
    assert len(await _entries(api.pool)) == 1
    await clean(api.pool, Settings(_env_file=None, database_url=database_url, audit_days=30))
    assert await _entries(api.pool) == []


@pytest.mark.slow
async def test_every_changing_command_leaves_an_entry(
    pool: asyncpg.Pool, database_url: str, account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("e1", "e2", "e3"):
        await add_effect(pool, key, state="dead", error_code="validation")
    order = await pool.fetchval('SELECT "order" FROM effect LIMIT 1')
    await add_effect(pool, "old", state="done", client="+79160009999")
    (tmp_path / "order.json").write_text(json.dumps(order))
    event = await _dead_event(pool, "k1")
    await pool.execute(_ASIDE, ACCOUNT, 1)
    (tmp_path / "config.yaml").write_text("name: Newer\n")
    (tmp_path / "template.yaml").write_text("name: t\nemployees: [{employee_id: anna}]\n")
    await pool.execute(_DEAL, ACCOUNT)
    (tmp_path / "matrix.yaml").write_text((await callmatrix(database_url, "matrix", "draft")).stdout)
    await give_key(pool)
    monkeypatch.setenv(
        "CALLMATRIX_SECRETS_KEY", (await callmatrix(database_url, "secrets", "generate")).stdout.strip()
    )
    monkeypatch.delenv("SUDO_USER", raising=False)
    plan = {
        "account off": ("main",),
        "account on": ("main",),
        "account edit": ("main", "--name", "New"),
        "employees set": ("petr", "--name", "Пётр"),
        "employees remove": ("petr", "--yes"),
        "matrix draft": ("--from", str(tmp_path / "matrix.yaml")),
        "matrix preset": ("unsorted", "--yes"),
        "connection add": ("second", "--kind", "generic", "--account", "main"),
        "connection set": ("second", "--region", "KZ"),
        "connection off": ("second",),
        "connection on": ("second",),
        "connection secret": ("second", "--yes"),
        "connection remove": ("second", "--yes"),
        "token add": ("reports",),
        "token change": ("reports", "--role", "manager"),
        "token remove": ("reports", "--yes"),
        "users add": ("olga",),
        "users change": ("olga", "--role", "manager"),
        "users password": ("olga",),
        "users remove": ("olga", "--yes"),
        "config import": (str(tmp_path / "config.yaml"), "--account", "main"),
        "schedule add": ("office", "--week", "mon-fri 09:00-18:00"),
        "schedule set": ("office", "--everybody", "--week", "mon-fri 10:00-18:00"),
        "schedule remove": ("office", "--yes"),
        "calendar set": ("2026-12-31", "working", "--hours", "09:00-15:00"),
        "calendar remove": ("2026-12-31", "--yes"),
        "template save": (str(tmp_path / "template.yaml"),),
        "template attach": ("t", "1", "20"),
        "distribution give": ("t", "1"),
        "distribution stage": ("t", "1", "20", "--yes"),
        "shift set": ("--wait", "60"),
        "template detach": ("1", "20"),
        "template remove": ("t", "--yes"),
        "desk retry": ("e1",),
        "desk edit": ("e2", "--order", str(tmp_path / "order.json"), "--note", "n"),
        "desk ignore": ("e3", f"event:{event}", "--note", "n"),
        "crm retry": ("--all",),
        "secrets rotate": (),
        "client forget": ("+79160009999", "--yes"),
    }
    needs_more = {
        "account add",
        "account remove",
        *(
            name
            for name in all_commands()
            if name.split()[0]
            in ("campaign", "channel", "crm-chats", "do-not-call", "outbound", "sms", "trigger")
        ),
        "matrix edit",
        "backfill",
        "distribution give-up",
        "distribution retry",
        "presence answer",
        "presence off",
        "presence on",
        "presence telegram",
        "shift pause",
        "shift resume",
        "shift start",
        "shift stop",
        "matrix publish",
        "matrix trial-begin",
        "matrix trial-publish",
        "matrix trial-take-back",
        "users sign-in-link",
        "users totp-off",
        "matrix rollback",
        "replay",
        "sync",
    }
    """A CRM, a draft, an editor, or a worker; the services that they call are those of the API, walked above, or have a
    test of their own."""
    left = set(all_commands()) - set(plan) - READING_COMMANDS - NOT_OF_THE_CONFIGURATION - needs_more
    assert left == set(), "a command that no test walks"
    for name, words in plan.items():
        before = len(await _entries(pool))
        done = await callmatrix(database_url, *name.split(), *words)
        assert done.returncode == 0, (name, done.stderr)
        found = (await _entries(pool))[before:]
        assert found, f"{name} left no entry"
        assert {(e["who_kind"], e["who"], e["door"]) for e in found} == {
            ("command", getpass.getuser(), "command-line")
        }
    shown = await callmatrix(database_url, "audit", "--what", "user", "--json")
    assert [e["action"] for e in json.loads(shown.stdout)] == ["removed", "password set", "changed", "added"]
    assert "user olga changed" in (await callmatrix(database_url, "audit", "--what", "user")).stdout


async def test_a_broken_transaction_takes_the_entry_with_it(pool: asyncpg.Pool, account: str) -> None:
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await set_account_state(conn, ACCOUNT, "off")
        await transaction.rollback()
        with pytest.raises(backfill.NoSuchRun):
            await backfill.stop(conn, ACCOUNT, datetime.now(UTC))
    assert await _entries(pool) == []
