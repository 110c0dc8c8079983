"""What is sought in dialogues is found in every alphabet, whatever the size of its letters and the locale of the database."""

from __future__ import annotations

from unicodedata import normalize

import asyncpg
import pytest

from gateway.store.channels.listing import SoughtText

_ALPHABETS = "".join(
    chr(code)
    for first, last in ((0x41, 0x24F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x586), (0x1E00, 0x1EFF))
    for code in range(first, last + 1)
    if chr(code).isalpha()
)


async def test_the_database_and_what_is_typed_agree_on_every_letter(pool: asyncpg.Pool) -> None:
    assert len(_ALPHABETS) > 1000
    rows = await pool.fetch(
        "SELECT letter, callmatrix_folded(letter) AS folded FROM unnest($1::text[]) AS l (letter)",
        list(_ALPHABETS),
    )
    differ = {r["letter"] for r in rows if r["folded"] != SoughtText(typed=r["letter"]).folded}
    assert differ == set()


@pytest.mark.parametrize(
    ("written", "sought"),
    [
        ("Їжак ЇЖАК", "їжак"),
        ("ҐАНОК", "ґанок"),
        ("ҚАЗАҚСТАН ӘЛЕМІ", "қазақстан"),
        ("қазақ", "ҚАЗАҚ"),
        ("Groß und ÄRGER", "ärger"),
        ("Groß und klein", "GROSS"),
        ("Ещё ёлка", "ЕЛКА"),
        ("елка", "Ёлка"),
        (normalize("NFD", "Чехов йод"), "ЙОД"),
        ("йод", normalize("NFD", "ЙОД")),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσεύς"[:5]),
        ("İstanbul", "istanbul"),
    ],
)
async def test_a_word_is_found_in_a_message_and_a_name(pool: asyncpg.Pool, written: str, sought: str) -> None:
    wanted = SoughtText(typed=sought)
    in_words = "SELECT callmatrix_chat_words($1::jsonb) @@ to_tsquery('simple', $2)"
    in_name = "SELECT strpos(callmatrix_folded($1), $2) > 0"
    assert await pool.fetchval(in_words, [{"text": written}], wanted.words)
    assert await pool.fetchval(in_name, written, wanted.folded)


async def test_the_index_of_messages_is_made_of_the_same_words(pool: asyncpg.Pool) -> None:
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'chat_message_words'::regclass"
    assert await pool.fetchval(valid)
    assert not await pool.fetchval(
        "SELECT callmatrix_chat_words($1::jsonb) @@ to_tsquery('simple', $2)",
        [{"text": "Їжак"}],
        SoughtText(typed="їжачок").words,
    )
