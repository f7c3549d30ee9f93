"""Views and functions of the application that read its tables: they are to read the views afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg.rows import class_row

from rowform.store.adoption.findings import Finding
from rowform.store.ddl import Step, statements
from rowform.store.queries import query
from rowform.text import joined


@dataclass(frozen=True, slots=True)
class Dependent:
    """One reference to a table that is taken over.

    ``definition`` makes the view or function anew, unless ``is_fixed``. ``strangers`` are
    roles that read the view with its owner's rights, and could not with their own.
    """

    kind: str
    sort: str
    name: str
    definition: str | None
    is_owned: bool
    is_fixed: bool
    strangers: Sequence[str]


def read_dependents(connection: Connection, schema: str, kinds: Iterable[str]) -> list[Dependent]:
    """What refers to the tables of these kinds; definitions name the schema of everything."""
    with connection.cursor(row_factory=class_row(Dependent)) as cursor:
        return cursor.execute(
            query("adoption_dependents"), {"schema": schema, "names": list(kinds)}
        ).fetchall()


def dependent_findings(schema: str, dependents: Iterable[Dependent]) -> Iterable[Finding]:
    """The references that nobody but their owner can do something about."""
    for one in dependents:
        what = one.name if one.sort == "thing" else f"{one.sort} {one.name}"
        table = f"{schema}.{one.kind}"
        if one.is_fixed:
            yield Finding(
                one.kind, f"the {what} is tied to the table itself, which becomes rowform's storage",
                hint=f"drop it, and make it again afterwards: {table} is a view then",
            )  # fmt: skip
        elif not one.is_owned:
            yield Finding(
                one.kind, f"the {what} must be made again and belongs to another role",
                hint="connect as a member of that role, or as a superuser",
            )  # fmt: skip
        elif one.strangers:
            roles = joined(one.strangers)
            grant = f"GRANT SELECT ON {table} TO {', '.join(one.strangers)}"
            yield Finding(
                one.kind, f"the {what} lends its owner's rights to {roles}, which it cannot go on with",
                hint=f"{grant}, without policies in between, or make a SECURITY DEFINER function of it",
            )  # fmt: skip


def dependent_steps(dependents: Iterable[Dependent]) -> list[Step]:
    """Make views and functions again; their owners, privileges and options stay."""
    made = {one.name: one.definition for one in dependents if one.definition is not None}
    if not made:
        return []
    # The text comes from the catalog, where PostgreSQL wrote it.
    texts = [sql.SQL(text) for text in made.values()]  # pyright: ignore[reportArgumentType]
    parts = [sql.Composed([text]) for text in texts]
    return [Step(f"Let {joined(made)} read the views.", statements(parts))]
