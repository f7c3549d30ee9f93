"""The existing application, as its database sees it: the seed document's server, one request at a time.

PostgREST runs every request in a transaction of its own, as the role of its token, in one statement of
the shapes below. Whatever an answer says of ids, numbers and times is not compared: these differ
between any two runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

TABLES = ("staff_groups", "daily_limits", "monthly_limits", "priority_rules", "ml_model_configs")
#: What a row says that differs between any two runs.
_ITS_OWN = ("id", "restaurant_id", "version_id", "created_at", "updated_at")


@dataclass
class Application:
    """The server's functions, by their names in the seed document, in Python's spelling."""

    url: str
    role: str
    restaurant: str

    # --- requests ---------------------------------------------------------------------------------

    def _request(self, statement: sql.Composed, parameters: Mapping[str, Any]) -> Any:
        with psycopg.connect(self.url, options="-c search_path=public") as connection:
            claims = json.dumps({"role": self.role, "sub": "5f3c9f5e-6a35-4b0e-8f0b-3a4f9a6e7d11"})
            connection.execute(
                "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true)",
                (self.role, claims),
            )
            row = connection.execute(statement, parameters).fetchone()
        assert row
        return row[0]

    def get(self, table: str, **equal: Any) -> list[dict[str, Any]]:
        """``GET /table?column=eq.value``."""
        query = sql.SQL("SELECT coalesce(json_agg(_t), '[]') FROM (SELECT * FROM {} WHERE {}) _t")
        return self._request(query.format(sql.Identifier(table), _where(equal)), _parameters(equal))

    def post(self, table: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """``POST /table`` with ``Prefer: return=representation``."""
        query = sql.SQL(
            "WITH pgrst_source AS (INSERT INTO {table} ({names}) SELECT {names} FROM"
            " json_populate_recordset(null::{table}, %(_body)s) _ RETURNING {table}.*)"
            " SELECT coalesce(json_agg(_postgrest_t), '[]') FROM (SELECT * FROM pgrst_source) _postgrest_t"
        )
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        body = {"_body": json.dumps([row], ensure_ascii=False)}
        return self._request(query.format(table=sql.Identifier(table), names=names), body)

    def patch(self, table: str, changes: Mapping[str, Any], **equal: Any) -> int:
        """``PATCH /table?column=eq.value`` with ``Prefer: return=minimal``; how many rows it met."""
        query = sql.SQL(
            "WITH pgrst_source AS (UPDATE {table} SET {sets} FROM (SELECT * FROM"
            " json_populate_record(null::{table}, %(_body)s)) pgrst_body WHERE {where} RETURNING 1)"
            " SELECT count(*) FROM pgrst_source"
        )
        sets = sql.SQL(", ").join(
            sql.SQL("{name} = pgrst_body.{name}").format(name=sql.Identifier(name)) for name in changes
        )
        where = _where(equal, table)
        body = {"_body": json.dumps(changes, ensure_ascii=False, default=str)}
        return self._request(
            query.format(table=sql.Identifier(table), sets=sets, where=where), _parameters(equal) | body
        )

    def delete(self, table: str, **equal: Any) -> int:
        """``DELETE /table?column=eq.value``; how many rows it met."""
        query = sql.SQL(
            "WITH pgrst_source AS (DELETE FROM {} WHERE {} RETURNING 1) SELECT count(*) FROM pgrst_source"
        )
        return self._request(query.format(sql.Identifier(table), _where(equal)), _parameters(equal))

    # --- section 2.4 ------------------------------------------------------------------------------

    def fetch_active_config_version(self) -> dict[str, Any] | None:
        found = self.get("config_versions", is_active=True, restaurant_id=self.restaurant)
        return max(found, key=lambda version: version["created_at"]) if found else None

    def fetch(self, table: str, version_id: str) -> list[dict[str, Any]]:
        return self.get(table, version_id=version_id, is_active=True)

    def fetch_aggregated_settings(self, version_id: str | None = None) -> dict[str, list[dict[str, Any]]]:
        """All five tables of a version, else of the active one."""
        if version_id is None:
            version = self.fetch_active_config_version()
            assert version
            version_id = version["id"]
        return {table: plain(self.fetch(table, version_id)) for table in TABLES}

    def update(self, table: str, version_id: str, row: Mapping[str, Any]) -> int:
        changes = {name: value for name, value in row.items() if name != "id"}
        changes["updated_at"] = "2026-04-01T09:00:00Z"
        return self.patch(table, changes, id=row["id"], version_id=version_id)

    def insert(self, table: str, version_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
        whole = {
            **row,
            "version_id": version_id,
            "restaurant_id": self.restaurant,
            "is_active": True,
            "created_at": "2026-04-01T09:00:00Z",
            "updated_at": "2026-04-01T09:00:00Z",
        }
        (made,) = self.post(table, whole)
        return made

    def log_config_change(self, version_id: str, table: str, operation: str, data: Mapping[str, Any]) -> None:
        row = {
            "version_id": version_id,
            "table_name": table,
            "operation": operation,
            "new_data": data,
            "changed_at": "2026-04-01T09:00:00Z",
            "reason": "WebSocket operation",
        }
        self.post("config_changes", row)

    def create_config_version(self, name: str, description: str) -> dict[str, Any]:
        numbers = [
            one["version_number"] for one in self.get("config_versions", restaurant_id=self.restaurant)
        ]
        row = {
            "restaurant_id": self.restaurant,
            "version_number": max(numbers, default=0) + 1,
            "name": name,
            "description": description,
            "is_active": False,
            "is_locked": False,
            "created_at": "2026-04-01T09:00:00Z",
        }
        (made,) = self.post("config_versions", row)
        return made

    def activate_config_version(self, version_id: str) -> tuple[int, int]:
        return (
            self.patch("config_versions", {"is_active": False}, restaurant_id=self.restaurant),
            self.patch("config_versions", {"is_active": True}, id=version_id),
        )

    def deactivate_config_version(self, version_id: str) -> int:
        return self.patch("config_versions", {"is_active": False}, id=version_id)

    # --- section 2.3 ------------------------------------------------------------------------------

    def handle_update(self, table: str, row: Mapping[str, Any]) -> int:
        version = self.fetch_active_config_version()
        assert version
        met = self.update(table, version["id"], row)
        self.log_config_change(version["id"], table, "UPDATE", row)
        return met

    def handle_migrate(self, settings: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
        version = self.create_config_version(
            "localStorage Migration", "Automatic migration from localStorage"
        )
        self._fill(version["id"], settings)
        self.activate_config_version(version["id"])
        return version

    def handle_reset(self, defaults: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
        current = self.fetch_active_config_version()
        assert current
        self.deactivate_config_version(current["id"])
        version = self.create_config_version("Default Configuration", "Reset to system defaults")
        self._fill(version["id"], defaults)
        self.activate_config_version(version["id"])
        return version

    def _fill(self, version_id: str, settings: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        for table, rows in settings.items():
            for row in rows:
                self.insert(table, version_id, row)
                self.log_config_change(version_id, table, "INSERT", row)


def plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows in order of their keys, without what differs between any two runs."""
    return sorted(
        ({name: value for name, value in row.items() if name not in _ITS_OWN} for row in rows),
        key=lambda row: str(row.get("name") or row.get("model_name")),
    )


def _where(equal: Mapping[str, Any], table: str | None = None) -> sql.Composed:
    return sql.SQL(" AND ").join(
        sql.SQL("{} = {}").format(
            sql.Identifier(table, name) if table else sql.Identifier(name), sql.Placeholder(name)
        )
        for name in equal
    )


def _parameters(equal: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in equal.items()}
