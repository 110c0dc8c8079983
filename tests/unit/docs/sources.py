"""What the program has that the documentation must name: read from the program itself, nothing is listed by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_args

import typer.main
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from gateway.api.resources import ROUTES
from gateway.cli import app
from gateway.settings import Settings
from routing.distribution.template import DistributionTemplate
from routing.matrix.actions import Action
from routing.settings import AccountSettings
from tests.paths import ROOT

CODE = ("gateway", "crm", "routing", "runtime", "sms", "campaigns")
_CODE = re.compile(r"[a-z]+(-[a-z0-9]+)+|busy|internal|forbidden|unauthorised")


class Setting(NamedTuple):
    """default: as it is written in an environment variable, "" when there is none."""

    name: str
    default: str
    what: str


class Command(NamedTuple):
    """path: "account add". options: (spelling, default, help) of each option and argument."""

    path: str
    help: str
    usage: str
    options: tuple[tuple[str, str, str], ...]


class ErrorCode(NamedTuple):
    code: str
    status: str
    what: str


class Metric(NamedTuple):
    name: str
    type: str
    what: str


def settings() -> list[Setting]:
    return [
        Setting(f"CALLMATRIX_{name.upper()}", _plain(field.default), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def account_settings(model: type[BaseModel] = AccountSettings, prefix: str = "") -> list[Setting]:
    """Dotted names with their defaults, nested models opened."""
    found: list[Setting] = []
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            found += account_settings(type(field.default), f"{prefix}{name}.")
        else:
            found.append(Setting(prefix + name, _plain(field.get_default(call_default_factory=True)), ""))
    return found


def template_fields(model: type[BaseModel] = DistributionTemplate, prefix: str = "") -> list[str]:
    """Dotted names of all fields of a template for distribution; those of members are told once, at "employees"."""
    found: list[str] = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        inner = _model_in(field.annotation)
        if inner is not None and prefix + name != "groups.members":
            found += template_fields(inner, f"{prefix}{name}.")
    return [n for n in found if n not in ("repeat", "working_time", "nobody")]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a field holds, alone, in a tuple or as one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


def commands() -> list[Command]:
    return sorted(_commands(typer.main.get_command(app), ()))


def program_options() -> set[str]:
    """What may stand in place of a command, e.g. "--version"."""
    return {o for p in typer.main.get_command(app).params for o in p.opts} | {"--help", "-h"}


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[Command]:
    if inner := getattr(command, "commands", None):
        for name, child in inner.items():
            yield from _commands(child, (*path, name))
        return
    options = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        is_option = parameter.param_type_name == "option"
        spelling = ", ".join(parameter.opts) if is_option else parameter.name.upper()
        default = "" if parameter.required or callable(parameter.default) else _plain(parameter.default)
        options.append((spelling, default, getattr(parameter, "help", "") or ""))
    arguments = [spelling for spelling, *_ in options if not spelling.startswith("-")]
    usage = " ".join(["callmatrix", *path, *arguments, "[OPTIONS]"])
    yield Command(" ".join(path), (command.help or "").strip(), usage, tuple(options))


def routes() -> list[tuple[str, str, str, str]]:
    """(method, path, least role, summary) of every route of the admin API."""
    plain = re.compile(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")
    return [(r.method, "/api" + plain.sub(r"{\1}", r.path), r.role, r.summary) for r in ROUTES]


def actions() -> dict[str, list[Setting]]:
    """Each action of the matrix with its parameters and their defaults."""
    found = {}
    for model in get_args(get_args(Action)[0]):
        fields = {n: f for n, f in model.model_fields.items() if n != "do"}
        found[model.model_fields["do"].default] = [
            Setting(
                n, "required" if f.is_required() else _plain(f.get_default(call_default_factory=True)), ""
            )
            for n, f in fields.items()
        ]
    return found


def error_codes(files: Mapping[Path, ast.Module] | None = None) -> list[ErrorCode]:
    """Codes of exception classes, and of problem bodies, with the docstring or title that goes with them.

    Of several the one with a status that stands nearest to the top: the same in whatever order files come.
    """
    found: dict[str, list[tuple[tuple[Any, ...], ErrorCode]]] = {}
    for file, tree in (files or trees()).items():
        for place, node in enumerate(ast.walk(tree)):
            for error in (*_of_class(node), *_of_call(node)):
                rank = (not error.status, len(file.parts), file.as_posix(), place)
                found.setdefault(error.code, []).append((rank, error))
    return sorted(_best_of([error for _, error in sorted(each)]) for each in found.values())


def _best_of(errors: list[ErrorCode]) -> ErrorCode:
    of_classes = (e.what for e in errors if not e.status)
    return errors[0]._replace(what=errors[0].what or next(of_classes, ""))


def metrics() -> list[Metric]:
    """Samples and latencies by their literal names; counters end with `_total` where they are read."""
    found = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            texts = _texts(node.elts) if isinstance(node, ast.Tuple) else []
            if len(texts) >= 3 and texts[0] in ("gauge", "counter") and texts[1] and texts[2] is not None:
                name = f"callmatrix_{texts[1]}" + ("_total" if texts[0] == "counter" else "")
                found[name] = Metric(name, texts[0], texts[2])
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_latency":
                short, what, *_ = _texts(node.args)
                found[f"callmatrix_{short}"] = Metric(f"callmatrix_{short}", "histogram", what or "")
    return sorted(found.values())


def connection_settings() -> set[str]:
    """Names that are read from a connection's settings: `….settings.get("name")`, `connection.words("name")`."""
    return {
        text
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
        if node.func.attr == "switch" or _is_of_settings(node.func) or _is_of_connection(node.func)
        if (text := _texts(node.args)[0])
    }


def _is_of_connection(called: ast.Attribute) -> bool:
    return called.attr in ("words", "whole") and ast.unparse(called.value).endswith("connection")


def _is_of_settings(called: ast.Attribute) -> bool:
    return (
        called.attr == "get" and isinstance(called.value, ast.Attribute) and called.value.attr == "settings"
    )


def trees() -> Mapping[Path, ast.Module]:
    """What is common to a room stands above what is particular to a corner of it, and is found first."""
    files = sorted(
        (f for folder in CODE for f in (ROOT / folder).rglob("*.py")), key=lambda f: (len(f.parts), f)
    )
    ours = [f for f in files if "sandbox" not in f.parts]
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in ours}


def _of_class(node: ast.AST) -> Iterator[ErrorCode]:
    if not isinstance(node, ast.ClassDef):
        return
    for line in node.body:
        code = _class_code(line)
        if code and _CODE.fullmatch(code):
            doc = (ast.get_docstring(node) or "").split("\n\n")[0]
            yield ErrorCode(code, "", " ".join(doc.split()))


def _class_code(line: ast.stmt) -> str | None:
    if not isinstance(line, ast.Assign):
        return None
    target, value = line.targets[0], line.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        target, value = target.elts[0], value.elts[0]
    is_code = isinstance(target, ast.Name) and target.id == "code"
    return _texts([value])[0] if is_code else None


def _of_call(node: ast.AST) -> Iterator[ErrorCode]:
    if not isinstance(node, ast.Call):
        return
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    texts = _texts(node.args)
    if name == "not_found" and texts and texts[0]:
        yield ErrorCode(f"no-such-{texts[0]}", "404", f"There is no {texts[0]} of this name.")
    if (
        name in ("problem", "raw_problem", "ApiError", "BodyRefused")
        and len(node.args) >= 2
        and isinstance(node.args[0], ast.Constant)
    ):
        status, code = node.args[0].value, texts[1]
        if code and isinstance(status, int):
            yield ErrorCode(code, str(status), (texts[2] if len(texts) > 2 else "") or "")


def _texts(nodes: list[ast.expr]) -> list[str | None]:
    """The literal texts among these, None for everything else."""
    return [n.value if isinstance(n, ast.Constant) and isinstance(n.value, str) else None for n in nodes]


def _plain(value: Any) -> str:
    if value is None or value is PydanticUndefined:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, (tuple, list, set, frozenset)):
        return ", ".join(_plain(v) for v in value)
    return str(value)
