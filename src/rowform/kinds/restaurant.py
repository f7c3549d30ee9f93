"""``restaurant.yaml``: which restaurant a directory is about."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from rowform.kinds.base import NOT_BLANK, STRICT, UUID_PATTERN


def _time_zone(value: str) -> str:
    # zoneinfo takes 8 ms to import; a file that is valid up to here has just one time zone.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "time_zone", "{value} is no IANA time zone", {"value": f'"{value}"'}
        ) from None
    return value


Uuid = Annotated[
    str,
    StringConstraints(pattern=UUID_PATTERN),
    WithJsonSchema({"type": "string", "format": "uuid", "pattern": UUID_PATTERN}),
]


class RestaurantFile(BaseModel):
    """The tenant that a directory of settings belongs to."""

    model_config = STRICT

    id: Uuid = Field(examples=["e1661c71-b24f-4ee1-9e8b-7290a43c9575"])
    """The restaurant's id in the database, a UUID; `rowform init` makes one."""
    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NOT_BLANK)] = Field(
        examples=["Sakura"]
    )
    """The restaurant's name for people."""
    timezone: Annotated[str, StringConstraints(max_length=50), AfterValidator(_time_zone)] = Field(
        "Asia/Tokyo", examples=["Asia/Tokyo"]
    )
    """IANA time zone in which its dates are meant."""
    inherits: list[str] = Field(default_factory=list[str], examples=[["_defaults"]])
    """Directories whose entries apply here too; a later one wins."""
    without: dict[str, list[str]] = Field(
        default_factory=dict[str, list[str]], examples=[{"daily_limits": ["Max early"]}]
    )
    """Inherited entries that do not apply here, by kind."""
    manages: list[str] | None = Field(None, examples=[["staff_groups", "daily_limits"]])
    """The kinds that rowform owns here; all of them if left out. Others are never touched."""
