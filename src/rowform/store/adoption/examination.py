"""Looking at an application's tables before they are taken over: what is there, what does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import Connection, sql

from rowform.errors import DoesNotFit
from rowform.kinds.base import Kind
from rowform.store.adoption.content import Taken, count_rows, row_findings
from rowform.store.adoption.dependents import Dependent, dependent_findings, read_dependents
from rowform.store.adoption.findings import Choices, Finding
from rowform.store.adoption.structure import book_findings, kind_findings
from rowform.store.adoption.tables import AppTable, read_tables
from rowform.store.ddl import TABLES
from rowform.store.queries import query
from rowform.text import joined


@dataclass(frozen=True, slots=True)
class Adoption:
    """What is to be taken over. ``findings`` decide whether it can be, ``rows`` are counted by kind.

    ``dependents`` are what refers to the kinds' tables.
    """

    schema: str
    choices: Choices
    tables: Mapping[str, AppTable]
    findings: tuple[Finding, ...]
    rows: Mapping[str, Taken]
    dependents: tuple[Dependent, ...]

    def ensure_fitting(self) -> None:
        """Refuse as long as something does not fit that nobody has decided upon.

        Raises:
            DoesNotFit: with all findings, also those that are decided upon.
        """
        left = [one for one in self.findings if one.fix is None or not self.choices.fix]
        if not left:
            return
        tables = sorted({f"{self.schema}.{finding.table}" for finding in left})
        raise DoesNotFit(
            f"{joined(tables)} cannot be taken over as {'it is' if len(tables) == 1 else 'they are'};"
            " nothing was changed",
            "do what is said there first; --fix cannot decide that"
            if any(finding.fix is None for finding in left)
            else "--fix does what is said there; take a backup first",
            [finding.to_json() for finding in self.findings],
        )

    def has(self, table: str, fix: str) -> bool:
        """Whether a table has a finding with this fix."""
        return any((one.table, one.fix) == (table, fix) for one in self.findings)


#: What is done about versions; the steps are made for those that are found.
DEACTIVATE = "leaves only the one active that was created last"
RELEASE = "keeps them as nobody's, with the restaurant's id in their description"
LEAVE = "keeps them as they are; they are nobody's"
DROP_INDEX = "drops it: every version of a setting is a row, and each key is unique in its version anyway"


def examine(
    connection: Connection,
    schema: str,
    names: Iterable[str],
    kinds: Mapping[str, Kind],
    choices: Choices,
    *,
    rows: bool = True,
) -> Adoption:
    """Read what there is of some tables, and whether it fits. Changes nothing.

    Args:
        connection: where to look; better in a transaction that holds the tables' locks.
        schema: the application's schema.
        names: the tables that exist there and are to be taken over.
        kinds: the kinds that the database is to have.
        choices: what the person has decided.
        rows: whether to look into the tables as well.
    """
    wanted = set(names)
    tables = read_tables(connection, schema, [name for name in (*TABLES, *kinds) if name in wanted])
    findings: list[Finding] = []
    for table in tables.values():
        kind = kinds.get(table.name)
        findings += kind_findings(table, schema, kind) if kind else book_findings(table, schema)
    movable = [name for name, table in tables.items() if name in kinds and table.sort == "r"]
    dependents = read_dependents(connection, schema, movable)
    findings += dependent_findings(schema, dependents)
    taken: dict[str, Taken] = {}
    if rows and not findings:  # else questions about the rows may fail
        findings += _id_findings(connection, schema, tables)
        if "config_versions" in tables:
            findings += _version_findings(connection, schema, tables)
        for kind in (kinds[name] for name in movable):
            findings += _index_findings(tables[kind.name])
            findings += _key_findings(connection, schema, kind)
            taken[kind.name] = count_rows(connection, kind, tables[kind.name], schema, choices)
            findings += row_findings(kind, taken[kind.name])
    return Adoption(schema, choices, tables, tuple(findings), taken, tuple(dependents))


def _ids(connection: Connection, question: sql.Composed) -> tuple[str, ...]:
    row = connection.execute(query("as_list", question=question)).fetchone()
    return tuple(row[0]) if row and row[0] else ()


def _id_findings(connection: Connection, schema: str, tables: Mapping[str, AppTable]) -> Iterable[Finding]:
    for table in tables.values():
        if not table.has_unique_id:
            question = query("double_ids", table=sql.Identifier(schema, table.name))
            if ids := _ids(connection, question):
                yield Finding(
                    table.name, "ids that are missing or not unique", ids, hint="give each row its own"
                )


def _version_findings(
    connection: Connection, schema: str, tables: Mapping[str, AppTable]
) -> Iterable[Finding]:
    app = sql.Identifier(schema)
    columns = tables["config_versions"].columns
    name = "config_versions"
    if ids := _ids(connection, surplus_active(app, columns)):
        yield Finding(name, "more than one active version of a restaurant", ids, fix=DEACTIVATE)
    if ids := _ids(connection, query("versions_of_nobody", app=app)):
        yield Finding(name, "versions without a restaurant", ids, fix=LEAVE)
    if "restaurants" in tables and (ids := _ids(connection, query("versions_of_strangers", app=app))):
        yield Finding(name, "versions of restaurants that do not exist", ids, fix=RELEASE)
    if ids := _ids(connection, query("double_numbers", app=app)):
        yield Finding(
            name, "versions of one restaurant with the same number, or without one", ids,
            hint="give each version of a restaurant a number of its own",
        )  # fmt: skip


def surplus_active(app: sql.Identifier, columns: Iterable[str]) -> sql.Composed:
    """The question which active versions are too many."""
    latest = sql.SQL("created_at DESC NULLS LAST," if "created_at" in columns else "")
    return query("surplus_active", app=app, latest=latest)


def _index_findings(table: AppTable) -> Iterable[Finding]:
    for index in table.unique_indexes:
        if not {"id", "version_id"} & set(index.columns):
            columns = joined(index.columns) or "an expression"
            yield Finding(
                table.name,
                f"the unique index {index.name} ({columns}) allows one version alone",
                fix=DROP_INDEX,
            )


def _key_findings(connection: Connection, schema: str, kind: Kind) -> Iterable[Finding]:
    question = query("long_keys", table=sql.Identifier(schema, kind.name), key=sql.Identifier(kind.key))
    if ids := _ids(connection, question):
        yield Finding(kind.name, f"rows whose {kind.key} is longer than 2,500 bytes", ids, hint="shorten it")
