"""PBXs: connected with a secret that is shown once, waited for, and what of them could not be read."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Site


async def _told(site: Site, *, spoilt: list[str] | None = None) -> None:
    await site.pool.execute(
        "INSERT INTO inbox (account_id, connection_id, dedupe_key, call_key, client, received_at, raw, events, spoilt)"
        " VALUES ($1, 'office', $2, 'k', '+79161234567', $3, 'from=79161234567&time=x', '[]', $4)",
        ACCOUNT, str(time.monotonic_ns()).encode(), datetime.now(UTC), spoilt,
    )  # fmt: skip


async def test_a_pbx_is_connected_and_its_secret_is_shown_once(site: Site) -> None:
    admin = site.as_("admin")
    page = await admin.get("/setup/pbx")
    assert "ни одного события" in page.words
    assert len(page.page.all("a", cls="cm-card-choice")) == 6
    form = {
        "kind": "asterisk",
        "name": "Главная",
        "lines": "8 495 123 00 01",
        "key_name": ["ami_secret"],
        "key": ["hush"],
    }
    refused = await admin.post("/setup/new-pbx", form)
    assert "Название не подходит" in refused.page.by_id("name-error").text
    assert "hush" not in refused.text
    added = await admin.post("/setup/new-pbx", {**form, "name": "branch"})
    secret = added.page.by_id("secret")["value"]
    assert secret in added.page.by_id("instructions").text
    assert added.page.by_id("address")["value"].endswith("/pbx/branch")
    assert (
        "Такое подключение уже есть" in (await admin.post("/setup/new-pbx", {**form, "name": "branch"})).words
    )
    one = await admin.get("/setup/pbx/branch")
    assert secret not in one.text
    assert "+74951230001" in one.page.by_id("lines")["value"]
    asked = await admin.get("/setup/pbx/branch/secret")
    assert "Старый перестанет работать сразу" in asked.words
    order = {"instead_of": asked.page.all("input", name="instead_of")[0]["value"]}
    assert (await admin.post("/setup/pbx/branch/secret")).status == 409  # by a slip of the hand
    anew = await admin.post("/setup/pbx/branch/secret", order)
    assert anew.page.by_id("secret")["value"] != secret
    again = await admin.post("/setup/pbx/branch/secret", order)
    assert (again.status, "Секрет уже выпущен" in again.words) == (409, True)
    bad = await admin.post("/setup/pbx/branch", {"lines": "nine", "is_on": "on"})
    assert (bad.status, bad.page.by_id("lines")["value"]) == (422, "nine")
    assert (await admin.post("/setup/pbx/branch/remove")).location == "/setup/pbx"
    assert (await admin.get("/setup/pbx/branch")).status == 404


async def test_the_first_event_is_waited_for_and_what_could_not_be_read_is_named(site: Site) -> None:
    admin, now = site.as_("admin", language="en"), int(time.time())
    assert "Waiting for an event" in (await admin.fragment(f"/setup/pbx/office/wait?since={now}")).words
    late = await admin.fragment(f"/setup/pbx/office/wait?since={now - 90}")
    assert "it ends in /pbx/office" in late.words
    await _told(site, spoilt=["time"])
    heard = await admin.fragment(f"/setup/pbx/office/wait?since={now}")
    assert "The PBX is heard" in heard.words
    page = await admin.get("/setup/pbx/office")
    assert "time 1" in page.words
    assert "79161234567" not in page.page.one("pre").text
    assert (await site.as_("senior_manager").get("/setup/pbx")).status == 403


async def test_a_number_is_tried_and_every_tab_leads_somewhere(site: Site) -> None:
    admin = site.as_("admin", language="en")
    page = await admin.get("/setup/numbers?number=8+916+123-45-67")
    assert "This is the phone +79161234567" in page.words
    assert "no phone number" in (await admin.get("/setup/numbers?number=nine")).words
    for tab in page.page.all("a", cls="cm-tab"):
        assert (await admin.get(tab["href"])).status == 200


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("extension_digits=many", "extension_digits: «many» не подходит. Нужно целое число"),
        ("time_zone=Moscow", "time_zone: «Moscow» — не часовой пояс"),
        ("colour=red", "Настройки «colour» у этого подключения нет. Есть:"),
        ("number_spelling=loud", "number_spelling: «loud» не подходит. Можно:"),
    ],
)
async def test_a_wrong_setting_of_a_pbx_is_named_with_what_it_may_be(
    site: Site, settings: str, said: str
) -> None:
    form = {"kind": "generic", "name": "second", "lines": "+74951230002", "settings": settings}
    refused = await site.as_("admin").post("/setup/new-pbx", form)
    assert said in refused.page.by_id("settings-error").text
    assert refused.page.by_id("settings").text.strip() == settings
    assert "What" not in refused.page.by_id("settings-error").text
    english = await site.as_("admin", language="en").post("/setup/new-pbx", form)
    assert settings.partition("=")[2] in english.page.by_id("settings-error").text or "colour" in settings
