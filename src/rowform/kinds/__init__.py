"""The kinds of settings: the seed's five tables, and those of installed packages.

A package adds a kind through the entry point group ``rowform.kinds``::

    [project.entry-points."rowform.kinds"]
    weekly_limits = "my_package:WeeklyLimit"
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from rowform.errors import UsageError
from rowform.kinds.base import Kind, Setting
from rowform.kinds.daily_limits import DailyLimit
from rowform.kinds.ml_model_configs import MlModelConfig
from rowform.kinds.monthly_limits import MonthlyLimit
from rowform.kinds.priority_rules import PriorityRule
from rowform.kinds.staff_groups import StaffGroup

__all__ = ["GROUP", "Kind", "Setting", "kinds"]

#: The entry point group in which other packages announce their kinds.
GROUP = "rowform.kinds"

_OURS = (StaffGroup, DailyLimit, MonthlyLimit, PriorityRule, MlModelConfig)
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,48}")
#: The application's tables that are no kinds. Those of the schema rowform are checked by its DDL.
_TAKEN = frozenset({"restaurants", "config_versions", "config_changes"})


@cache
def kinds() -> Mapping[str, Kind]:
    """All kinds by name: the built-in ones first, then those of entry points in order of name.

    Raises:
        UsageError: an entry point cannot be loaded or does not lead to a usable kind.
    """
    found = {model.table: Kind(model) for model in _OURS}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            model: object = point.load()
        except Exception as error:
            raise UsageError(f"the kind {point.name} ({point.value}) cannot be loaded: {error}") from error
        if not (isinstance(model, type) and issubclass(model, Setting)):
            raise UsageError(f"the kind {point.name} ({point.value}) is not a rowform.kinds.Setting")
        table = getattr(model, "table", "")
        if not _TABLE.fullmatch(table) or table in found or table in _TAKEN:
            raise UsageError(f"the kind {point.name} ({point.value}) has an unusable table name: {table!r}")
        kind = Kind(model)
        if kind.key not in kind.column_names:
            raise UsageError(f"the kind {point.name} ({point.value}) has no field {kind.key!r} as its key")
        found[table] = kind
    return MappingProxyType(found)
