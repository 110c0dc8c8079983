"""Forms are judged by us: a browser would do it in its own language, in a bubble that is gone with the next press."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.store.admin.bindings import Bindings
from gateway.web.render import TEMPLATES
from routing.texts.catalogue import LANGUAGES, Language
from tests.integration.api.client import ACCOUNT, ANNA
from tests.integration.web.browser import Site
from tests.integration.web.html import Element
from tests.integration.web.scene import addresses_of, pages_that_are_seen, play_scene

_LETS_THE_BROWSER_JUDGE = (" pattern=", " minlength=", ' type="number"', "formnovalidate")


def test_no_template_lets_the_browser_judge() -> None:
    wrong = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        text = path.read_text()
        wrong += [path.name for form in text.split("<form")[1:] if " novalidate" not in form.split(">")[0]]
        wrong += [f"{path.name}: {one}" for one in _LETS_THE_BROWSER_JUDGE if one in text]
    assert wrong == []


def _sent(form: Element) -> dict[str, list[str]]:
    """What a browser would send of the form as it stands, without its buttons."""
    sent: dict[str, list[str]] = {}
    for one in form.all():
        name = one.attributes.get("name")
        if not name or name == "csrf" or "disabled" in one.attributes:
            continue
        if (
            one.tag == "input"
            and one.get("type") in ("checkbox", "radio")
            and "checked" not in one.attributes
        ):
            continue
        if one.tag == "textarea":
            sent.setdefault(name, []).append(one.text)
        elif one.tag == "select":
            chosen = [o for o in one.all("option") if "selected" in o.attributes] or one.all("option")[:1]
            sent.setdefault(name, []).extend(o.attributes.get("value", "") for o in chosen)
        elif one.tag == "input" and one.get("type") not in ("submit", "file"):
            sent.setdefault(name, []).append(one.attributes.get("value", "on"))
    return sent


def _pressed(page: Element, form: Element) -> dict[str, list[str]]:
    """The button that saves, of a form that has several; it may stand outside."""
    buttons = [
        *form.all("button", value="save"),
        *page.all("button", value="save", form=form.get("id") or "-"),
    ]
    saving = [one for one in buttons if one.get("name")]
    return {one["name"]: ["save"] for one in saving[:1]}


_OF_A_REAL_USER = "/me/account"
"""Who asks here is nobody of the database: test_sign_in.py has these forms."""


def _forms(page: Element) -> Iterator[tuple[Element, list[Element]]]:
    for form in page.all("form", method="post"):
        needed = [
            one for one in form.all() if "required" in one.attributes and "disabled" not in one.attributes
        ]
        if needed:
            yield form, needed


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_a_form_needs_and_lacks_is_said_at_its_field(site: Site, language: Language) -> None:
    await play_scene(site.pool)
    await site.process.configuration.reload()
    admin = site.as_("admin", language=language, bound=Bindings(account_id=ACCOUNT, employee=ANNA.id))
    wrong: list[str] = []
    tried: set[tuple[str, str]] = set()
    for address in [
        a
        for page in pages_that_are_seen()
        if page.path not in ("/_kit", _OF_A_REAL_USER)
        for a in addresses_of(page)
    ]:
        answer = await admin.get(address)
        if answer.status != 200:
            continue
        for form, needed in _forms(answer.page):
            for one in needed:
                key = (form["action"].partition("?")[0], one["name"])
                if key in tried:
                    continue
                tried.add(key)
                sent = {**_sent(form), **_pressed(answer.page, form), one["name"]: [""]}
                refused = await admin.post(form["action"], sent)
                marked = [
                    x.attributes.get("name") for x in refused.page.all() if x.get("aria-invalid") == "true"
                ]
                empty = [name for name in marked if name and not any(sent.get(name, [""]))]
                if refused.status not in (409, 422) or not (one["name"] in marked or empty):
                    wrong.append(f"{key}: {refused.status} {marked} {refused.headers.get('Location')}")
    assert len(tried) > 20
    assert not wrong, "\n".join(wrong)
