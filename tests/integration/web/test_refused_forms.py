"""A refused form has an address of its own: back and reload lead to it, with what was typed, and to nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.web.browser import Browser, Site

NEW = "/setup/new-sms-provider?kind=smsc"
TYPED = {
    "kind": "smsc",
    "name": "Главный",
    "sender": "Kitchens",
    "key_name": ["password"],
    "key": ["hush-hush"],
    "setting_name": ["login"],
    "setting": ["sales-of-all"],
}


async def _kept(admin: Browser) -> str:
    refused = await admin.post(
        "/setup/new-sms-provider", TYPED, Referer=f"http://localhost{NEW}", Host="localhost"
    )
    assert refused.status == 303
    assert refused.location.startswith(f"{NEW}&kept=")
    return refused.location


async def test_back_and_reload_lead_to_what_was_typed_and_to_why_it_was_refused(site: Site) -> None:
    admin = site.as_("admin")
    kept = await _kept(admin)
    for _ in range(2):
        again = await admin.get(kept)
        assert (again.status, again.page.by_id("setting-login")["value"]) == (422, "sales-of-all")
        assert "Название не подходит" in again.page.by_id("name-error").text
        assert again.headers["Cache-Control"] == "no-store"
        assert "Content-Security-Policy" in again.headers
    assert "hush-hush" not in again.text
    referred = await admin.post(
        "/setup/new-sms-provider", TYPED, Referer=f"http://localhost{kept}", Host="localhost"
    )
    assert referred.location.count("kept=") == 1


async def test_a_kept_page_is_for_its_session_in_its_language_for_a_quarter_of_an_hour(site: Site) -> None:
    admin = site.as_("admin")
    kept = await _kept(admin)
    row = await site.pool.fetchrow("SELECT * FROM kept_page")
    assert row is not None
    assert b"sales-of-all" not in row["body"]
    assert row["mark"] not in kept
    for other in (
        site.change(admin, csrf="of-another-session"),
        site.change(admin, csrf=admin.person.csrf if admin.person else "", language="en"),
    ):
        plain = await other.get(kept)
        assert (plain.status, plain.page.by_id("setting-login")["value"]) == (200, "")
    assert (await site.as_("senior_manager").get(kept)).status == 403
    site.change(admin, language="ru")
    assert (await admin.get(kept)).status == 422
    await site.pool.execute("UPDATE kept_page SET kept_at = kept_at - $1::interval", timedelta(minutes=16))
    assert (await admin.get(kept)).status == 200
    await _kept(admin)
    assert await site.pool.fetchval("SELECT count(*) FROM kept_page") == 1, "what is too old is gone"


@pytest.mark.parametrize("referrer", ["", "http://evil.example/setup", "http://localhost//evil.example"])
async def test_without_a_page_of_ours_before_it_the_answer_is_the_refusal_itself(
    site: Site, referrer: str
) -> None:
    admin = site.as_("admin")
    refused = await admin.post("/setup/new-sms-provider", TYPED, Referer=referrer, Host="localhost")
    assert (refused.status, refused.page.by_id("setting-login")["value"]) == (422, "sales-of-all")
