"""Settings out of a version, in forms that others read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rowform.errors import RowformError, UsageError
from rowform.files import is_slug
from rowform.localstorage.export import export_like, export_rows, records
from rowform.localstorage.rules import CONTAINERS, containers
from rowform.localstorage.sidefile import SIDE_FILE, read_side_file
from rowform.state import Content
from rowform.sync.configuration import Settings, load_configuration, selected
from rowform.sync.versions import version_at
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
    if version == CONFIG:
        slug, content = _configured(settings, slugs)
        document = None if rows else _document(settings, slug, like)
        result = export_rows(records(content)) if document is None else export_like(content, document)
    else:
        result = _from_database(settings, slugs, version, like=like, rows=rows)
    for name in result:
        if name in containers() and name not in CONTAINERS:
            settings.report(f"{name}: the application does not look there; `rowform import` does")
    return result


def live_settings(settings: Settings, slugs: Sequence[str], version: str | None) -> dict[str, Any]:
    """One version as live clients are told it.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, or ``active``, which is the default.

    Raises:
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
    """
    from rowform.store.exporting import told_version

    _ensure_stored(version)
    with version_at(settings, slugs, version) as (opened, _, actual, head):
        return told_version(opened, actual.restaurant_id, head.id)


def insert_script(settings: Settings, slugs: Sequence[str], version: str | None) -> str:
    """One version as SQL that puts it into an application's tables, in one transaction.

    Args:
        settings: where to look.
        slugs: the restaurant; may be left out if there is only one.
        version: a number, or ``active``, which is the default.

    Raises:
        UsageError: there is no such restaurant or version, or it is not clear which is meant.
    """
    from rowform.store.exporting import insert_statements

    _ensure_stored(version)
    with version_at(settings, slugs, version) as (opened, slug, actual, head):
        for name, table in opened.tables.items():
            if table.own:
                own = joined(escape(column.name) for column in table.own)
                settings.report(f"{name}: columns of the application's own are left out: {own}")
        statements = insert_statements(opened, actual.restaurant_id, head.id)
    return "\n".join(
        [
            f"-- {escape(slug)}, version {head.number}: {escape(head.name or '')}",
            "BEGIN;",
            "SET LOCAL client_encoding = 'UTF8';",
            *statements,
            "COMMIT;",
        ]
    )


def _ensure_stored(version: str | None) -> None:
    if version == CONFIG:
        raise UsageError(
            "the files have neither ids nor versions", "this format is for versions; apply the files first"
        )


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


def _from_database(
    settings: Settings, slugs: Sequence[str], version: str | None, *, like: str | None, rows: bool
) -> dict[str, Any]:
    from rowform.store.exporting import version_records
    from rowform.store.read import content_of, version_rows

    with version_at(settings, slugs, version) as (opened, slug, actual, head):
        document = None if rows else _document(settings, slug, like)
        if document is None:
            return export_rows(version_records(opened, actual.restaurant_id, head.id))
        return export_like(content_of(version_rows(opened, actual.restaurant_id, head.number)), document)


def _configured(settings: Settings, slugs: Sequence[str]) -> tuple[str, Content]:
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
