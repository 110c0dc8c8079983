"""Secrets that are stored: sealed with AES-256-GCM, each bound to its table, column and row.

A stored value reads `sealed:1:<key id>:<nonce and ciphertext, base64url>`; whatever begins otherwise is plain text of the
time before there was a key. The key's id is made of the key itself, so that nobody has to number them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PREFIX = "sealed:1:"
CREDENTIAL = "callmatrix-secrets-key"
"""Under this name systemd hands the keys over (LoadCredential=)."""
_KEY_BYTES = 32
_NONCE_BYTES = 12
_READ_AGAIN_SECONDS = 1.0


class SealingError(Exception):
    """A secret cannot be sealed or opened. remedy: what to do."""

    code = "secret-unreadable"

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


class SecretsKeyMissing(SealingError):
    """Secrets are sealed with a key that this process was not given."""

    code = "secrets-key-missing"

    def __init__(self, key_ids: Sequence[str]) -> None:
        self.key_ids = tuple(key_ids)
        super().__init__(
            f"secrets in the database are sealed with key {', '.join(key_ids)}, which this process was not given",
            "set CALLMATRIX_SECRETS_KEY_FILE (or CALLMATRIX_SECRETS_KEY) to the keys of this installation;"
            " without the key the secrets cannot be read by anybody",
        )


class SecretsKeyUnusable(SealingError):
    """What was configured as key is none."""

    code = "secrets-key-unusable"


class SecretSpoilt(SealingError):
    """The stored value was changed, or stands in another row than the one it was sealed for."""

    code = "secret-spoilt"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the secret in {where} was changed or moved in the database",
            "set that secret anew, as a new one",
        )


class SecretUnwritable(SealingError):
    """No database keeps this secret: half of a character stands in it (a lone surrogate, as broken JSON and bytes that are no UTF-8 leave behind)."""

    code = "secret-unwritable"

    def __init__(self, where: str) -> None:
        super().__init__(
            f"the secret for {where} holds half of a character, which no text can be stored with",
            "copy it once more from where it is shown, as UTF-8",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where secrets stand. row: the columns that name a row. is_map: the column holds an object, whose values are the
    secrets."""

    table: str
    column: str
    row: tuple[str, ...] = ("account_id",)
    is_map: bool = False

    def bound_to(self, row: Sequence[str]) -> bytes:
        """Return what a sealed value is authenticated with. row: values of the row's columns, and the name in a map."""
        return "\x00".join((self.table, self.column, *row)).encode()

    def name(self, row: Sequence[str]) -> str:
        """For people; the row's first column alone, since others may be secrets themselves."""
        return f"{self.table}.{self.column} of '{row[0].encode(errors='backslashreplace').decode()}'"


def new_key() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def key_id_of(stored: str) -> str | None:
    """None: plain text."""
    return stored.removeprefix(PREFIX).partition(":")[0] if stored.startswith(PREFIX) else None


class KeyRing:
    """The keys of a process, the newest first: it seals, all of them open.

    read: gives the keys anew, for when a value names a key that another process was given meanwhile.
    """

    def __init__(self, keys: Sequence[bytes] = (), read: Callable[[], Sequence[bytes]] | None = None) -> None:
        self._read, self._read_at = read, time.monotonic()
        self._take(keys)

    def _take(self, keys: Sequence[bytes]) -> None:
        self._keys = {_id_of(key): key for key in keys}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The newest first."""
        return tuple(self._keys)

    def seal(self, place: Place, row: Sequence[str], text: str) -> str:
        """Return what is to be stored; the text itself where there is no key. Raises SecretUnwritable, key or not."""
        from cryptography.hazmat.primitives.ciphers.aead import (
            AESGCM,
        )  # slow to import: only where it is used

        if not all(map(_is_storable, (text, *row))):
            raise SecretUnwritable(place.name(row))
        if not self._keys:
            return text
        key_id, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), place.bound_to(row))
        return f"{PREFIX}{key_id}:{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, place: Place, row: Sequence[str], stored: str) -> str:
        """Return the secret. Raises SecretsKeyMissing, SecretSpoilt."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not stored.startswith(PREFIX):
            return stored
        key_id, _, encoded = stored.removeprefix(PREFIX).partition(":")
        key = self._find(key_id)
        try:
            sealed = base64.b64decode(encoded, altchars=b"-_", validate=True)
            text = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.bound_to(row))
        except (InvalidTag, binascii.Error, ValueError) as err:
            raise SecretSpoilt(place.name(row)) from err
        return text.decode()

    def missing(self, key_ids: Sequence[str]) -> list[str]:
        """Of these, the ones that this process does not have."""
        if any(key_id not in self._keys for key_id in key_ids):
            self._read_again()
        return [key_id for key_id in key_ids if key_id not in self._keys]

    def _find(self, key_id: str) -> bytes:
        if self.missing([key_id]):
            raise SecretsKeyMissing([key_id])
        return self._keys[key_id]

    def _read_again(self) -> None:
        if self._read is None or time.monotonic() - self._read_at < _READ_AGAIN_SECONDS:
            return
        self._read_at = time.monotonic()
        try:
            self._take(self._read())
        except SealingError:
            return  # the file is being written: what was read before is still good


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


NO_KEYS = KeyRing()


def key_ring(keys: str | None, file: Path | None) -> KeyRing:
    """Return the keys that were configured: as text, else from a file, else from systemd's credential; none is no error.
    Raises SecretsKeyUnusable."""
    if keys:
        return KeyRing(_parsed(keys, "CALLMATRIX_SECRETS_KEY"))
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if file is None and folder and (Path(folder) / CREDENTIAL).exists():
        file = Path(folder) / CREDENTIAL
    if file is None:
        return KeyRing()
    path = file
    return KeyRing(_from_file(path), lambda: _from_file(path))


def _from_file(path: Path) -> list[bytes]:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as err:
        remedy = (
            "give the program a file that it may read; where it was lost, bring it back from your copy: another key opens"
            " nothing. Only where nothing was ever sealed: make one with 'callmatrix secrets generate'"
        )
        raise SecretsKeyUnusable(f"the keys in {path} cannot be read: {err}", remedy) from err
    return _parsed(text, str(path))


def _parsed(text: str, where: str) -> list[bytes]:
    """Between keys: spaces, commas, line breaks. A line that begins with # is a remark."""
    words = re.split(r"[\s,]+", re.sub(r"(?m)^\s*#.*$", "", text).strip())
    keys = [_key(word, where) for word in words if word]
    if not keys:
        raise SecretsKeyUnusable(f"there is no key in {where}", "make one with 'callmatrix secrets generate'")
    return keys


def _key(word: str, where: str) -> bytes:
    try:
        key = base64.b64decode(word.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        remedy = "a key is 32 random bytes in base64: make one with 'callmatrix secrets generate'"
        raise SecretsKeyUnusable(f"what stands in {where} is no key", remedy)
    return key


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"callmatrix key id" + key).hexdigest()[:8]
