"""Files of dialogues over the API: for those who see the dialogue, and nothing that a browser would run."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import aiohttp

from gateway.channels.files.fetching import FileFetcher
from runtime.vendors.named_addresses import NamedAddresses
from tests.fakes.channels.sandbox import client_message
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.test_channels import anna, connected, told
from tests.integration.channels.test_files_in import PNG, Holds

PAGE = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


async def bring(api: Api, channel_id: str, **files: bytes) -> None:
    async with NamedAddresses() as there:
        fetcher = FileFetcher(api.pool, channel_id, Holds(**files), there, lambda: datetime.now(UTC))
        while await fetcher.turn():
            pass


async def given(api: Api, path: str, role: str = "admin") -> tuple[int, dict[str, str], bytes]:
    headers = {"Authorization": f"Bearer {api.tokens[role]}"}
    async with api.http.get(f"{api.url}/api/v1/accounts/{ACCOUNT}/{path}", headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.read()


def with_file(id: str, kind: str, **file: Any) -> dict[str, Any]:
    return client_message(id, parts=[{"kind": kind, "file": {"id": id, **file}}])


async def test_a_file_is_given_out_by_the_right_of_its_dialogue_and_never_run(api: Api) -> None:
    channel = await connected(api)
    url = "https://store.example/secret-token"
    await told(
        api,
        channel,
        with_file("m1", "image", name='a "б".png'),
        with_file("m2", "document", name="x.svg", media_type="image/svg+xml"),
        with_file("m3", "image", url=url, size=10**9),
    )
    await bring(api, channel["id"], m1=PNG, m2=PAGE)
    [dialogue] = (await api.ask("GET", "{a}/dialogues"))["items"]
    one = f"dialogues/{dialogue['id']}"
    messages = (await api.ask("GET", f"{{a}}/{one}/messages"))["items"]
    assert "secret-token" not in str(messages)
    files = {m["parts"][0]["file"]["name"]: m["parts"][0]["file"] for m in messages}
    picture, page, large = files['a "б".png'], files["x.svg"], files[""]
    assert (picture["state"], picture["media_type"], picture["size"]) == ("kept", "image/png", len(PNG))
    assert (large["state"], large["reason"]) == ("refused", "too-large")

    status, headers, content = await given(api, f"{one}/files/{picture['id']}")
    assert (status, content, headers["Content-Type"]) == (200, PNG, "image/png")
    assert (
        headers["Content-Disposition"]
        == "inline; filename=\"a ___.png\"; filename*=UTF-8''a%20%22%D0%B1%22.png"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, content = await given(api, f"{one}/files/{page['id']}")
    assert (status, content, headers["Content-Type"]) == (200, PAGE, "application/octet-stream")
    assert headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in headers["Content-Security-Policy"]

    assert (await given(api, f"{one}/files/{large['id']}"))[0] == 404
    await api.ask("POST", f"{{a}}/{one}/files/{large['id']}/retry", status=204)
    again = await api.ask("POST", f"{{a}}/{one}/files/{large['id']}/retry", status=409)
    assert again["code"] == "file-not-refused"

    who = await anna(api)
    for address in (f"{one}/files/{picture['id']}", f"{one}/files/0", "dialogues/0/files/1"):
        assert (await given(api, address, who))[0] == 404
    await api.ask("PUT", f"{{a}}/channels/{channel['id']}/rights", body={"rights": {"anna": "read"}})
    assert (await given(api, f"{one}/files/{picture['id']}", who))[0] == 200
    async with (
        aiohttp.ClientSession() as nobody,
        nobody.get(f"{api.url}/api/v1/accounts/{ACCOUNT}/{one}/files/{picture['id']}") as answer,
    ):
        assert answer.status == 401


async def test_a_file_is_written_over_the_api_once_by_its_key_and_within_limits(api: Api) -> None:
    channel = await connected(api)
    await told(api, channel, client_message("m1"))
    [dialogue] = (await api.ask("GET", "{a}/dialogues"))["items"]
    path = f"{{a}}/dialogues/{dialogue['id']}/messages"
    await api.ask("PUT", f"{{a}}/channels/{channel['id']}/rights", body={"rights": {"anna": "send"}})
    body = {
        "key": "k1",
        "text": "See",
        "employee": "anna",
        "file": {"name": "x.png", "content": base64.b64encode(PNG).decode()},
    }
    first, again = [await api.ask("POST", path, body=body, status=201) for _ in range(2)]
    assert first == again
    [part] = first["parts"]
    assert (part["kind"], part["text"], part["file"]["state"], part["file"]["size"]) == (
        "image",
        "See",
        "kept",
        len(PNG),
    )
    _, headers, content = await given(api, f"dialogues/{dialogue['id']}/files/{part['file']['id']}")
    assert (content, headers["Content-Type"]) == (PNG, "image/png")
    other = {**body, "file": {"name": "y.png", "content": body["file"]["content"]}}  # type: ignore[index]
    assert (await api.ask("POST", path, body=other, status=409))["code"] == "key-of-another-message"
    nothing = {**body, "key": "k2", "file": {"name": "x", "content": ""}}
    assert (await api.ask("POST", path, body=nothing, status=409))["problems"][0]["reason"] == "empty"
    broken = {**body, "key": "k3", "file": {"name": "x", "content": "%%%"}}
    assert (await api.ask("POST", path, body=broken, status=400))["field"] == "file.content"
    large = {**body, "key": "k4", "file": {"name": "x", "content": "A" * (15 * 2**20)}}
    assert (await api.ask("POST", path, body=large, status=413))["code"] == "too-large"
