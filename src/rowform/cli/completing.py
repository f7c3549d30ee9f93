"""What the shell proposes: restaurants, targets and kinds, from the configuration at hand.

Called at every press of the tab key. Whatever is wrong with the configuration, there is no message and
nothing to propose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path


def restaurants(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The slugs that begin so: the directories with a restaurant's file."""
    from rowform.files import is_slug

    try:
        homes = [one.name for one in _config_dir(ctx).iterdir() if (one / "restaurant.yaml").is_file()]
    except OSError:
        return []
    return sorted(name for name in homes if name.startswith(begun) and is_slug(name))


def targets(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The targets of ``rowform.yaml`` that begin so."""
    from rowform.errors import RowformError
    from rowform.sync.configuration import Settings, load_tool_config

    try:
        known = load_tool_config(Settings(_config_dir(ctx))).targets
    except RowformError:
        return []
    return [name for name in known if name.startswith(begun)]


def kind_names(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The kinds that begin so."""
    from rowform.kinds import kinds

    return [name for name in kinds() if name.startswith(begun)]


def _config_dir(ctx: click.Context) -> Path:
    # Every command names this module, and most need no paths to begin with.
    from pathlib import Path

    return Path(ctx.find_root().params.get("config_dir") or "config")
