"""OAuth: the page that a person confirms, codes, token pairs with single-use refresh tokens, and who a token speaks for."""

from __future__ import annotations

import html as markup
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from crm.sandbox.api.replies import JSON, SandboxReply, answer, refuse
from crm.sandbox.auth import tokens
from crm.sandbox.state import ACCOUNT_ID, SUBDOMAIN, State
from crm.sandbox.store import SandboxRow

_TYPE = "https://developers.amocrm.ru/v3/errors/OAuthProblemJson"


def handle(state: State, request: web.Request, body: bytes) -> SandboxReply:
    match (request.method, request.path):
        case ("GET", "/oauth") | ("GET", "/oauth/"):
            return _page(state, request)
        case ("POST", "/oauth") | ("POST", "/oauth/"):
            return _decided(state, dict(parse_qsl(body.decode())), request.host)
        case ("POST", "/oauth2/access_token"):
            return _access_token(state, proof_of(request.content_type, body), request.host)
        case ("GET", "/oauth2/account/current/subdomain"):
            return _subdomain(state, request)
        case ("GET", "/oauth2/account/subdomain"):
            speaker(state, request.headers)
            return _domain(state, request)
    raise refuse(404, f"Cannot {request.method} {request.path}")


def speaker(state: State, headers: Mapping[str, str]) -> SandboxRow:
    """Return the user whose rights a request has. Refuses with the vendor's 401."""
    token = headers.get("Authorization", "").removeprefix("Bearer ").strip()
    claims = tokens.claims_of(token)
    if claims is None or not tokens.is_good(state, claims):
        raise _unauthorized()
    user = state.users().get(int(claims["sub"]))
    if user is None:
        raise _unauthorized()
    context = headers.get("X-Context-User-ID")
    if context is None:
        return user
    acting = state.users().get(int(context)) if context.isdigit() else None
    if acting is None or not user["is_admin"] or acting.get("is_free") or not acting["is_active"]:
        raise _unauthorized()
    return acting


def _unauthorized() -> Exception:
    return refuse(401, "Неверный логин или пароль")


# the person's side


def _page(state: State, request: web.Request) -> SandboxReply:
    """Show a page to allow or refuse; with `approve=1` it redirects at once."""
    query = dict(request.query)
    integration = _integration(state, query.get("client_id"))
    if integration is None:
        raise refuse(400, "Unknown client_id")
    if query.get("approve"):
        return _decided(state, {**query, "decision": "allow"}, request.host)
    names = ("client_id", "state", "redirect_uri", "user_id")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{markup.escape(query[name])}">'
        for name in names
        if name in query
    )
    page = (
        "<!doctype html><html lang=en><title>CRM sandbox</title><body>"
        f"<h1>{markup.escape(integration['name'])}</h1><p>wants to use the account {SUBDOMAIN}.</p>"
        f'<form method="post" action="/oauth">{hidden}'
        '<button name="decision" value="allow">Allow</button> '
        '<button name="decision" value="refuse">Refuse</button></form></body></html>'
    )
    return SandboxReply(200, page.encode(), "text/html", entities=0)


def _decided(state: State, form: Mapping[str, str], host: str) -> SandboxReply:
    integration = _integration(state, form.get("client_id"))
    redirect = (integration or {}).get("redirect_uri") or form.get("redirect_uri")
    if integration is None or not redirect:
        raise refuse(400, "Unknown client_id, or the integration has no redirect_uri")
    asked = {"state": form["state"]} if form.get("state") else {}
    if form.get("decision") != "allow":
        return _redirect(redirect, {"error": "access_denied", **asked})
    code = secrets.token_hex(64)
    user = int(form.get("user_id") or next(row["id"] for row in state.users().values() if row["is_admin"]))
    expires = state.now() + state.profile.code_seconds
    granted = {
        "client_id": integration["client_id"],
        "user_id": user,
        "redirect_uri": redirect,
        "expires": expires,
    }
    state.table("grants").add({"kind": "code", "value": code, **granted})
    platform = "2" if state.profile.name == "kommo" else "1"
    asked |= {"referer": host, "platform": platform, "client_id": integration["client_id"]}
    return _redirect(redirect, {"code": code, **asked})


def _redirect(address: str, query: Mapping[str, str]) -> SandboxReply:
    joint = "&" if "?" in address else "?"
    return SandboxReply(302, headers={"Location": f"{address}{joint}{urlencode(query)}"}, entities=0)


# the integration's side


def proof_of(content_type: str, body: bytes) -> dict[str, Any] | None:
    """Return what a token request says, as JSON or as a form (the vendor's own library sends one); None = neither."""
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        sent = orjson.loads(body)
    except ValueError:
        return None
    return sent if isinstance(sent, dict) else None


def _access_token(state: State, sent: dict[str, Any] | None, host: str) -> SandboxReply:
    if sent is None:
        raise _refused(400, "The request is malformed")
    grant = sent.get("grant_type")
    proof = {"authorization_code": "code", "refresh_token": "refresh_token"}.get(str(grant))
    needed = ("client_id", "client_secret", "redirect_uri", proof or "grant_type")
    if proof is None or any(not isinstance(sent.get(name), str) for name in needed):
        raise _refused(400, "The request is missing a required parameter")
    integration = _integration(state, sent["client_id"])
    if integration is None or integration["secret"] != sent["client_secret"] or integration.get("is_off"):
        raise _refused(401, "Client authentication failed")
    return _exchanged(state, integration, sent, proof, host)


def _exchanged(
    state: State, integration: SandboxRow, sent: Mapping[str, Any], proof: str, host: str
) -> SandboxReply:
    kind = "code" if proof == "code" else "refresh"
    granted = state.table("grants").first([("value", "=", sent[proof]), ("kind", "=", kind)])
    name = "Authorization code" if kind == "code" else "Refresh token"
    if granted is None or granted["client_id"] != integration["client_id"]:
        raise _refused(401, "The token is invalid", hint=f"Cannot decrypt the {name.lower()}")
    if granted["redirect_uri"] != sent["redirect_uri"]:
        raise _refused(401, "Client authentication failed")
    if granted.get("used"):
        hint = "Token has been revoked" if kind == "refresh" else "Authorization code has been revoked"
        raise _refused(401, "The token is invalid", hint=hint)
    if granted["expires"] <= state.now():
        raise _refused(401, "The token is invalid", hint=f"{name} has expired")
    granted["used"] = True
    state.table("grants").put(granted)
    if state.profile.old_token_after_refresh == "revoked" and granted.get("access_jti"):  # noqa: S105
        state.table("revoked").add({"jti": granted["access_jti"]})
    return _pair(state, integration, granted, str(sent["grant_type"]), host)


def _pair(state: State, integration: SandboxRow, granted: SandboxRow, grant: str, host: str) -> SandboxReply:
    seconds = state.profile.access_token_seconds
    client_id, user = integration["client_id"], granted["user_id"]
    access = tokens.issue(state, client_id, user, host, seconds=seconds, grant=grant)
    refresh = "def50200" + secrets.token_hex(300)
    claims = tokens.claims_of(access) or {}
    state.table("grants").add(
        {
            "kind": "refresh",
            "value": refresh,
            "client_id": client_id,
            "user_id": user,
            "redirect_uri": granted["redirect_uri"],
            "expires": state.now() + state.profile.refresh_token_seconds,
            "access_jti": claims["jti"],
        }
    )
    value = {
        "token_type": "Bearer",
        "expires_in": seconds,
        "server_time": state.now(),
        "access_token": access,
        "refresh_token": refresh,
    }
    return answer(value, content_type=JSON, entities=1)


def _refused(status: int, detail: str, **more: str) -> Exception:
    title = "Авторизация приложения не удалась" if status == 401 else "Некорректный запрос"
    refusal = refuse(status, detail)
    value = {**more, "title": title, "type": _TYPE, "status": status, "detail": detail}
    refusal.reply = answer(value, status=status, content_type=JSON, entities=0)
    return refusal


def _integration(state: State, client_id: object) -> SandboxRow | None:
    if not isinstance(client_id, str):
        return None
    return state.table("integrations").first([("client_id", "=", client_id)])


def _subdomain(state: State, request: web.Request) -> SandboxReply:
    value = request.headers.get("X-Refresh-Token", "")
    granted = state.table("grants").first([("value", "=", value), ("kind", "=", "refresh")])
    if granted is None or granted.get("used"):
        raise _unauthorized()
    return _domain(state, request)


def _domain(state: State, request: web.Request) -> SandboxReply:
    top = "com" if state.profile.name == "kommo" else "ru"
    found = {"id": ACCOUNT_ID, "subdomain": SUBDOMAIN, "domain": request.host, "top_level_domain": top}
    return answer(found, content_type=JSON, entities=1)
