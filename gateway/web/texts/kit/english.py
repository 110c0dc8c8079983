"""English."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.kit.english_examples import EXAMPLES

SENTENCES: Mapping[str, str] = {
    "kit.as_table": "As a table",
    "kit.clear_filter": "Remove the filter: {name}",
    "kit.copied": "Copied",
    "kit.copy": "Copy",
    "kit.crumbs": "Where you are",
    "kit.difference_added": "added",
    "kit.difference_changed": "changed",
    "kit.difference_removed": "removed",
    "kit.dismiss": "Close",
    "kit.done": "done",
    "kit.errors": "Not saved: {n:error|errors}",
    "kit.filters": "Filters",
    "kit.keep": "Leave as it is",
    "kit.live": "renews itself",
    "kit.more_steps": "{n:more step|more steps}",
    "kit.new_tab": "opens in a new tab",
    "kit.newer": "Newer",
    "kit.older": "Older",
    "kit.pages": "Pages of the list",
    "kit.person_off": "switched off",
    "kit.refresh": "Refresh",
    "kit.stale": "data as of {at}",
    "kit.tabs": "Tabs",
    **EXAMPLES,
}
