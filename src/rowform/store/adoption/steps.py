"""The statements that take an application's tables over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql

from rowform import __version__
from rowform.kinds.base import Kind
from rowform.store.adoption.content import placed_rows
from rowform.store.adoption.dependents import dependent_steps
from rowform.store.adoption.examination import DEACTIVATE, DROP_INDEX, RELEASE, Adoption, surplus_active
from rowform.store.adoption.tables import AppTable
from rowform.store.ddl import (
    TABLES,
    Step,
    add_columns,
    add_range,
    create_view,
    make_storage,
    named,
    statements,
)
from rowform.store.queries import query
from rowform.text import count, joined

_MODES = {"O": sql.SQL(""), "R": sql.SQL("REPLICA"), "A": sql.SQL("ALWAYS")}


def lock_tables(schema: str, names: Iterable[str]) -> sql.Composed:
    """The statement that keeps everybody else away from some tables."""
    return query("lock_tables", tables=sql.SQL(", ").join(sql.Identifier(schema, name) for name in names))


def book_steps(adoption: Adoption) -> list[Step]:
    """What is done about the tables that stay tables, before anything else is done to them."""
    app = sql.Identifier(adoption.schema)
    tables = [adoption.tables[name] for name in TABLES if name in adoption.tables]
    steps: list[Step] = []
    if tables:
        silence = [one for table in tables for one in _silence(table, adoption.schema)]
        ids = [
            query("add_primary_key", table=sql.Identifier(adoption.schema, table.name))
            for table in tables
            if not table.has_unique_id
        ]
        what = f"Take over {joined(f'{adoption.schema}.{table.name}' for table in tables)}"
        if any(table.name == "config_versions" and table.has_row_security for table in tables):
            what += "; who may not read a version no longer reads its settings either"
        steps.append(Step(f"{what}.", statements([query("check_at_once"), *silence, *ids])))
    versions = adoption.tables.get("config_versions")
    if versions is None:
        return steps
    if adoption.has("config_versions", DEACTIVATE):
        surplus = surplus_active(app, versions.columns)
        steps.append(Step("Leave one version of each restaurant active.",
                          query("deactivate_surplus", app=app, surplus=surplus)))  # fmt: skip
    if adoption.has("config_versions", RELEASE):
        strangers = query("versions_of_strangers", app=app)
        steps.append(Step("Keep versions of restaurants that do not exist as nobody's.",
                          query("release_versions", app=app, strangers=strangers)))  # fmt: skip
    return steps


def awaken_steps(adoption: Adoption) -> list[Step]:
    """Let the application's triggers on the tables that stay tables fire again."""
    tables = [adoption.tables[name] for name in TABLES if name in adoption.tables]
    parts = [one for table in tables for one in _awaken(table, adoption.schema)]
    return [Step("Let the application's triggers fire again.", statements(parts))] if parts else []


def kind_steps(adoption: Adoption, kind: Kind) -> list[Step]:
    """Make storage of an application's table, and the view in its place."""
    table = adoption.tables[kind.name]
    schema = adoption.schema
    app = sql.Identifier(schema)
    missing = [name for name in kind.table_columns if name not in table.columns]
    old, new = sql.Identifier(schema, kind.name), sql.Identifier("rowform", kind.name)
    placed = placed_rows(kind, table, "rowform", app, adoption.choices)
    parts = [query("check_at_once"), query("move_table", table=old), *_silence(table, "rowform")]
    parts += (
        query("drop_constraint", table=new, constraint=sql.Identifier(name))
        for name in table.own_foreign_keys
    )
    parts += _drop_indexes(adoption, table, new)
    if not table.has_primary_key:
        parts.append(query("add_primary_key", table=new))
    if missing:
        parts.append(add_columns(kind, missing))
    parts.append(add_range(kind))
    if not adoption.choices.fix:
        parts.append(query("expect_fitting", placed=placed, name=sql.Literal(kind.name)))
    parts.append(query("assign_rows", table=new, placed=placed))
    parts += (*_awaken(table, "rowform"), make_storage(kind, app), _record(kind))
    columns = [*table.columns, *missing]
    computed = [column.name for column in table.columns.values() if column.is_computed]
    relations = {"view_name": named(schema, kind.name), "table_name": named("rowform", kind.name)}
    view = (
        create_view(kind, app, schema, columns, computed),
        close_kind(kind, schema),
        query("describe_view", **relations),
        query("adopt_access", versions_name=named(schema, "config_versions"), **relations),
    )
    return [
        Step(_taking(adoption, kind), statements(parts)),
        Step(
            f"Create the view {schema}.{kind.name} with the table's columns and privileges.", statements(view)
        ),
    ]


def last_steps(adoption: Adoption, path: Sequence[str]) -> list[Step]:
    """What is left once all tables are taken over. ``path``: where the application finds what it names."""
    steps = dependent_steps(adoption.dependents)
    functions = sorted({name for table in adoption.tables.values() for name in table.pathless_functions})
    if functions:
        places = sql.SQL(", ").join(sql.Identifier(schema) for schema in path)
        # The names come from the catalog, where PostgreSQL wrote them.
        parts = [
            query(
                "give_path",
                function=sql.SQL(name),  # pyright: ignore[reportArgumentType]
                name=sql.Literal(name),
                path=places,
            )
            for name in functions
        ]
        what = f"Let the application's triggers find what they name ({joined(functions)})."
        steps.append(Step(what, statements(parts)))
    if adoption.rows:
        steps.append(Step("Tell PostgREST, if there is one.", query("reload_interfaces")))
    return steps


def close_schema(schema: str, names: Iterable[str]) -> sql.Composed:
    """Take from everybody what default privileges have given on all that is rowform's own.

    Args:
        schema: the application's schema.
        names: relations in it that were made just now.
    """
    made = sql.Literal([sql.Identifier(schema, name).as_string(None) for name in names])
    return query("close_made", made=query("all_relations", made=made), functions=query("all_functions"))


def close_kind(kind: Kind, *schemas: str) -> sql.Composed:
    """The same for a kind's table, view, or both, by the schemas that they were made in."""
    made = sql.Literal([sql.Identifier(schema, kind.name).as_string(None) for schema in schemas])
    function = sql.Literal(sql.Identifier("rowform", f"write_{kind.name}").as_string(None) + "()")
    return query(
        "close_made",
        made=query("these_relations", made=made),
        functions=query("this_function", function=function),
    )


def _taking(adoption: Adoption, kind: Kind) -> str:
    taken = adoption.rows[kind.name]
    what = f"Take over {adoption.schema}.{kind.name}: {count(taken.fitting, 'row')}"
    if taken.kept:
        what += f"; {count(taken.kept, 'row')} kept in no version"
    if publications := adoption.tables[kind.name].publications:
        what += f"; {joined(publications)} publishes rowform's storage of it from now on"
    return f"{what}."


def _record(kind: Kind) -> sql.Composed:
    return query(
        "record_kind",
        kind=sql.Literal(kind.name),
        key=sql.Literal(kind.key),
        tool_version=sql.Literal(__version__),
    )


def _drop_indexes(adoption: Adoption, table: AppTable, place: sql.Identifier) -> Iterable[sql.Composed]:
    for index in table.unique_indexes:
        if {"id", "version_id"} & set(index.columns) or not adoption.has(table.name, DROP_INDEX):
            continue
        if index.constraint:
            yield query("drop_constraint", table=place, constraint=sql.Identifier(index.constraint))
        else:
            yield query("drop_index", index=sql.Identifier("rowform", index.name))


def _silence(table: AppTable, schema: str) -> Iterable[sql.Composed]:
    place = sql.Identifier(schema, table.name)
    for name in table.triggers:
        yield query("disable_trigger", table=place, trigger=sql.Identifier(name))


def _awaken(table: AppTable, schema: str) -> Iterable[sql.Composed]:
    place = sql.Identifier(schema, table.name)
    for name, mode in table.triggers.items():
        yield query("enable_trigger", table=place, trigger=sql.Identifier(name), mode=_MODES[mode])
