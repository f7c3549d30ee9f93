"""Who may see which restaurant, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rowform.text import escape, joined


def tenancy_lines(tenancy: Mapping[str, Any]) -> Iterator[str]:
    """What ``db status`` says of row level security: how far it goes, whom it holds and whom it does not."""
    yield f"row level security: {_extent(tenancy)}"
    if tenancy["forced_tables"]:
        forced = _list(tenancy["forced_tables"])
        yield f"warning: it is forced upon the owner, as whom rowform's functions run: {forced}"
    yield from _section(
        "roles and their restaurants",
        (
            f"{escape(one['role'])}: {'gateway' if one['is_gateway'] else _list(one['restaurants'])}"
            + ("" if one["exists"] else " (there is no such role)")
            for one in tenancy["members"]
        ),
    )
    yield from _section(
        f"roles that {'see' if tenancy['is_enforced'] else 'would see'} nothing, for they have no restaurant",
        (f"{escape(one['role'])}: privileges of {_list(one['through'])}" for one in tenancy["unmapped"]),
    )
    yield from _section(
        "roles that get around row level security",
        (f"{escape(one['role'])}: {'; '.join(map(escape, one['reasons']))}" for one in tenancy["bypassing"]),
    )
    yield from _section("views and functions that may lead around it", map(escape, tenancy["routes"]))
    yield from _section(
        "policies of the application's own", (_policy(one) for one in tenancy["foreign_policies"])
    )


def _extent(tenancy: Mapping[str, Any]) -> str:
    if tenancy["is_enforced"]:
        return "keeps restaurants apart"
    if tenancy["is_begun"]:
        return f"not on {_list(tenancy['open_tables'])}; `rowform db upgrade` brings it back"
    return "does not keep restaurants apart; `rowform db upgrade --enforce-rls` does that"


def _policy(one: Mapping[str, Any]) -> str:
    sort = "" if one["is_permissive"] else "restrictive, "
    extent = f"{sort}{one['command']} to {_list(one['roles'])}"
    what = f"{escape(one['relation'])}: {escape(one['name'])} ({extent})"
    if one["storage_ids"]:
        what += f"; reads {_list(one['storage_ids'])}, which in storage is another than in the view"
    return what


def _section(title: str, lines: Iterator[str] | map[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"{title}:"
        yield from (f"  {line}" for line in found)


def _list(names: list[str]) -> str:
    return escape(joined(names))
