"""The pages of this room."""

from __future__ import annotations

from gateway.store.admin.roles import Role
from gateway.web.frame import PageRoute
from gateway.web.matrix import conflict, editing, publish, rules, table_page, trial_page, trying, versions


def _get(path: str, handler: object, role: Role = "read_only") -> PageRoute:
    return PageRoute(method="GET", path=path, handler=handler, role=role, entry="matrix")  # type: ignore[arg-type]


def _post(path: str, handler: object, role: Role = "senior_manager") -> PageRoute:
    return PageRoute(method="POST", path=path, handler=handler, role=role, entry="matrix")  # type: ignore[arg-type]


PAGES: tuple[PageRoute, ...] = (
    _get("/matrix", table_page.show_table),
    _get("/matrix/try", trying.show_tried, "senior_manager"),
    _post("/matrix/cell", editing.save_cell),
    _post("/matrix/undo", editing.undo),
    _post("/matrix/paste", editing.paste),
    _post("/matrix/merge", conflict.save_chosen),
    _get("/matrix/reset", editing.ask_reset, "senior_manager"),
    _post("/matrix/reset", editing.reset),
    _post("/matrix/begun-earlier", editing.begun_earlier),
    _get("/matrix/presets", editing.choose_preset, "senior_manager"),
    _post("/matrix/presets", editing.take_preset),
    _post("/matrix/refresh", editing.refresh),
    _post("/matrix/editors", editing.note_editor),
    _get("/matrix/rules", rules.show_rules),
    _post("/matrix/rules", rules.save_rules),
    _get("/matrix/ads", rules.show_ads),
    _post("/matrix/ads", rules.save_ads),
    _get("/matrix/versions", versions.show_versions),
    _get("/matrix/versions/difference", versions.show_difference),
    _get("/matrix/versions/{version}/restore", versions.ask_restore, "admin"),
    _post("/matrix/versions/{version}/restore", versions.restore, "admin"),
    _get("/matrix/publish", publish.show_publish),
    _post("/matrix/publish", publish.publish, "admin"),
    _get("/matrix/publish/replay", publish.show_replay),
    _post("/matrix/publish/replay", publish.begin_replay),
    _post("/matrix/publish/replay/stop", publish.stop_replay),
    _get("/matrix/trial", trial_page.show_trial),
    _post("/matrix/trial/end", trial_page.end_trial, "admin"),
)
