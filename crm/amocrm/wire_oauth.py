"""OAuth of amoCRM: token requests, their answers, what a JWT says of itself, and which addresses a key may go to.

Bytes <-> values, no I/O.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import orjson

from crm.amocrm.fields import Node
from crm.amocrm.wire import Reply, Request, error_of, read_answer
from crm.errors import CrmError, CrmUnreadable
from runtime.addresses import is_local

TOKEN_PATH = "/oauth2/access_token"  # noqa: S105

_VENDOR_HOST = re.compile(r"[a-z0-9-]{1,63}\.(amocrm\.ru|amocrm\.com|kommo\.com)")
_CONSENT_PAGES = {
    "amocrm.ru": "https://www.amocrm.ru",
    "amocrm.com": "https://www.amocrm.com",
    "kommo.com": "https://www.kommo.com",
}
_HOST_AND_PORT = re.compile(r"[a-z0-9._-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:.]{2,45}\](:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A new pair. expires_in: seconds from now."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What an access token says of itself, unverified: we only read our own tokens."""

    expires_at: datetime | None = None
    api_domain: str | None = None
    account_id: str | None = None


def by_code(*, client_id: str, client_secret: str, redirect_uri: str, code: str) -> Request:
    return _grant("authorization_code", client_id, client_secret, redirect_uri, code=code)


def by_refresh(*, client_id: str, client_secret: str, redirect_uri: str, refresh_token: str) -> Request:
    return _grant("refresh_token", client_id, client_secret, redirect_uri, refresh_token=refresh_token)


def _grant(kind: str, client_id: str, client_secret: str, redirect_uri: str, **secret: str) -> Request:
    body = {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": kind,
        "redirect_uri": redirect_uri,
        **secret,
    }
    return Request(method="POST", path=TOKEN_PATH, body=body)


def present_address(refresh_token: str) -> Request:
    """Asks the token's `api_domain` where the account lives now."""
    return Request(
        method="GET",
        path="/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": refresh_token},
    )


def consent_address(*, client_id: str, state: str, base_url: str, redirect_uri: str) -> str:
    """Return the page on which an admin of the CRM grants access: of amoCRM or Kommo as the account is the one's or the
    other's, and of what stands in their place on the account's own host, which is told where to send the person back to."""
    asked = {"client_id": client_id, "state": state, "mode": "post_message"}
    vendor = _VENDOR_HOST.fullmatch(urlsplit(base_url).netloc)
    if vendor is None:
        return f"{base_url}/oauth?{urlencode({**asked, 'redirect_uri': redirect_uri})}"
    return f"{_CONSENT_PAGES[vendor[1]]}/oauth?{urlencode(asked)}"


def granted(request: Request, reply: Reply) -> Granted:
    """Read what was granted. Raises the CrmError that the answer stands for; CrmUnreadable naming the field."""
    answer = read_answer(request, reply)
    if answer is None:
        raise CrmUnreadable("no tokens in the answer", "access_token")
    return Granted(
        access_token=answer.get("access_token").text(),
        refresh_token=answer.get("refresh_token").text(),
        expires_in=answer.get("expires_in").number(),
    )


def domain(request: Request, reply: Reply) -> str:
    answer = read_answer(request, reply)
    if answer is None:
        raise CrmUnreadable("no address in the answer", "domain")
    return answer.get("domain").text()


TokenRefusal = Literal["token-used", "client-refused", "moved", "other"]


def refusal(request: Request, reply: Reply) -> tuple[TokenRefusal, CrmError] | None:
    """Why a refresh was refused for good, None where the answer is good or says nothing about the token.

    A used or expired refresh token has a `hint`, a wrong client or secret (or an unpaid account) has none [public issues].
    """
    if reply.status not in (400, 401, 404):
        return None
    err = error_of(request, reply)
    if reply.status == 404:
        return "moved", err
    if reply.status == 400:
        return "other", err
    return ("token-used" if _has_hint(reply) else "client-refused"), err


def _has_hint(reply: Reply) -> bool:
    try:
        body = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(body, dict) and bool(body.get("hint"))


def claims(token: str) -> Claims:
    """All None where the token is no JWT: its length and shape are not promised."""
    payload = _payload(token)
    exp = payload.get("exp")
    is_time = isinstance(exp, int | float) and not isinstance(exp, bool)
    api_domain = payload.get("api_domain")
    account = Node(payload.get("account_id"))
    return Claims(
        expires_at=datetime.fromtimestamp(exp, UTC) if is_time and exp is not None else None,
        api_domain=api_domain if isinstance(api_domain, str) and api_domain else None,
        account_id=account.id() if isinstance(account.value, int | str) and account.value else None,
    )


def _payload(token: str) -> Mapping[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        raw = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        value = orjson.loads(raw)
    except (binascii.Error, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


ADDRESSES_IN_WORDS = "https://name.amocrm.ru, .amocrm.com or .kommo.com"


class UntrustedAddress(ValueError):
    """An address that no key is sent to. The message says why."""


def is_vendor_host(host: str) -> bool:
    """host: as it stands in an address; a port, a path or credentials beside the name are nobody's host."""
    return _VENDOR_HOST.fullmatch(host) is not None


def trusted_address(text: str, allowed: Collection[str] = ()) -> str:
    """Return the CRM's address as it is stored: scheme and host. Raise UntrustedAddress.

    allowed: what the operator named besides the vendor's hosts, `host` or `host:port`; with `http://` in front it is
    reached without TLS.
    """
    found = _without_path(text)
    scheme, _, host = found.partition("://")
    if is_local(urlsplit(found).hostname):
        return found
    if found in allowed:
        return found
    if scheme != "https":
        raise UntrustedAddress("keys would travel in the clear")
    if is_vendor_host(host) or host in allowed:
        return found
    raise UntrustedAddress(f"{host} is no host of amoCRM or Kommo")


def _without_path(text: str) -> str:
    text = text.strip()
    try:
        parts = urlsplit(text)
        host = parts.netloc.lower()
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as err:
        raise UntrustedAddress("it is no address") from err
    if "@" in host:
        raise UntrustedAddress("a name or password stands in it")
    if not is_address or not _HOST_AND_PORT.fullmatch(host):
        raise UntrustedAddress("it is no address")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UntrustedAddress("something stands behind the host")
    return f"{parts.scheme}://{host}"


def is_same_place(one: str, other: str) -> bool:
    """Whether two addresses are one account's as far as addresses tell: the same host and port, or the same name at another of
    the vendor's hosts, between which the vendor itself moves accounts."""
    hosts = [urlsplit(url).netloc.lower() for url in (one, other)]
    if all(map(is_vendor_host, hosts)):
        hosts = [host.partition(".")[0] for host in hosts]
    return hosts[0] == hosts[1]


def moved_address(base_url: str, host: str, allowed: Collection[str] = ()) -> str | None:
    """Return the address of an account that is said to live at `host` now; None where nothing is sent there.

    Only an account on this machine, which is the sandbox's, moves to another place on it.
    """
    host = host.lower()
    if host == urlsplit(base_url).netloc:
        return base_url
    if is_vendor_host(host) or host in allowed:
        return f"https://{host}"
    if f"http://{host}" in allowed:
        return f"http://{host}"
    at = urlsplit(base_url)
    if is_local(at.hostname) and _HOST_AND_PORT.fullmatch(host):
        found = f"{at.scheme}://{host}"
        return found if is_local(urlsplit(found).hostname) else None
    return None
