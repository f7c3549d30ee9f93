"""Starting a configuration: the files that `rowform init` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from rowform.dump import flow, scalar
from rowform.errors import RowformError, UsageError
from rowform.files import is_slug
from rowform.header import RESTAURANT_FILE
from rowform.kinds import Kind, kinds
from rowform.modeline import modeline
from rowform.sync.configuration import Settings
from rowform.sync.pipelines import pipeline_files, top_above
from rowform.sync.schemas import write_schemas
from rowform.text import escape


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The files that were written.

    ``pipelines`` says that those for pipelines are among them, unless they were there already. ``top`` is the
    repository's top directory if they were wanted, but not here: GitHub reads them nowhere else.
    """

    written: tuple[str, ...]
    pipelines: bool = False
    top: str | None = None


def scaffold(settings: Settings, directory: Path, slug: str, *, workflows: bool | None = None) -> Scaffold:
    """Write a restaurant's first files below ``directory``, and the schemas. Existing files stay.

    Args:
        settings: where the configuration is, below ``directory``.
        directory: where to write.
        slug: the restaurant's.
        workflows: whether to write the files for pipelines too; by default with the first restaurant.

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
    wanted = not config.exists() if workflows is None else workflows
    written: list[str] = []
    for name, text in _files(slug, kinds()).items():
        _write(home / name, text, written)
    _write_missing(directory / ".gitignore", "# The embedded database's data.\n.rowform/\n", written)
    schemas, where = write_schemas(replace(settings, config_dir=config))
    written.extend(f"{where}/{name}" for name in schemas)
    if not wanted:
        return Scaffold(tuple(written))
    more = scaffold_pipelines(settings, directory)
    return replace(more, written=(*written, *more.written))


def scaffold_pipelines(settings: Settings, directory: Path) -> Scaffold:
    """Write the files for pipelines below ``directory``. Existing files stay.

    Raises:
        RowformError: a file cannot be written.
    """
    top = top_above(directory)
    if top is not None:
        return Scaffold((), top=escape(str(top)))
    written: list[str] = []
    for name, text in pipeline_files(_below(directory, settings.config_dir)).items():
        _write_missing(directory / name, text, written)
    return Scaffold(tuple(written), pipelines=True)


def _below(directory: Path, config_dir: Path) -> Path:
    try:
        return (directory / config_dir).resolve().relative_to(directory.resolve())
    except ValueError:
        return config_dir


def _write_missing(file: Path, text: str, written: list[str]) -> None:
    if not file.exists():
        _write(file, text, written)


def _write(file: Path, text: str, written: list[str]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise RowformError(f"cannot write {escape(str(file))}: {error.strerror}") from error
    written.append(escape(str(file)))


def restaurant_file(slug: str) -> str:
    """A new restaurant's ``restaurant.yaml``, with an id of its own."""
    return (
        modeline("restaurant", depth=2)
        + f"id: {uuid4()}\nname: {scalar(slug.capitalize())}\ntimezone: Asia/Tokyo\n"
    )


def _files(slug: str, known: Mapping[str, Kind]) -> Mapping[str, str]:
    files = {RESTAURANT_FILE: restaurant_file(slug)}
    for name, kind in known.items():
        files[f"{name}.yaml"] = modeline("settings", depth=2) + "\n".join(_example(kind)) + "\n"
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
