"""Secrets are sealed for one place only, and with keys that anybody can give."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.database.sealing import (
    CREDENTIAL,
    NO_KEYS,
    PREFIX,
    KeyRing,
    Place,
    SecretsKeyMissing,
    SecretsKeyUnusable,
    SecretSpoilt,
    SecretUnwritable,
    key_id_of,
    key_ring,
    new_key,
)

TOKEN = Place("crm_token", "access_token")
OTHER = Place("crm_token", "refresh_token")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1)
HALVES = st.characters(categories=["Cs"])


def ring(*keys: str) -> KeyRing:
    return key_ring(" ".join(keys), None)


@given(text=TEXTS, row=NAMES)
def test_what_was_sealed_opens_in_its_place_only(text: str, row: str) -> None:
    keys = ring(new_key())
    sealed = keys.seal(TOKEN, [row], text)
    assert sealed.startswith(PREFIX)
    assert keys.open(TOKEN, [row], sealed) == text
    for place, other in ((TOKEN, row + "x"), (OTHER, row)):
        with pytest.raises(SecretSpoilt):
            keys.open(place, [other], sealed)


@given(before=TEXTS, half=HALVES, after=TEXTS, is_key=st.booleans(), is_name=st.booleans())
def test_half_a_character_is_refused_before_anything_is_stored_and_not_told(
    before: str, half: str, after: str, is_key: bool, is_name: bool
) -> None:
    keys, broken = ring(new_key()) if is_key else NO_KEYS, f"{before}{half}{after}"
    text, row = ("secret", broken) if is_name else (broken, "main")
    with pytest.raises(SecretUnwritable) as told:
        keys.seal(TOKEN, [row], text)
    assert "half of a character" in str(told.value)
    assert half not in str(told.value)
    if is_key:
        with pytest.raises(SecretSpoilt):
            keys.open(TOKEN, [f"main{half}"], keys.seal(TOKEN, ["main"], "secret"))


def test_the_same_secret_is_never_stored_alike_twice() -> None:
    keys = ring(new_key())
    assert keys.seal(TOKEN, ["a"], "secret") != keys.seal(TOKEN, ["a"], "secret")


@given(where=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_changed_byte_is_noticed(where: int, bit: int) -> None:
    keys = ring(new_key())
    head, _, encoded = keys.seal(TOKEN, ["a"], "a secret of some length").rpartition(":")
    raw = bytearray(base64.urlsafe_b64decode(encoded))
    raw[where % len(raw)] ^= 1 << bit
    with pytest.raises(SecretSpoilt):
        keys.open(TOKEN, ["a"], f"{head}:{base64.urlsafe_b64encode(raw).decode()}")


@pytest.mark.parametrize(
    "cut", [PREFIX, f"{PREFIX}%s", f"{PREFIX}%s:", f"{PREFIX}%s:AAAA", f"{PREFIX}%s:no base64!"]
)
def test_what_was_cut_off_is_refused_by_a_name(cut: str) -> None:
    keys = ring(new_key())
    with pytest.raises((SecretSpoilt, SecretsKeyMissing)):
        keys.open(TOKEN, ["a"], cut.replace("%s", keys.ids[0]))


def test_the_newest_key_seals_and_all_of_them_open() -> None:
    old, new = new_key(), new_key()
    sealed = ring(old).seal(TOKEN, ["a"], "secret")
    both = ring(new, old)
    assert both.open(TOKEN, ["a"], sealed) == "secret"
    assert key_id_of(both.seal(TOKEN, ["a"], "secret")) == ring(new).ids[0]
    with pytest.raises(SecretsKeyMissing) as told:
        ring(new).open(TOKEN, ["a"], sealed)
    assert told.value.key_ids == ring(old).ids


def test_without_a_key_plain_text_stays_what_it_is() -> None:
    assert NO_KEYS.seal(TOKEN, ["a"], "secret") == "secret"
    assert NO_KEYS.open(TOKEN, ["a"], "secret") == "secret"
    assert ring(new_key()).open(TOKEN, ["a"], "secret") == "secret"


def test_keys_come_from_a_file_with_remarks_and_a_new_one_is_noticed_when_it_is_met(tmp_path: Path) -> None:
    old, new, file = new_key(), new_key(), tmp_path / "keys"
    file.write_text(f"# of 2026\n{old}\n")
    running = key_ring(None, file)
    file.write_text(f"{new}\n{old}\n")
    sealed = ring(new).seal(TOKEN, ["a"], "secret")
    running._read_at -= 2  # it looks at the file once a second at most
    assert running.open(TOKEN, ["a"], sealed) == "secret"
    assert running.ids == ring(new, old).ids


def test_the_environment_goes_before_the_file_and_the_file_before_the_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [new_key() for _ in range(3)]
    file = tmp_path / "keys"
    file.write_text(keys[1])
    (tmp_path / CREDENTIAL).write_text(keys[2])
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert key_ring(keys[0], file).ids == ring(keys[0]).ids
    assert key_ring(None, file).ids == ring(keys[1]).ids
    assert key_ring(None, None).ids == ring(keys[2]).ids
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert not key_ring(None, None)


@pytest.mark.parametrize(
    "text", ["# nothing\n", "short", "a" * 44, base64.b64encode(b"x" * 31).decode(), "é" * 44]
)
def test_what_is_no_key_is_refused_without_being_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(text)
    with pytest.raises(SecretsKeyUnusable) as told:
        key_ring(None, tmp_path / "keys")
    assert "secrets generate" in told.value.remedy
    assert text not in str(told.value) + told.value.remedy
    with pytest.raises(SecretsKeyUnusable):
        key_ring(None, tmp_path / "nowhere")


def test_a_ring_shows_the_names_of_its_keys_only() -> None:
    key = new_key()
    assert key not in repr(ring(key))
