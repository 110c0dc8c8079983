"""Access tokens: signed JWTs whose claims clients decode, and whom they speak for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Any

import orjson

from crm.sandbox.state import ACCOUNT_ID, State

# Deterministic on purpose: a token that was pasted somewhere still works after the sandbox was restarted.
_KEY = b"callmatrix-sandbox"
LONG_LIVED_SECONDS = 5 * 365 * 86400
SCOPES = ["crm", "files", "files_delete", "notifications", "push_notifications"]


def issue(state: State, client_id: str, user_id: int, host: str, *, seconds: int, grant: str) -> str:
    """grant: authorization_code, refresh_token or long_lived. host: of the account, as clients reach it."""
    now = state.now()
    claims = {
        "aud": client_id,
        "jti": secrets.token_hex(32),
        "iat": now,
        "nbf": now,
        "exp": now + seconds,
        "sub": str(user_id),
        "grant_type": "" if grant == "long_lived" else grant,
        "account_id": ACCOUNT_ID,
        "base_domain": "amocrm.ru",
        "version": 2,
        "scopes": SCOPES,
        "hash_uuid": secrets.token_hex(16),
        "api_domain": host,
    }
    head = _encode(orjson.dumps({"typ": "JWT", "alg": "HS256"}))
    body = _encode(orjson.dumps(claims))
    return f"{head}.{body}.{_sign(head, body)}"


def claims_of(token: str) -> dict[str, Any] | None:
    """Return the claims where the signature is ours, expired or not."""
    try:
        head, body, signature = token.split(".")
        if not hmac.compare_digest(signature.encode(), _sign(head, body).encode()):
            return None
        claims = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def is_good(state: State, claims: dict[str, Any]) -> bool:
    """Neither expired nor revoked, and the integration is on."""
    if claims["exp"] <= state.now():
        return False
    integration = state.table("integrations").first([("client_id", "=", claims["aud"])])
    if integration is None or integration.get("is_off"):
        return False
    return state.table("revoked").first([("jti", "=", claims["jti"])]) is None


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _sign(head: str, body: str) -> str:
    return _encode(hmac.new(_KEY, f"{head}.{body}".encode(), hashlib.sha256).digest())
