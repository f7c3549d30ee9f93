"""The state of a database as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rowform.render.tables import table
from rowform.text import count, escape, joined


def status_text(status: Mapping[str, Any]) -> str:
    """What ``db status --format json`` has, for people."""
    needed = f"(this rowform works with {status['tool_schema_version']})"
    lines = [
        f"database {status['database_id']}, PostgreSQL {status['server_version']}",
        f"schema version {status['schema_version']} {needed}",
        f"application schema {escape(status['application_schema'])}",
        f"kinds: {joined(status['kinds'])}",
    ]
    if status["unknown_kinds"]:
        lines.append(f"kinds whose package is not installed here: {joined(status['unknown_kinds'])}")
    restaurants = status["restaurants"]
    lines.append("")
    if not restaurants:
        lines.append("No restaurants yet.")
        return "\n".join(lines)
    rows: list[tuple[str, ...]] = [("RESTAURANT", "ACTIVE", "NEWEST", "VERSIONS", "SETTINGS", "NAME")]
    rows.extend(_row(one) for one in restaurants)
    lines.extend(table(rows))
    lines.append("")
    lines.append(f"{count(len(restaurants), 'restaurant')}.")
    return "\n".join(lines)


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    active = one["active"]
    state = f"{active['number']}{' (locked)' if active['is_locked'] else ''}" if active else "-"
    return (
        escape(one["slug"] or one["id"]),
        state,
        str(one["newest"] or "-"),
        str(one["versions"]),
        str(sum(one["settings"].values())),
        escape(one["name"]),
    )
