"""Elements of a drawing, escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

Attribute = str | int | float


def element(name: str, children: Iterable[str] | str = (), /, **attributes: Attribute) -> Markup:
    """Return `<name …>`. An attribute's underscore is a hyphen; `kind` is its class."""
    written = Markup("").join(
        Markup(' {}="{}"').format("class" if key == "kind" else key.replace("_", "-"), _value(value))
        for key, value in attributes.items()
    )
    inside = Markup.escape(children) if isinstance(children, str) else Markup("").join(children)
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, inside)


def drawing(label: str, height: int, parts: Iterable[str], kind: str = "cm-chart") -> Markup:
    """Make a picture as wide as its place. label: what it shows, with the numbers."""
    return element("svg", parts, kind=kind, role="img", aria_label=label, width="100%", height=height)


def percent(value: float) -> str:
    return f"{round(value, 3):g}%"


def _value(value: Attribute) -> str:
    return f"{round(value, 3):g}" if isinstance(value, float) else str(value)
