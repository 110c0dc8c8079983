"""The third step of `init`: the address at which PBXs and the CRM reach us, tried as far as it can be from here."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import aiohttp

from crm.kinds import UntrustedAddress, trusted_address
from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.cli.output import run
from gateway.settings import Settings
from gateway.store.admin.accounts import accounts
from runtime.addresses import is_local
from runtime.failure import Failure

_PATIENCE_SECONDS = 5.0


def address(guide: FirstUse) -> InitOutcome:
    talk, known = guide.talk, Settings().public_url
    if known:
        given = (guide.answers.public_url or "").rstrip("/")
        guide.refuse_other("--public-url", given, known.rstrip("/"), "env", name="CALLMATRIX_PUBLIC_URL")
        talk.say("address.found", url=known)
        try:
            _try(guide, known)
        except Failure as failure:
            talk.refused(failure)
            return "left"
        return "found"
    if not guide.answers.public_url and not talk.is_person:
        talk.say("address.left")
        return "left"
    url = guide.until_right(lambda: _public_url(guide), "public_url")
    if not url:
        talk.say("address.left")
        return "left"
    guide.remember("CALLMATRIX_PUBLIC_URL", url)
    return "done"


def _public_url(guide: FirstUse) -> str:
    url = (guide.answers.public_url or guide.talk.ask("address.ask")).rstrip("/")
    if url:
        _refuse_no_address(guide, url)
        _try(guide, url)
    return url


def _refuse_no_address(guide: FirstUse, url: str) -> None:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets, or a port that is none
        is_address = False
    if not is_address or "@" in url or "?" in url or "#" in url or len(url.split()) != 1:
        talk = guide.talk
        raise Failure(talk.words("address.wrong", url=url), "", talk.words("address.wrong.todo"))


def _try(guide: FirstUse, url: str) -> None:
    """Say who answers there. Raise Failure where it is the CRM: it would be sent back to itself, and PBXs to it."""
    talk, stored = guide.talk, guide.on_database(accounts)
    of_crm = {urlsplit(account.base_url).netloc for account in stored}
    said, what = run(_asked(url))
    if urlsplit(url).netloc in of_crm or _is_vendors(url) or said == "crm":
        raise Failure(talk.words("address.of-crm", url=url), "", talk.words("address.of-crm.todo"))
    talk.say(f"address.{said}", what=what, here=f"http://{Settings().host}:{Settings().port}")


def _is_vendors(url: str) -> bool:
    if is_local(urlsplit(url).hostname):
        return False
    try:
        return bool(trusted_address(url.replace("http://", "https://", 1)))
    except UntrustedAddress:
        return False


async def _asked(url: str) -> tuple[str, str]:
    """(who answers: ours, crm, other, nobody; what it said)."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), aiohttp.ClientSession() as session:
            if (await _get(session, f"{url}/healthz")) == (200, {"status": "ok"}):
                return "ours", ""
            status, body = await _get(session, f"{url}/_sandbox/token")
            return (
                ("crm", "") if isinstance(body, dict) and "access_token" in body else ("other", f"{status}")
            )
    except (aiohttp.ClientError, OSError, ValueError) as err:
        return "nobody", str(err) or type(err).__name__


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, object]:
    """(status, its JSON; None where it is none). What is longer than an answer of ours is nobody's of interest."""
    async with session.get(url, allow_redirects=False) as response:
        body = await response.content.read(10_000)
        try:
            return response.status, json.loads(body)
        except ValueError:
            return response.status, None
