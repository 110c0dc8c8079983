"""The table that `make bench` prints, and the JSON that it writes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """target: as a person reads it. is_reached: None for figures that have no target."""

    name: str
    value: float
    unit: str
    target: str = ""
    is_reached: bool | None = None
    note: str = ""


def ratio(name: str, value: float, at_least: float, note: str = "") -> Figure:
    return Figure(
        name=name, value=value, unit="×", target=f"≥ {at_least}", is_reached=value >= at_least, note=note
    )


def at_most(name: str, value: float, limit: float, unit: str, note: str = "") -> Figure:
    return Figure(
        name=name, value=value, unit=unit, target=f"≤ {limit}", is_reached=value <= limit, note=note
    )


def at_least(name: str, value: float, limit: float, unit: str, note: str = "") -> Figure:
    return Figure(
        name=name, value=value, unit=unit, target=f"≥ {limit:,}", is_reached=value >= limit, note=note
    )


def plain(name: str, value: float, unit: str, note: str = "") -> Figure:
    return Figure(name=name, value=value, unit=unit, note=note)


def show(figures: list[Figure], path: Path | None) -> None:
    table = Table(title="Callmatrix bench", title_justify="left")
    for column in ("figure", "value", "unit", "target", "verdict", "note"):
        table.add_column(column, justify="right" if column == "value" else "left")
    for figure in figures:
        verdict = {True: "reached", False: "NOT REACHED", None: "-"}[figure.is_reached]
        table.add_row(figure.name, f"{figure.value:,.3g}" if figure.value < 1000 else f"{figure.value:,.0f}",
                      figure.unit, figure.target, verdict, figure.note)  # fmt: skip
    Console(width=150).print(table)
    if path is not None:
        path.write_text(json.dumps([asdict(f) for f in figures], ensure_ascii=False, indent=2) + "\n")
