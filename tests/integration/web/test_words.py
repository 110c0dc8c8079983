"""Every page in both languages, with something on it: no sentence of the other language, no code, no secret; and with odd names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from gateway.store.admin.bindings import Bindings
from routing.texts.catalogue import LANGUAGES, Language
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.browser import Browser, Site
from tests.integration.web.html import Element
from tests.integration.web.scene import (
    ODD,
    addresses_of,
    pages_that_are_seen,
    play_scene,
)

_ME = Bindings(account_id=ACCOUNT, employee=ANNA.id)
_VERBATIM = frozenset({"code", "pre", "textarea", "kbd", "option", "script", "style"})
"""Elements whose words are no sentences of ours: what is pasted, typed or named by others."""
_CYRILLIC = re.compile(r"[А-Яа-яЁё]{2,}")
_LATIN = re.compile(r"[A-Za-z]{2,}(?: [a-z]{2,}){3,}")
_CODE = re.compile(
    r"\b[a-z]+_[a-z_]+\b|\b[a-z]+\.[a-z_]+\.[a-z_]+(/[a-z]+)?\b|\b(null|undefined|NaN|True|False)\b"
)
_JARGON = re.compile(r"\b(payload|p99|lease|inbox)\b", re.IGNORECASE)
_DATA = re.compile(
    r"\{\{.*?\}\}|utm_source|Новая|В работе|нет поля|рекомендуемый сценарий|Звонок \+\d+|Пропущенный звонок"
    r"|Перезвонить: пропущенный звонок от"
)
"""What the account's own texts and catalogues hold: they are in its language, whoever reads."""
_NAMES_OF_SETTINGS = ("/setup/audit", "/setup/new-pbx")
"""Pages that name settings and fields as files of configuration do."""
_WHOLE_NUMBERS = re.compile(r"9161234567|123-45-67|9990001122|000-11-22|9990001133|9990001144|3031112233")
_UNSAFE = re.compile(r"<[^>]*\s(style|on[a-z]+)=|<b>Мария|<script>alert|<i>«")


_TOLD_THERE = ("/distribution/templates/turns/hook", "/distribution/templates/shares/hook")
"""Where an admin takes the address that the CRM is to call."""


@pytest.fixture
async def scene(site: Site) -> Site:
    await play_scene(site.pool)
    await site.process.configuration.reload()
    return site


def _addresses() -> Iterator[str]:
    for page in pages_that_are_seen():
        if page.path != "/_kit":
            yield from addresses_of(page)


def _said(element: Element) -> Iterator[str]:
    """What is read or heard, piece by piece, without what others wrote."""
    for name in ("aria-label", "placeholder", "alt"):
        if text := element.get(name):
            yield text
    for child in element.children:
        if isinstance(child, str):
            yield " ".join(child.replace("\u00a0", " ").split())
        elif child.tag not in _VERBATIM and child.get("translate") != "no" and child.get("lang") is None:
            yield from _said(child)


def _admin(site: Site, language: Language) -> Browser:
    return site.as_("admin", language=language, bound=_ME)


async def _secrets(site: Site) -> list[str]:
    """The CRM's key, the part of our address that only the CRM knows, what stands for the passwords."""
    hook = str(await site.pool.fetchval("SELECT webhook_secret FROM account"))
    hashes = await site.pool.fetch("SELECT password_hash FROM admin_user")
    return [hook, "argon2", *(str(row["password_hash"]) for row in hashes)]


async def test_each_page_speaks_one_language_and_shows_no_code_and_no_secret(scene: Site) -> None:
    wrong: list[str] = []
    secrets = await _secrets(scene)
    for language in LANGUAGES:
        browser = _admin(scene, language)
        other = _CYRILLIC if language == "en" else _LATIN
        for address in _addresses():
            answer = await browser.get(address)
            assert answer.status < 500, address
            if answer.status >= 300 and answer.status < 400:
                continue
            if address not in _TOLD_THERE and any(secret in answer.text for secret in secrets):
                wrong.append(f"{address} tells a secret")
            patterns = [other, *([] if address.startswith(_NAMES_OF_SETTINGS) else [_CODE, _JARGON])]
            for said in (_DATA.sub("", text) for text in _said(answer.page.one("body"))):
                for pattern in patterns:
                    if found := pattern.search(said):
                        wrong.append(f"{language} {address}: {found[0]!r} in {said[:100]!r}")
    assert not wrong, "\n".join(sorted(set(wrong)))


async def test_odd_names_break_no_page(site: Site) -> None:
    await play_scene(site.pool, ODD)
    await site.process.configuration.reload()
    wrong = []
    for language in LANGUAGES:
        browser = _admin(site, language)
        for address in _addresses():
            answer = await browser.get(address)
            if answer.status >= 500 or _UNSAFE.search(answer.text):
                wrong.append((language, address, answer.status))
    assert wrong == []
    journal = await _admin(site, "ru").get("/calls?period=all")
    assert ODD.client in journal.words


async def test_who_only_looks_finds_no_whole_number_anywhere(scene: Site) -> None:
    wrong = []
    guest = scene.as_("read_only", language="en", bound=Bindings(account_id=ACCOUNT))
    for address in _addresses():
        if "q=" in address or "number=" in address or "cell=" in address:
            continue  # what one asked for oneself, and a number that is an example
        answer = await guest.get(address)
        if found := _WHOLE_NUMBERS.search(answer.text):
            wrong.append((address, found[0]))
    assert wrong == []
