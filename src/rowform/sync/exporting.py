"""Settings out of a version, in forms that others read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rowform.errors import RowformError, UsageError
from rowform.files import is_slug
from rowform.localstorage.export import export_like, export_rows
from rowform.localstorage.rules import CONTAINERS, containers
from rowform.localstorage.sidefile import SIDE_FILE, read_side_file
from rowform.state import Content
from rowform.sync.configuration import Settings, load_configuration, selected
from rowform.sync.versions import content_of_version
from rowform.text import did_you_mean, escape, joined

#: In place of a version: what the files say, without a database.
CONFIG = "config"


def browser_settings(
    settings: Settings,
    slugs: Sequence[str],
    version: str | None,
    *,
    like: str | None = None,
    rows: bool = False,
) -> dict[str, Any]:
    """One restaurant's settings as its browsers kept them.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, ``active``, which is the default, or ``config`` for what the files say.
        like: the imported file whose shape they get; the latest import by default.
        rows: whether they get the shape of database rows instead, as they do if nothing was imported.

    Raises:
        UsageError: there is no such restaurant, version or import, or it is not clear which is meant.
        RowformError: the side file cannot be read.
    """
    slug, content = _content(settings, slugs, version)
    document = None if rows else _document(settings, slug, like)
    result = export_rows(content) if document is None else export_like(content, document)
    for name in result:
        if name in containers() and name not in CONTAINERS:
            settings.report(f"{name}: the application does not look there; `rowform import` does")
    return result


def _document(settings: Settings, slug: str, like: str | None) -> dict[str, Any] | None:
    """What an import remembered of its source; ``None`` if nothing was imported."""
    imports = _imports(settings, slug)
    if like is None:
        return dict(imports[-1]["document"]) if imports else None
    found = {one["file"]: one for one in imports}
    if like not in found:
        there = f"there is {joined(map(escape, found))}" if found else None
        raise UsageError(
            f'"{escape(like)}" was not imported for {escape(slug)}', did_you_mean(like, found) or there
        )
    return dict(found[like]["document"])


def _content(settings: Settings, slugs: Sequence[str], version: str | None) -> tuple[str, Content]:
    if version != CONFIG:
        slug, _, _, content = content_of_version(settings, slugs, version)
        return slug, content
    restaurants = selected(load_configuration(settings).state, slugs)
    if len(restaurants) != 1:
        names = joined(escape(one.slug) for one in restaurants)
        raise UsageError(f"there are {len(restaurants)} restaurants: {names}", "choose one with -r")
    return restaurants[0].slug, restaurants[0].content


def _imports(settings: Settings, slug: str) -> list[dict[str, Any]]:
    """The imports that the restaurant's side file knows, the latest one last."""
    path = settings.config_dir / slug / SIDE_FILE
    if not is_slug(slug):
        return []
    try:
        return read_side_file(str(path), path.read_bytes()) if path.is_file() else []
    except OSError as error:
        raise RowformError(f"cannot read {escape(str(path))}: {error.strerror}") from error
