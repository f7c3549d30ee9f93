"""Starting a configuration: the files that `rowform init` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from rowform.dump import flow, scalar
from rowform.errors import RowformError, UsageError
from rowform.files import is_slug
from rowform.kinds import Kind, kinds
from rowform.sync.configuration import Settings
from rowform.sync.schemas import write_schemas
from rowform.text import escape

_MODELINE = "# yaml-language-server: $schema=../../schemas/{}.schema.json\n"


def scaffold(settings: Settings, directory: Path, slug: str) -> list[str]:
    """Write a restaurant's first files below ``directory``, and the schemas. Existing files stay.

    Returns:
        The files that were written.

    Raises:
        UsageError: the slug is unusable, or the restaurant is there already.
        RowformError: a file cannot be written.
    """
    if not is_slug(slug):
        raise UsageError(f'"{escape(slug)}" is no slug', "use letters, digits, dots, hyphens and underscores")
    config = directory / settings.config_dir
    home = config / slug
    if home.exists():
        raise UsageError(f"{escape(str(home))} is there already", "--restaurant names another one")
    written: list[str] = []
    for name, text in _files(slug, kinds()).items():
        _write(home / name, text, written)
    ignore = directory / ".gitignore"
    if not ignore.exists():
        _write(ignore, "# The embedded database's data.\n.rowform/\n", written)
    schemas, where = write_schemas(replace(settings, config_dir=config))
    return [*written, *(f"{where}/{name}" for name in schemas)]


def _write(file: Path, text: str, written: list[str]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise RowformError(f"cannot write {escape(str(file))}: {error.strerror}") from error
    written.append(escape(str(file)))


def _files(slug: str, known: Mapping[str, Kind]) -> Mapping[str, str]:
    files = {
        "restaurant.yaml": _MODELINE.format("restaurant")
        + f"id: {uuid4()}\nname: {scalar(slug.capitalize())}\ntimezone: Asia/Tokyo\n"
    }
    for name, kind in known.items():
        files[f"{name}.yaml"] = _MODELINE.format("settings") + "\n".join(_example(kind)) + "\n"
    return files


def _example(kind: Kind) -> Iterator[str]:
    """An empty list, and the model's own examples as a comment to start from."""
    yield f"# {(kind.model.__doc__ or kind.noun).strip().splitlines()[0]} For example:"
    yield "#"
    yield f"# {kind.name}:"
    mark = "- "
    for name, field in kind.model.model_fields.items():
        for example in (field.examples or ())[:1]:
            yield f"#   {mark}{field.alias or name}: {flow(example)}"
            mark = "  "
    yield f"{kind.name}: []"
