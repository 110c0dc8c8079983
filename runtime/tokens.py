"""Secrets that we give out: made here, and kept only as their hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_secret(bits: int = 192) -> str:
    return secrets.token_urlsafe(bits // 8)


def hash_of(token: str) -> str:
    """Hex sha256: what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_hash_of(token: str, stored: str) -> bool:
    """Whether this is the token whose hash was stored. Compared in constant time."""
    return hmac.compare_digest(hash_of(token), stored)
