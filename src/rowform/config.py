"""``config/rowform.yaml``: the tool's own configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from rowform.checks import Problems, kind_of_value, schema_problems
from rowform.document import Pointer, parse
from rowform.guards import Thresholds
from rowform.kinds.base import STRICT
from rowform.load import SourceFile

_DEFAULT = Thresholds()
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]


class ThresholdsFile(BaseModel):
    """How much a plan may delete or update before the guard `threshold` stops it."""

    model_config = STRICT

    delete_percent: Percent = _DEFAULT.delete_percent
    """The share of a restaurant's settings that may be deleted, in per cent."""
    delete_count: Count = _DEFAULT.delete_count
    """Fewer deletions than this are always fine."""
    emptied_count: Count = _DEFAULT.emptied_count
    """A kind with at least this many entries may not be emptied."""
    update_percent: Percent = _DEFAULT.update_percent
    """The share of a restaurant's settings that may be updated, in per cent."""
    update_total: Count = _DEFAULT.update_total
    """With fewer settings than this, any number may be updated."""


class TargetFile(BaseModel):
    """A database that `--target` can name."""

    model_config = STRICT

    database_url_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    """The environment variable that holds the database's URL."""


class ToolFile(BaseModel):
    """Thresholds of the guards, and the databases of this repository."""

    model_config = STRICT

    thresholds: ThresholdsFile = ThresholdsFile()
    """How much a plan may delete or update."""
    targets: dict[str, TargetFile] = Field(default_factory=dict[str, TargetFile])
    """The databases that `--target NAME` can name."""


@dataclass(frozen=True, slots=True)
class ToolConfig:
    """The tool's configuration; ``targets`` are environment variables by name."""

    thresholds: Thresholds = _DEFAULT
    targets: Mapping[str, str] = field(default_factory=dict[str, str])


_ADAPTER: TypeAdapter[ToolFile] = TypeAdapter(ToolFile)


def read_tool_config(file: SourceFile | None) -> tuple[ToolConfig, Problems]:
    """Read ``rowform.yaml``; without one, the defaults."""
    problems = Problems()
    if file is None:
        return ToolConfig(), problems
    document, faults = parse(file.shown, file.data)
    problems.extend(faults)
    if document is None or document.is_empty:
        return ToolConfig(), problems
    if not isinstance(document.value, dict):
        problems.error(
            document.locate(()), f"expected thresholds or targets, got {kind_of_value(document.value)}"
        )
        return ToolConfig(), problems
    try:
        read = _ADAPTER.validate_python(document.value)
    except ValidationError as error:
        problems.extend(schema_problems(error, document, (), _fields))
        return ToolConfig(), problems
    thresholds = Thresholds(**read.thresholds.model_dump())
    return ToolConfig(thresholds, {n: t.database_url_env for n, t in read.targets.items()}), problems


def _fields(at: Pointer) -> tuple[str, ...]:
    models: tuple[type[BaseModel], ...] = (ToolFile, ThresholdsFile, TargetFile)
    return tuple(models[min(len(at), 2)].model_fields)
