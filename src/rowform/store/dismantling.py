"""The statements that take rowform out of a database, in order.

The way is adoption's, back: every table stays the table that it is, with its triggers, policies,
privileges and whatever refers to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from psycopg import Connection, sql

from rowform.errors import Refused, SchemaError
from rowform.store.ddl import RANGE, TABLES, Step, named, statements
from rowform.store.failures import UPGRADE_HINT
from rowform.store.migrations import migrations
from rowform.store.ownership import first_row, named_tables, owned_schema
from rowform.store.queries import column_list, query
from rowform.text import joined

_IDS = ("id", "restaurant_id", "version_id")


def dismantling(connection: Connection) -> Dismantling:
    """Read what there is, once it is clear that it is ours, and the role's."""
    schema = owned_schema(connection)
    rows = connection.execute(
        query("removal_kinds", schema=sql.Literal(schema), apart=sql.Literal([*_IDS, *RANGE]))
    ).fetchall()
    for name, *_, is_shown in rows:
        if not is_shown:
            raise SchemaError(f"the view {schema}.{name} is missing", UPGRADE_HINT)
    return Dismantling(connection, schema, tuple(_Table(schema, *row[:-1]) for row in rows))


@dataclass(frozen=True, slots=True)
class _Table:
    """A kind's table. ``settable`` are those of its ``columns`` that an UPDATE may set."""

    schema: str
    name: str
    columns: list[str]
    settable: list[str]
    has_is_active: bool

    @property
    def stored(self) -> sql.Identifier:
        return sql.Identifier("rowform", self.name)

    @property
    def plain(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def view_name(self) -> str:
        """What the view is called while the table has its place already."""
        return f"{self.name} (rowform)"


@dataclass(frozen=True)
class Dismantling:
    """A database, and the statements that take rowform out of it; what they depend on is read now."""

    connection: Connection
    schema: str
    tables: tuple[_Table, ...]

    @property
    def app(self) -> sql.Identifier:
        return sql.Identifier(self.schema)

    @cached_property
    def _parts(self) -> Mapping[str, sql.Composable]:
        """What queries about the catalog want to be told."""
        return {"schema": sql.Literal(self.schema), **named_tables(self.schema)}

    def lock(self) -> sql.Composed:
        """Views first, as those lock who write through them: nobody then waits for us while we wait."""
        names = (
            *(table.plain for table in self.tables),
            *(sql.Identifier(self.schema, name) for name in TABLES),
        )
        return query("lock_tables", tables=sql.SQL(", ").join(names))

    def steps(self) -> list[Step]:
        """Everything that is to be done, in order.

        Raises:
            Refused: objects of others depend on rowform's.
        """
        again = self._dependents()
        asides = (sql.Identifier(self.schema, table.view_name) for table in self.tables)
        granted = self._privileges()
        moved = (
            query(
                "move_back",
                view=table.plain,
                aside=sql.Identifier(table.view_name),
                table=table.stored,
                app=self.app,
            )
            for table in self.tables
        )
        steps = [
            Step("Drop rowform's triggers, policies and indexes.", self._unguarded()),
            Step(f"Put the tables back into {self.schema}.", statements(moved)),
            Step("Drop rowform's views.", query("drop_views", views=sql.SQL(", ").join(asides))),
            *(
                Step(
                    f"Keep the active versions' settings in {self.schema}.{table.name}.",
                    statements((*self._plain(table), *granted.get(table.name, ()))),
                )
                for table in self.tables
            ),
            Step("Drop rowform's functions and tables.", self._texts("removal_routines", "removal_books")),
            Step(
                "Take out of config_versions and config_changes what rowform added.",
                self._without_additions(),
            ),
            *self._functions(),
            Step("Drop the schema rowform.", statements((query("drop_schema"), query("reload_interfaces")))),
        ]
        if again:
            what = "Let the application's views and functions read the tables."
            steps.insert(2, Step(what, statements(again)))
        return steps

    def _dependents(self) -> list[sql.Composed]:
        """The statements that make the application's views and functions read the tables."""
        mentioned = {name for one in migrations() for name in re.findall(r"\browform\.(\w+)", one.text)}
        found = self.connection.execute(
            query("dependents", **self._parts, range=sql.Literal(list(RANGE)), our_policy=query("our_policy"))
        ).fetchall()
        strangers = self.connection.execute(
            query("strangers", known=sql.Literal(sorted(mentioned)))
        ).fetchall()
        lost = [what for (what,) in strangers] + [what for what, statement in found if statement is None]
        if lost:
            raise Refused(
                f"what depends on rowform would be lost with it: {joined(lost)}",
                "drop it first, and make it again on the plain tables; nothing was changed",
            )
        return [_text(statement) for _, statement in found]

    def _texts(self, *names: str, **parts: sql.Composable) -> sql.Composed:
        """The statements that queries bring."""
        rows = (row for name in names for row in self.connection.execute(query(name, **parts)).fetchall())
        return statements(_text(text) for (text,) in rows)

    def _functions(self) -> list[Step]:
        """What puts the application's own functions back, if any was changed."""
        found = self._texts("removal_paths")
        what = "Let the application's triggers find what they name by themselves."
        return [Step(what, found)] if found.as_string(None) else []

    def _unguarded(self) -> sql.Composed:
        return self._texts(
            "removal_triggers",
            "removal_policies",
            "removal_indexes",
            our_policy=query("our_policy"),
            range=sql.Literal(list(RANGE)),
        )

    def _without_additions(self) -> sql.Composed:
        return statements(
            (
                query("plain_columns", app=self.app),
                self._texts(
                    "removal_constraints", "removal_reading", **self._parts, grantee=query("grantee")
                ),
                self._foreign_key(sql.Identifier(self.schema, "config_versions"), "restaurant_id"),
                self._foreign_key(sql.Identifier(self.schema, "config_changes"), "version_id"),
            )
        )

    def _privileges(self) -> dict[str, list[sql.Composed]]:
        found: dict[str, list[sql.Composed]] = {}
        parts = {"schema": self._parts["schema"], "grantee": query("grantee")}
        for name, statement in self.connection.execute(query("removal_privileges", **parts)):
            found.setdefault(name, []).append(_text(statement))
        return found

    def _plain(self, table: _Table) -> list[sql.Composed]:
        """The statements that leave one kind's table with plain rows, keys and triggers."""
        parts = {"table": table.plain, "app": self.app}
        stored = named("rowform", table.name)
        triggers = self.connection.execute(query("removal_paused", table_name=stored)).fetchall()
        conditions = self.connection.execute(
            query("removal_references", table_name=stored, schema=self._parts["schema"])
        ).fetchall()
        unreferenced = sql.SQL(" AND ").join([sql.SQL("true"), *(_text(text) for (text,) in conditions)])
        assignments = (sql.SQL("{0} = plain.{0}").format(sql.Identifier(name)) for name in table.settable)
        columns = tuple(table.columns)
        return [
            *(
                query("disable_trigger", table=table.plain, trigger=sql.Identifier(name))
                for name, _ in triggers
            ),
            query("plain_rows", **parts),
            query("drop_past", **parts, unreferenced=unreferenced),
            query("retire_rows" if table.has_is_active else "unplace_rows", **parts),
            query("drop_range", **parts),
            query(
                "place_rows",
                **parts,
                assignments=sql.SQL(", ").join(assignments),
                columns=column_list(columns),
                plain_columns=column_list(columns, "plain"),
            ),
            self._foreign_key(table.plain, "restaurant_id", table.stored),
            self._foreign_key(table.plain, "version_id", table.stored),
            *(
                query("enable_trigger", table=table.plain, trigger=sql.Identifier(name), mode=_text(mode))
                for name, mode in triggers
            ),
        ]

    def _foreign_key(
        self, table: sql.Identifier, column: str, now: sql.Identifier | None = None
    ) -> sql.Composed:
        """One of the application's foreign keys; ``now`` is where the table is at present."""
        to_restaurant = column == "restaurant_id"
        target = sql.Identifier(self.schema, "restaurants" if to_restaurant else "config_versions")
        parts = {"column": sql.Identifier(column), "target": target}
        dangling = first_row(self.connection, query("is_dangling", table=now or table, **parts))[0]
        cascade = sql.SQL(" ON DELETE CASCADE" if to_restaurant else "")
        rest = cascade + sql.SQL(" NOT VALID" if dangling else "")
        return query("add_foreign_key", table=table, **parts, rest=rest)


def _text(text: str) -> sql.Composed:
    """Statements that come from the catalog, where PostgreSQL wrote them."""
    return sql.Composed([sql.SQL(text)])  # pyright: ignore[reportArgumentType]
