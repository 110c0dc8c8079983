"""Elements of a drawing, escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Attribute = str | int | float


def element(name: str, children: Iterable[str] | str = (), /, **attributes: Attribute) -> Markup:
    """Return `<name …>`. An attribute's underscore is a hyphen; `kind` is its class."""
    written = "".join(
        f' {"class" if key == "kind" else key.replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
    )
    inside = escape(children) if isinstance(children, str) else "".join(escape(one) for one in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")  # noqa: S704 - escaped above; the name is ours


def drawing(label: str, height: int, parts: Iterable[str], kind: str = "cm-chart") -> Markup:
    """Make a picture as wide as its place. label: what it shows, with the numbers."""
    return element("svg", parts, kind=kind, role="img", aria_label=label, width="100%", height=height)


def percent(value: float) -> str:
    return f"{round(value, 3):g}%"


def _value(value: Attribute) -> str:
    return f"{round(value, 3):g}" if isinstance(value, float) else str(value)
