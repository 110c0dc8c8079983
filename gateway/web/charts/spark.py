"""A rate over time as a line without axes, for beside a figure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from gateway.web.charts.svg import element

WIDTH, HEIGHT = 120, 24


def spark(values: Sequence[float], label: str) -> Markup:
    """Draw from 0 upwards: a rate that trembles a little is nearly straight."""
    most = max([*values, 0]) or 1
    step = WIDTH / max(len(values) - 1, 1)
    points = " ".join(
        f"{round(at * step, 1):g},{round(HEIGHT - 2 - value / most * (HEIGHT - 4), 1):g}"
        for at, value in enumerate(values)
    )
    return element(
        "svg",
        [element("polyline", points=points, kind="cm-line-info")],
        kind="cm-spark",
        role="img",
        aria_label=label,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
    )
