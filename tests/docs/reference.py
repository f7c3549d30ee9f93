"""The README's generated parts: kinds, commands, exit codes and guards, as the code has them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from rowform.cli.main import cli
from rowform.errors import ExitCode
from rowform.guards import GuardName
from rowform.kinds import Kind, kinds
from rowform.kinds.base import JsonObject
from rowform.kinds.docs import field_docs
from rowform.text import joined

_PART = re.compile(r"(<!-- generated: (\w+(?: \w+)*) -->\n)(.*?)(<!-- end generated -->)", re.DOTALL)
_WORDS = {str: "text", int: "integer", float: "number", bool: "boolean"}


def filled(page: str) -> str:
    """``page`` with what stands between its markers written anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{_PARTS[part[2]]().strip()}\n\n{part[4]}", page)


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _exit_codes() -> str:
    return _table(("Code", "Meaning"), [(f"**{code.value}**", code.meaning) for code in ExitCode])


def _guards() -> str:
    rows = [
        (f"`{guard}`", guard.meaning, f"`--force {guard}`" if guard.forceable else "never")
        for guard in GuardName
    ]
    return _table(("Guard", "Fires when", "Overruled by"), rows)


def _kinds() -> str:
    # Kinds with the same columns share a table.
    groups = [list(group) for _, group in groupby(kinds().values(), key=_rows)]
    return "\n".join(_kind(group) for group in groups)


def _kind(group: Sequence[Kind]) -> str:
    names = joined(f"`{kind.name}`" for kind in group)
    about = " ".join(
        f"{f'`{kind.name}`: ' if len(group) > 1 else ''}{(kind.model.__doc__ or '').splitlines()[0]}"
        for kind in group
    )
    rows = _table(("Field", "Type", "Default", "Meaning"), _rows(group[0]))
    return f"#### {names}\n\n{about} The key is `{group[0].key}`.\n\n{rows}"


def _rows(kind: Kind) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    docs = {
        kind.model.model_fields[name].alias or name: said for name, said in field_docs(kind.model).items()
    }
    for column in kind.columns:
        default = "required" if column.required else f"`{json.dumps(column.default)}`"
        null = "" if not column.nullable or column.default is None else " or null"
        rows.append((f"`{column.name}`", f"{column.sql_type}{null}", default, docs[column.name]))
        model = kind.json_models.get(column.name)
        if model is not None:
            rows.extend(_keys(model, column.name))
    return rows


def _keys(model: type[JsonObject], path: str) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        key = f"{path}.{field.alias or name}"
        said = field_docs(model).get(name, "")
        nested = model.known()[field.alias or name]
        if nested is None:
            yield f"`{key}`", _word(field), "", said
        else:
            yield f"`{key}`", "object", "", said
            yield from _keys(nested, key)


def _word(field: FieldInfo) -> str:
    (type_,) = (member for member in get_args(field.annotation) if member is not type(None))
    if get_origin(type_) is list:
        (item,) = get_args(type_)
        return "list of text" if item is str else "list of integers"
    return _WORDS[type_]


def _commands() -> str:
    context = click.Context(cli, info_name="rowform")
    own = _options(cli, context)
    return f"Options before the command:\n\n{own}\n{''.join(_group(cli, context))}"


def _group(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _group(command, inner)
        else:
            usage = " ".join([inner.command_path, *_arguments(command, inner)])
            text = " ".join((command.help or "").split())
            yield f"#### `{usage}`\n\n{text}\n\n{_options(command, inner)}\n"


def _arguments(command: click.Command, context: click.Context) -> list[str]:
    return [
        parameter.make_metavar(context)
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Argument)
    ]


def _options(command: click.Command, context: click.Context) -> str:
    rows = [
        _option(parameter, context)
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
    ]
    return _table(("Option", "Meaning"), rows) if rows else ""


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    names = ", ".join(sorted(option.opts, key=len))
    value = "" if option.is_flag or option.count else f" {option.make_metavar(context)}"
    extra: list[str] = []
    if option.show_default and not option.is_flag:
        extra.append(f"Default: `{_shown(option.default)}`.")
    if option.envvar:
        extra.append(f"Also as `{option.envvar}`.")
    return f"`{names}{value}`", " ".join([option.help or "", *extra])


def _shown(value: Any) -> str:
    return str(value)


_PARTS: dict[str, Callable[[], str]] = {
    "kinds": _kinds,
    "commands": _commands,
    "exit codes": _exit_codes,
    "guards": _guards,
}
