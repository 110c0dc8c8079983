"""Tokens as integrations meet them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from crm.sandbox import seed
from tests.integration.sandbox.client import Api
from tests.integration.sandbox.test_golden import a_code, a_pair, proof, refresh


async def use(api: Api, token: str) -> int:
    api.token = token
    return (await api.get("account")).status


async def test_page_sends_the_person_back_with_code_referer_and_state(api: Api) -> None:
    query = {"client_id": seed.CLIENT_ID, "redirect_uri": "https://example.com/back?x=1", "state": "s 1"}
    page = await api.get(f"/oauth?{urlencode(query)}")
    assert (page.status, page.content_type) == (200, "text/html")
    answer = await api.get(f"/oauth?{urlencode({**query, 'approve': 1})}")
    address, sent = answer.headers["Location"].split("?", 1)
    given = dict(parse_qsl(sent))
    assert (answer.status, address) == (302, "https://example.com/back")
    assert (given["state"], given["referer"]) == ("s 1", api.sandbox.url.removeprefix("http://"))
    assert given["code"]


async def test_refusing_person_sends_back_access_denied(api: Api) -> None:
    form = {
        "client_id": seed.CLIENT_ID,
        "redirect_uri": "https://example.com/back",
        "decision": "refuse",
        "state": "s",
    }
    url = f"{api.sandbox.url}/oauth"
    async with api.session.post(url, data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "https://example.com/back?error=access_denied&state=s"


async def test_access_token_is_a_jwt_that_clients_can_read(api: Api) -> None:
    body = (await a_pair(api))["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert claims["api_domain"] == api.sandbox.url.removeprefix("http://")
    assert (claims["aud"], claims["sub"]) == (seed.CLIENT_ID, str(seed.ADMIN))
    assert claims["exp"] - claims["iat"] == 86400


async def test_code_and_refresh_token_work_once(api: Api) -> None:
    code = await a_code(api)
    grant = proof(grant_type="authorization_code", code=code)
    pair = (await api.post("/oauth2/access_token", grant)).body
    assert (await api.post("/oauth2/access_token", grant)).status == 401
    new = await refresh(api, pair["refresh_token"])
    assert new.status == 200
    used = await refresh(api, pair["refresh_token"])
    assert (used.status, used.body["hint"]) == (401, "Token has been revoked")
    assert (await refresh(api, new.body["refresh_token"])).status == 200


@pytest.mark.parametrize(("rule", "status"), [("valid", 200), ("revoked", 401)])
async def test_old_access_token_after_refresh_is_a_switch(api: Api, rule: str, status: int) -> None:
    await api.control("profile", {"old_token_after_refresh": rule})
    pair = await a_pair(api)
    await refresh(api, pair["refresh_token"])
    assert await use(api, pair["access_token"]) == status


async def test_tokens_expire_by_the_sandboxs_clock(api: Api) -> None:
    pair = await a_pair(api)
    await api.control("clock", {"offset": 86401})
    assert await use(api, pair["access_token"]) == 401
    await api.control("clock", {"offset": 91 * 86400})
    assert (await refresh(api, pair["refresh_token"])).status == 401


async def test_code_expires_after_twenty_minutes(api: Api) -> None:
    code = await a_code(api)
    await api.control("clock", {"offset": 1201})
    assert (
        await api.post("/oauth2/access_token", proof(grant_type="authorization_code", code=code))
    ).status == 401


async def test_other_redirect_uri_is_refused(api: Api) -> None:
    grant: dict[str, Any] = proof(grant_type="authorization_code", code=await a_code(api))
    grant["redirect_uri"] = "https://example.com/other"
    assert (await api.post("/oauth2/access_token", grant)).status == 401


async def test_disabled_integration_loses_its_tokens(api: Api) -> None:
    pair = await a_pair(api)
    await api.control("act", {"do": "integration", "client_id": seed.CLIENT_ID, "is_off": True})
    assert await use(api, pair["access_token"]) == 401
    assert (await refresh(api, pair["refresh_token"])).status == 401


async def test_admin_can_act_as_another_user_but_nobody_as_a_deactivated_one(api: Api) -> None:
    for user, status in ((seed.manager(101), 200), (seed.DEACTIVATED, 401), (5, 401)):
        answer = await api.get("account", headers={"X-Context-User-ID": str(user)})
        assert answer.status == status
    answer = await api.get("users", headers={"X-Context-User-ID": str(seed.manager(101))})
    assert answer.status == 403
