"""The state of a database as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rowform.render.tables import table
from rowform.render.tenancy import tenancy_lines
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
    if status["protected_at"]:
        place, since = escape(status["managed_in"] or ""), status["protected_at"]
        lines.append(f"direct writes: refused since {since}; settings are managed in {place}")
    else:
        lines.append("direct writes: allowed")
    lines.extend(tenancy_lines(status["tenancy"]))
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
    if status["verification"]:
        lines.extend(("", *_verification(status["verification"])))
    return "\n".join(lines)


def _verification(found: Mapping[str, Any]) -> Iterator[str]:
    bare = f"; {count(found['unrecorded'], 'version')} without a digest" if found["unrecorded"] else ""
    if not found["checked"]:
        yield f"Nothing to verify{bare}."
        return
    if not found["differing"]:
        yield f"{count(found['checked'], 'version')} verified: the content is as recorded{bare}."
        return
    yield f"{count(found['checked'], 'version')} verified{bare}. Not as recorded:"
    for one in found["differing"]:
        place = f"{escape(one['restaurant'])} version {one['version_number']}"
        yield f"  {place}: {one['found']}, not {one['recorded']}"


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
