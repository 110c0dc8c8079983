"""The matrix in a browser without script: a cell edited, a problem shown, a call tried, published, gone back; two editors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway.store.admin import matrices
from gateway.store.admin.matrix_catalogue import catalogue_of
from routing.matrix.actions import MakeDeal
from routing.matrix.versions.parts import MatrixPart, with_part
from routing.texts.catalogue import Language
from tests.integration.api.client import ACCOUNT
from tests.integration.web.browser import Answer, Browser, Site
from tests.integration.web.catalogues import read_catalogues

CELL = "inbound.missed.new/end"
OTHER = "inbound.answered.known_with_deal/end"
HTMX: dict[str, Any] = {"HX-Request": "true"}
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@pytest.fixture
async def crm(site: Site) -> Site:
    """The site of an account whose CRM's catalogues were read."""
    await read_catalogues(site.pool)
    return site


def fields_of(answer: Answer, id: str) -> dict[str, str]:
    """What a browser would send of this form: hidden, text, chosen and checked fields."""
    form = answer.page.by_id(id)
    found: dict[str, str] = {}
    for one in form.walk():
        name = one.get("name")
        if name is None or one.tag == "button" or one.tag == "details":
            continue
        if one.tag == "select":
            chosen = [o for o in one.all("option") if o.get("selected") is not None]
            found[name] = (chosen or one.all("option"))[0]["value"]
        elif one.get("type") in ("checkbox", "radio"):
            if one.get("checked") is not None:
                found[name] = one.get("value") or "on"
        else:
            found[name] = one.get("value") or one.text
    found.pop("csrf", None)
    return found


async def panel(browser: Browser, cell: str = CELL) -> Answer:
    answer = await browser.get(f"/matrix?cell={cell}")
    assert answer.status == 200, answer.text
    return answer


async def draft(site: Site) -> matrices.Draft:
    async with site.pool.acquire() as conn:
        return await matrices.draft(conn, ACCOUNT)


async def actions(site: Site, cell: str = CELL) -> list[str]:
    return [a.do for a in (await draft(site)).matrix.tables["default"].cells[cell]]


PATHS = (
    "/matrix",
    "/matrix?direction=outbound",
    f"/matrix?cell={CELL}",
    "/matrix/rules",
    "/matrix/ads",
    "/matrix/versions",
    "/matrix/versions/difference",
    "/matrix/publish",
    "/matrix/trial",
    "/matrix/presets",
    "/matrix/reset",
)


async def test_every_page_answers_in_both_languages_and_without_styles_in_place(crm: Site) -> None:
    for language in ("ru", "en"):
        admin = crm.as_("admin", language=language)
        for path in PATHS:
            answer = await admin.get(path)
            assert answer.status == 200, (path, answer.text[:2000])
            assert not re.search(r"\sstyle=|\son[a-z]+=", answer.text), path
            assert answer.page.one("h1").text, path
            if language == "en":
                said = CYRILLIC.sub("", answer.page.by_id("content").text)
                assert len(said) > 10, path


async def test_the_table_has_one_cell_over_the_outcomes_while_ringing_and_hatches_what_cannot_be(
    crm: Site,
) -> None:
    page = (await crm.as_("read_only").get("/matrix")).page
    table = page.by_id("matrix-table")
    rings = [td for td in table.all("td") if td.get("rowspan") == "3"]
    assert len(rings) == 3
    assert len(table.all("td", cls="cm-impossible")) == 3
    assert len(table.all("a", cls="cm-cell")) == 3 * (1 + 2 + 2 + 1)


async def test_a_cell_is_edited_by_buttons_alone_and_an_action_removed_comes_back(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    before = await actions(crm)
    form = fields_of(await panel(senior), "cell-form")
    added = await senior.post("/matrix/cell", {**form, "act": "add.add_note"})
    assert added.status == 303
    assert await actions(crm) == [*before, "add_note"]
    form = fields_of(await senior.get(added.location.partition("#")[0]), "cell-form")
    number = len(before)
    await senior.post(
        "/matrix/cell", {**form, f"a{number}.text": "Пропущен {{ client.number }}", "act": f"up.{number}"}
    )
    assert (await actions(crm))[number - 1] == "add_note"
    form = fields_of(await panel(senior), "cell-form")
    assert form[f"a{number - 1}.text"] == "Пропущен {{ client.number }}"
    removed = await senior.post("/matrix/cell", {**form, "act": "remove.0"})
    shown = await senior.get(removed.location.partition("#")[0])
    assert before[0] not in (await actions(crm))[:1] or len(await actions(crm)) == len(before)
    back = next(f for f in shown.page.all("form") if (f.get("action") or "").startswith("/matrix/undo"))
    hidden = {i["name"]: i["value"] for i in back.all("input") if i["name"] != "csrf"}
    await senior.post("/matrix/undo", hidden)
    assert (await actions(crm))[0] == before[0]
    assert (await draft(crm)).saved_by == senior.person.name if senior.person else False


async def test_what_is_saved_as_it_was_is_not_saved_again(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    for cell in (CELL, OTHER, "inbound.answered.new/answer", "outbound.missed.known_with_deal/end"):
        form = fields_of(await panel(senior, cell), "cell-form")
        await senior.post("/matrix/cell", {**form, "act": "save"})
    seen = await draft(crm)
    assert (seen.revision, seen.is_changed) == (0, False)


async def test_a_save_by_itself_answers_with_foot_table_and_problems(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    form = fields_of(await panel(senior), "cell-form")
    number = next(n for n in range(9) if form.get(f"a{n}.do") == "create_task")
    sent = {**form, f"a{number}.text": "{{ nothing }}"}
    saved = await senior.post("/matrix/cell", sent, **HTMX)
    assert saved.status == 200, saved.text
    assert saved.page.by_id("matrix-foot").text.startswith("Черновик сохранён")
    assert saved.page.by_id("cell-revision")["value"] == "1"
    assert "Опубликовать нельзя" in saved.page.by_id("matrix-strips").text
    assert saved.page.by_id("cell-inbound-missed-new-end").all(cls="cm-bad")


async def test_a_gone_stage_stays_in_red_and_keeps_from_publishing(crm: Site) -> None:
    admin = crm.as_("admin")
    async with crm.pool.acquire() as conn:
        seen = await matrices.draft(conn, ACCOUNT)
        gone = with_part(
            seen.matrix, MatrixPart("default", CELL), (MakeDeal(pipeline_id="1", stage_id="99"),)
        )
        await matrices.save_draft(conn, ACCOUNT, gone, revision=0, by="x")
    page = (await panel(admin)).page
    chosen = [o for o in page.by_id("a0-place").all("option") if o.get("selected") is not None]
    assert [o["value"] for o in chosen] == ["1:99"]
    assert "нет в amoCRM" in chosen[0].text
    strip = page.by_id("matrix-strips")
    assert "Опубликовать нельзя: 1 ошибка" in strip.text
    assert any(CELL in (a.get("href") or "").replace("%2F", "/") for a in strip.all("a"))
    refused = await admin.post("/matrix/publish", {"revision": "1", "why": "нужно", "part": "all"})
    assert refused.status == 422


async def test_a_call_is_tried_on_the_draft(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    shown = await senior.get(f"/matrix?cell={CELL}&number=8+900+000-19-55&result=missed")
    assert "Перезвонить" in shown.page.by_id("try-result").text
    part = await senior.fragment(f"/matrix/try?cell={CELL}&number=8+900+000-19-55&result=missed")
    assert part.status == 200
    assert "<html" not in part.text
    reader = await crm.as_("read_only").get("/matrix/try?number=1")
    assert reader.status == 403


async def test_a_draft_is_published_with_a_reason_and_gone_back_from(crm: Site) -> None:
    admin = crm.as_("admin")
    form = fields_of(await panel(admin), "cell-form")
    await admin.post("/matrix/cell", {**form, "act": "add.add_note"})
    page = (await admin.get("/matrix/publish")).page
    assert "добавить примечание" in page.by_id("changes").text
    short = await admin.post("/matrix/publish", {"revision": "1", "why": "ok", "part": "all"})
    assert (short.status, "не короче трёх" in short.text) == (422, True)
    done = await admin.post("/matrix/publish", {"revision": "1", "why": "пробуем", "part": "all"})
    assert (done.status, done.location) == (303, "/matrix/versions")
    rows = (await admin.get("/matrix/versions")).page.one("table").text
    assert "пробуем" in rows
    assert "Вернуться к 1" in rows
    assert (await admin.get("/matrix/versions/1/restore")).status == 200
    back = await admin.post("/matrix/versions/1/restore", {"why": "хуже"})
    assert back.status == 303
    async with crm.pool.acquire() as conn:
        assert await matrices.current_version(conn, ACCOUNT) == 3
    senior = await crm.as_("senior_manager").post(
        "/matrix/publish", {"revision": "2", "why": "xxx", "part": "all"}
    )
    assert senior.status == 403


async def test_a_draft_that_was_begun_before_a_version_is_kept_on_the_page_where_it_is_published(
    crm: Site,
) -> None:
    admin = crm.as_("admin")
    for cell in (CELL, OTHER):
        await admin.post(
            "/matrix/cell", {**fields_of(await panel(admin, cell), "cell-form"), "act": "add.add_note"}
        )
        if cell == CELL:
            order = {**fields_of(await admin.get("/matrix/publish"), "publish-form"), "why": "заметка"}
            assert (await admin.post("/matrix/publish", {**order, "part": "all"})).status == 303
    assert (await admin.post("/matrix/versions/1/restore", {"why": "хуже"})).status == 303
    page = await admin.get("/matrix/publish")
    assert "этот черновик начат с версии 2" in page.words
    form = next(f for f in page.page.all("form") if f.get("action") == "/matrix/begun-earlier")
    seen = {i["name"]: i["value"] for i in form.all("input") if i["name"] != "csrf"}
    refused = await admin.post(
        "/matrix/publish", {"revision": seen["revision"], "why": "ещё раз", "part": "all"}
    )
    assert (refused.status, "Сначала решите" in refused.words) == (409, True)
    kept = await admin.post("/matrix/begun-earlier", {**seen, "what": "keep"})
    assert kept.location == "/matrix/publish"
    page = await admin.get("/matrix/publish")
    assert "начат с версии" not in page.words
    order = {**fields_of(page, "publish-form"), "why": "ещё раз", "part": "all"}
    assert (await admin.post("/matrix/publish", order)).status == 303
    async with crm.pool.acquire() as conn:
        [now, first] = [await matrices.matrix_at(conn, ACCOUNT, version) for version in (4, 1)]
    [cells, before] = [matrix.tables["default"].cells for matrix in (now, first)]
    assert {where for where in cells if cells[where] != before[where]} == {OTHER}


async def test_two_editors_keep_both_or_choose_and_nothing_is_lost(crm: Site) -> None:
    anna, boris = crm.as_("senior_manager"), crm.as_("admin")
    mine, other, theirs = [
        fields_of(await panel(who, cell), "cell-form")
        for who, cell in ((anna, CELL), (anna, OTHER), (boris, CELL))
    ]
    await anna.post("/matrix/cell", {**other, "act": "add.create_task"})
    both = await boris.post("/matrix/cell", {**theirs, "act": "add.add_note"})
    assert both.status == 303
    assert (await actions(crm))[-1] == "add_note"
    assert (await actions(crm, OTHER))[-1] == "create_task"

    asked = await anna.post("/matrix/cell", {**mine, "act": "add.set_fields"})
    assert asked.status == 409
    assert boris.person is not None
    assert boris.person.name in asked.page.by_id("content").text
    assert len(asked.page.all("input", type="radio", name="choice")) == 2
    form = next(f for f in asked.page.all("form") if (f.get("action") or "").startswith("/matrix/merge"))
    hidden = {i["name"]: i["value"] for i in form.all("input") if i["name"] not in ("csrf", "choice")}
    assert (await actions(crm))[-1] == "add_note"

    await boris.post("/matrix/cell", {**fields_of(await panel(boris, CELL), "cell-form"), "act": "remove.0"})
    once_more = await anna.post("/matrix/merge", {**hidden, "choice": "mine"})
    assert once_more.status == 409  # what boris saved meanwhile was not among what she chose from
    form = next(f for f in once_more.page.all("form") if (f.get("action") or "").startswith("/matrix/merge"))
    hidden = {i["name"]: i["value"] for i in form.all("input") if i["name"] not in ("csrf", "choice")}
    await anna.post("/matrix/merge", {**hidden, "choice": "mine"})
    assert (await actions(crm))[-1] == "set_fields"
    assert (await actions(crm, OTHER))[-1] == "create_task"


async def test_who_else_edits_is_told_and_that_they_saved(crm: Site) -> None:
    anna, boris = crm.as_("senior_manager"), crm.as_("admin")
    assert boris.person is not None
    await boris.post("/matrix/editors?revision=0", **HTMX)
    told = await anna.post("/matrix/editors?revision=0", **HTMX)
    assert f"{boris.person.name} тоже правит" in told.page.by_id("matrix-others").text
    form = fields_of(await panel(boris), "cell-form")
    await boris.post("/matrix/cell", {**form, "act": "add.add_note"})
    told = await anna.post("/matrix/editors?revision=0", **HTMX)
    assert "Сохранено ещё раз" in told.text


async def test_rules_and_ad_fields_are_rows_of_plain_fields(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    row = {"r0.name": "Реклама", "r0.when.0.parameter": "pool", "r0.when.0.values": "ads, context"}
    rule = {**row, "r0.when.0.test": "one_of", "r0.place": "1:12", "revision": "0", "act": "save"}
    assert (await senior.post("/matrix/rules", rule)).status == 303
    [saved] = (await draft(crm)).matrix.pipeline_rules
    assert (saved.pipeline_id, saved.stage_id, saved.when[0].values) == ("1", "12", ("ads", "context"))
    assert "Реклама" in (await senior.get("/matrix/rules")).text
    ad = {"r0.parameter": "utm_source", "r0.field": "deal/UTM_SOURCE", "revision": "1", "act": "save"}
    assert (await senior.post("/matrix/ads", ad)).status == 303
    [mapped] = (await draft(crm)).matrix.parameters
    assert (mapped.parameter, mapped.entity, mapped.field) == ("utm_source", "deal", "UTM_SOURCE")
    page = (await senior.get("/matrix/ads")).page
    assert page.by_id("r0-f").all("option", selected="")[0]["value"] == "deal/UTM_SOURCE"


async def test_a_version_goes_on_trial_is_compared_and_taken_back(crm: Site) -> None:
    admin = crm.as_("admin")
    form = fields_of(await panel(admin), "cell-form")
    await admin.post("/matrix/cell", {**form, "act": "add.add_note"})
    sent = {"revision": "1", "why": "проба", "part": "share", "percent": "10"}
    begun = await admin.post("/matrix/publish", sent)
    assert begun.location == "/matrix/trial"
    page = (await admin.get("/matrix/trial")).page
    assert "Версия 2: 10 % клиентов" in page.by_id("trial").text
    blocked = await admin.post("/matrix/publish", {"revision": "1", "why": "сразу", "part": "all"})
    assert (blocked.status, "на пробе" in blocked.text) == (409, True)
    assert "на пробе" in (await admin.get("/matrix")).page.by_id("matrix-strips").text
    ended = await admin.post("/matrix/trial/end", {"outcome": "taken_back", "why": "хуже"})
    assert ended.status == 303
    assert "проба снята" in (await admin.get("/matrix/versions")).text


async def test_a_draft_begun_earlier_is_kept_or_begun_anew(crm: Site) -> None:
    admin = crm.as_("admin")
    form = fields_of(await panel(admin), "cell-form")
    await admin.post("/matrix/cell", {**form, "act": "add.add_note"})
    async with crm.pool.acquire() as conn:
        new = with_part((await draft(crm)).matrix, MatrixPart("default", OTHER), ())
        catalogue = await catalogue_of(conn, ACCOUNT)
        await matrices.publish_matrix(conn, ACCOUNT, new, by="x", why="y", catalogue=catalogue)
    strip = (await admin.get("/matrix")).page.by_id("matrix-strips").text
    assert "Версия 2 опубликована, этот черновик начат с версии 1" in strip
    await admin.post("/matrix/begun-earlier", {"revision": "1", "what": "keep"})
    assert (await draft(crm)).based_on == 2
    reset = await admin.post("/matrix/reset", {"revision": "2"})
    assert (reset.status, (await draft(crm)).is_changed) == (303, False)


async def test_a_preset_becomes_the_draft_and_a_cell_is_pasted(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    taken = await senior.post("/matrix/presets", {"revision": "0", "preset": "unsorted"})
    assert taken.status == 303
    assert "create_lead" in await actions(crm)
    paste = {"source": CELL, "cell": OTHER, "revision": "1"}
    await senior.post("/matrix/paste", paste)
    assert await actions(crm, OTHER) == await actions(crm)


async def test_the_replay_is_asked_for_once_and_can_be_stopped(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    form = fields_of(await panel(senior), "cell-form")
    await senior.post("/matrix/cell", {**form, "act": "add.add_note"})
    for _ in range(2):
        assert (await senior.post("/matrix/publish/replay")).status == 303
    [work] = await crm.pool.fetch("SELECT * FROM long_work")
    assert (work["kind"], work["asked"]["days"], work["asked"]["revision"]) == ("replay", 7, 1)
    part = await senior.fragment("/matrix/publish/replay")
    assert part.page.all("progress")
    await senior.post("/matrix/publish/replay/stop")
    assert await crm.pool.fetchval("SELECT state FROM long_work") == "cancelled"


async def test_a_replay_that_is_done_shows_each_call_before_and_after_and_no_whole_number_to_who_only_reads(
    crm: Site,
) -> None:
    admin = crm.as_("admin")
    form = fields_of(await panel(admin), "cell-form")
    await admin.post("/matrix/cell", {**form, "act": "add.add_note"})
    await admin.post("/matrix/publish/replay")
    line = {"call_id": "c1", "client": "+79161234567", "started_at": "2026-03-02T09:00:00+00:00"}
    before, after = ["задача: Перезвонить +79161234567"], ["примечание: Звонок с +79161234567"]
    found = {**line, "row": "inbound.missed.new", "published": before, "draft": after}
    result = {"calls": 1284, "different": 96, "list": [found], "published": {"version": "1"}}
    await crm.pool.execute("UPDATE long_work SET state = 'done', result = $1", result)
    shown = (await admin.get("/matrix/publish")).page.by_id("replay").text
    assert "Звонков: 1 284 По-другому закончатся: 96" in shown
    assert "Звонок с +79161234567" in shown
    reader = (await crm.as_("read_only").get("/matrix/publish")).text
    assert "•••" in reader
    assert not re.search(r"\+?7[ \u00a0]?916[ \u00a0]?123", reader)


async def test_the_record_of_changes_says_what_a_save_of_the_draft_changed(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    form = fields_of(await panel(senior), "cell-form")
    await senior.post("/matrix/cell", {**form, "act": "add.add_note"})
    languages: dict[Language, tuple[str, str]] = {
        "ru": ("Входящий", "что изменено"),
        "en": ("Inbound", "what changed"),
    }
    for language, said in languages.items():
        row = (
            (await crm.as_("admin", language=language).get("/setup/audit?what=matrix")).page.one("tbody").text
        )
        for words in said:
            assert words.lower() in row.lower(), row
        assert "inbound.missed.new" not in row
        ours = re.sub("[“«].*?[”»]", "", row)  # what is quoted is the text of a note
        assert bool(re.search("[А-яё]", ours)) is (language == "ru"), row


async def _task(crm: Site, senior: Browser) -> tuple[dict[str, str], str]:
    """The form of the cell with one task more, and that task's field of minutes."""
    form = fields_of(await panel(senior), "cell-form")
    added = await senior.post("/matrix/cell", {**form, "act": "add.create_task"})
    form = fields_of(await senior.get(added.location.partition("#")[0]), "cell-form")
    return form, f"a{len(await actions(crm)) - 1}.minutes"


@pytest.mark.parametrize(
    ("language", "said", "foot"),
    [
        ("ru", "«завтра» не подходит. Нужно целое число минут", "Не сохранено: поправьте"),
        ("en", "“завтра” does not fit. It takes a whole number of minutes", "Not saved: put right"),
    ],
)
async def test_minutes_that_are_no_number_are_said_at_their_field_and_nothing_is_lost(
    crm: Site, language: Language, said: str, foot: str
) -> None:
    senior = crm.as_("senior_manager", language=language)
    form, minutes = await _task(crm, senior)
    id, before = minutes.replace(".", "-"), (await draft(crm)).revision
    wrong = {**form, minutes: "завтра", minutes.replace("minutes", "text"): "Позвонить"}
    refused = await senior.post("/matrix/cell", {**wrong, "act": "save"})
    field = refused.page.by_id(id)
    assert (refused.status, field["value"], field["aria-invalid"]) == (422, "завтра", "true")
    assert f"{id}-odd" in field["aria-describedby"]
    assert said in refused.page.by_id(f"{id}-odd").text
    assert foot in refused.page.by_id("matrix-foot").text
    assert refused.page.by_id(minutes.replace(".minutes", "-text"))["value"] == "Позвонить"
    part = await senior.post("/matrix/cell", {**wrong, "act": "save"}, **{"HX-Request": "true"})
    assert (part.status, said in part.page.by_id(f"{id}-odd").text, foot in part.words) == (422, True, True)
    assert (await draft(crm)).revision == before
    right = await senior.post(
        "/matrix/cell", {**wrong, minutes: "15", "act": "save"}, **{"HX-Request": "true"}
    )
    assert (right.status, right.page.by_id(f"{id}-odd").text) == (200, "")
    gone = await senior.post(
        "/matrix/cell",
        {
            **wrong,
            "revision": str((await draft(crm)).revision),
            "act": f"remove.{minutes[1:].partition('.')[0]}",
        },
    )
    assert gone.status == 303, "what goes may be odd"


@pytest.mark.parametrize("typed", ["", "-5", "1,5", "527041", "9" * 30])
async def test_minutes_are_whole_and_within_a_year(crm: Site, typed: str) -> None:
    senior = crm.as_("senior_manager")
    form, minutes = await _task(crm, senior)
    refused = await senior.post("/matrix/cell", {**form, minutes: typed, "act": "save"})
    assert (refused.status, "от 0 до 527040" in refused.words) == (422, True)


async def test_a_task_due_in_no_time_is_taken_and_warned_of(crm: Site) -> None:
    senior = crm.as_("senior_manager")
    form, minutes = await _task(crm, senior)
    saved = await senior.post("/matrix/cell", {**form, minutes: "0", "act": "save"})
    assert "просроченной, едва появится" in (await senior.get(saved.location.partition("#")[0])).words


async def test_a_share_that_is_none_is_said_at_its_field(crm: Site) -> None:
    admin = crm.as_("admin")
    form, _ = await _task(crm, admin)
    await admin.post("/matrix/cell", {**form, "act": "save"})
    revision = str((await draft(crm)).revision)
    for typed in ("", "0", "100", "половина"):
        body = {"revision": revision, "why": "на пробу", "part": "share", "percent": typed}
        refused = await admin.post("/matrix/publish", body)
        assert (refused.status, refused.page.by_id("percent")["value"]) == (422, typed)
        assert "от 1 до 99" in refused.page.by_id("percent-error").text
        assert refused.page.by_id("why").text.strip() == "на пробу"
