"""The product's own source text, as the tests of the house read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache

from tests.paths import ROOT

PACKAGES = ("routing", "runtime", "crm", "sms", "campaigns", "gateway")


def sources() -> Iterator[tuple[str, str]]:
    """Every module: its path from the root, and its text."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


class Parsed:
    """One module, whose parts know what they stand in."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.nodes = list(ast.walk(self.tree))
        self._above = {child: node for node in self.nodes for child in ast.iter_child_nodes(node)}

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What the part stands in, from the inside out."""
        while node in self._above:
            node = self._above[node]
            yield node

    def place(self, node: ast.AST) -> str:
        """The innermost function that it stands in, else the name that it is given, else nothing."""
        named = ""
        for outer in (node, *self.above(node)):
            if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return outer.name
            if isinstance(outer, (ast.Assign, ast.AnnAssign)):
                named = ast.unparse(outer.targets[0] if isinstance(outer, ast.Assign) else outer.target)
        return named

    def taken_from(self, module: str) -> dict[str, str]:
        """The names by which this text calls the module and what it imports of it, each with its full name."""
        names: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                names |= {a.asname or a.name: a.name for a in node.names if _within(a.name, module)}
            if isinstance(node, ast.ImportFrom) and _within(node.module or "", module):
                names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        return names

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def texts(self) -> Iterator[ast.Constant]:
        """Every string but docstrings and texts below attributes, which only the reader of the source sees."""
        bare = {id(node.value) for node in self.nodes if isinstance(node, ast.Expr)}
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
                yield node


@cache
def modules() -> Mapping[str, Parsed]:
    """Every module by its path, parsed once."""
    return {name: Parsed(text) for name, text in sources()}


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def is_of(node: ast.expr, names: dict[str, str]) -> bool:
    """Whether the expression is one of these names, or something inside one of them."""
    while isinstance(node, ast.Attribute) and ast.unparse(node) not in names:
        node = node.value
    return ast.unparse(node) in names
