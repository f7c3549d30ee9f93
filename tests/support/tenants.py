"""A database of two restaurants with people who are of one of them, of both, of none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import Connection, sql

from tests.support.database import Databases

#: All that names one of Momiji's things has its first digits.
SAKURA, MOMIJI = "5a000000-0000-4000-8000-000000000000", "30000000-0000-4000-8000-000000000000"
ROLES = ("owner", "tenant", "both", "stranger", "server", "web")


@dataclass(frozen=True)
class Ids:
    """Restaurant, active version, an older one, and a staff group with the name Kitchen."""

    restaurant: str
    version: str
    old: str
    group: str

    def named(self, prefix: str) -> dict[str, str]:
        return {f"{prefix}{name}": getattr(self, name) for name in ("restaurant", "version", "old", "group")}


@dataclass(frozen=True)
class Outcome:
    """What a statement did: rows that came back, or how many it met, or the error it raised."""

    rows: list[tuple[Any, ...]]
    met: int
    state: str | None = None
    message: str = ""


class Tenants:
    """``root`` is the superuser's connection, on which everybody else acts; roles by their short names."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.root = psycopg.connect(url, autocommit=True, options="-c search_path=public")
        self.tag = token_hex(4)

    def role(self, name: str) -> str:
        return f"{name}_{self.tag}"

    def make_roles(self) -> None:
        for name in ROLES:
            self.sql(f"CREATE ROLE {self.role(name)} {'NOLOGIN' if name == 'web' else 'LOGIN'}")
        self.sql(f"GRANT {self.role('web')} TO {self.role('server')}, {self.role('tenant')}")
        self.sql(f"GRANT CREATE ON DATABASE {self.root.info.dbname} TO {self.role('owner')}")
        self.sql(f"ALTER SCHEMA public OWNER TO {self.role('owner')}")

    def grant(self, *names: str) -> None:
        """All that an application ever gets, and more than it needs."""
        people = ", ".join(map(self.role, names))
        self.sql(f"GRANT USAGE ON SCHEMA public, rowform TO {people}")
        self.sql(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, rowform TO {people}")
        self.sql(f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public, rowform TO {people}")

    def add_member(self, name: str, restaurant: str | None) -> None:
        self.sql(
            "INSERT INTO rowform.members (role_name, restaurant_id, is_gateway) VALUES (%s, %s, %s)",
            self.role(name), restaurant, restaurant is None,
        )  # fmt: skip

    def add_restaurant(self, slug: str, id: str) -> Ids:
        """With two versions that an application made, the second one active."""
        old, version, group = (id[:8] + str(uuid4())[8:] for _ in range(3))
        self.sql("INSERT INTO restaurants (id, name, slug) VALUES (%s, %s, %s)", id, slug, slug)
        for number, one in enumerate((old, version), start=1):
            self.sql(
                "INSERT INTO config_versions (id, restaurant_id, version_number, name, is_active)"
                " VALUES (%s, %s, %s, 'Made', false)", one, id, number,
            )  # fmt: skip
            self.sql(
                "INSERT INTO staff_groups (id, restaurant_id, version_id, name, color)"
                " VALUES (%s, %s, %s, 'Kitchen', %s)", group, id, one, f"#00000{number}",
            )  # fmt: skip
            self.sql("UPDATE config_versions SET is_active = false WHERE restaurant_id = %s", id)
            self.sql("UPDATE config_versions SET is_active = true WHERE id = %s", one)
        return Ids(id, version, old, group)

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """As the superuser."""
        cursor = self.root.execute(statement.encode(), parameters or None)
        return [] if cursor.description is None else cursor.fetchall()

    @contextmanager
    def acting(self, name: str, prelude: str = "") -> Iterator[Connection]:
        """As somebody else, within one transaction that is rolled back; then as the superuser again."""
        with self.root.transaction(force_rollback=True):
            self.become(name, prelude)
            yield self.root

    def become(self, name: str, prelude: str = "") -> None:
        self.root.execute(f"SET LOCAL SESSION AUTHORIZATION {self.role(name)}; {prelude}".encode())

    def come_back(self) -> None:
        self.root.execute(
            b"RESET ROLE; SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = public"
        )

    def attempt(self, statement: str) -> Outcome:
        """Whatever comes of it; the transaction goes on."""
        try:
            with self.root.transaction():
                cursor = self.root.execute(statement.encode())
                rows = [] if cursor.description is None else cursor.fetchall()
                return Outcome(rows, cursor.rowcount)
        except psycopg.Error as error:
            diag = error.diag
            said = " ".join(filter(None, (diag.message_primary, diag.message_detail, diag.message_hint)))
            return Outcome([], 0, diag.sqlstate, said)

    def close(self, databases: Databases) -> None:
        self.root.close()
        databases.drop(self.url)
        with psycopg.connect(databases.create(), autocommit=True) as last:
            for name in ROLES:
                last.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(self.role(name))))
