"""``rowform db remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rowform.cli.common import approve_option, ask, emit, settings
from rowform.sync.removal import removal_outlook, removal_script
from rowform.sync.removal import remove as remove_rowform
from rowform.text import count, escape, joined

if TYPE_CHECKING:
    from rowform.store.removal import Outlook

_NOT_THERE = "rowform is not in this database: there is nothing to remove."


@click.command()
@click.option("--sql", "only_sql", is_flag=True, help="Print the SQL instead of running it.")
@approve_option
@click.pass_context
def remove(ctx: click.Context, only_sql: bool, auto_approve: bool) -> None:
    """What applications see stays: the active versions' settings, in tables of the same names.

    Versions and audit trail stay as well, but the contents of versions that are not active go.
    Everything in one transaction; `rowform db upgrade` takes the tables over again.
    """
    if only_sql:
        script = removal_script(settings(ctx))
        emit(script.rstrip("\n") or f"-- {_NOT_THERE}")
        return
    outlook = removal_outlook(settings(ctx))
    if outlook is None:
        emit(_NOT_THERE)
        return
    emit(_outlook_text(outlook))
    if not auto_approve:
        ask("Do you want to take rowform out of this database?")
    emit()
    for sentence in remove_rowform(settings(ctx)):
        emit(sentence)
    emit("Removal complete! The settings are in plain tables, and rowform is not in this database any more.")


def _outlook_text(outlook: Outlook) -> str:
    """What stays and what goes, and how to keep that."""
    settings, restaurants = count(outlook.settings, "setting"), count(outlook.restaurants, "restaurant")
    versions, changes = count(outlook.versions, "row"), count(outlook.changes, "row")
    past = f"{count(outlook.past, 'version')} that {'is' if outlook.past == 1 else 'are'} not active"
    lines = [
        "Stays:",
        f"  {settings} of {restaurants} as plain tables: {escape(joined(outlook.tables))}",
        f"  {versions} of config_versions, {changes} of config_changes",
        "Goes for ever:",
        f"  the contents of {past}",
    ]
    if outlook.drafts:
        lines.append(f"  the contents of {count(outlook.drafts, 'draft')} that nobody has activated")
    lines += (
        "  where versions came from, what a rollback goes back to, which role is of which restaurant",
        "  every guarantee: whoever may write can change and delete settings, versions and audit rows",
        "To keep all that, save the database first: pg_dump --format custom --file before-removal.dump",
    )
    return "\n".join(lines)
