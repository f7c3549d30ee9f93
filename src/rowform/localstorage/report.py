"""What an import found and did."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rowform.errors import InvalidSource, RowformError, Unanswered
from rowform.localstorage.mapping import Mapped
from rowform.localstorage.merge import Merged
from rowform.localstorage.settings import Setting
from rowform.localstorage.source import Path
from rowform.location import Problem
from rowform.text import count, joined, pointer

FORMAT = "rowform.import/1"


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference that leads nowhere: where the source has it, and what it names."""

    file: str
    path: Path
    name: str
    what: str

    def to_json(self) -> dict[str, Any]:
        return {"file": self.file, "pointer": pointer(self.path), "name": self.name, "what": self.what}


@dataclass(slots=True)
class Outcome:
    """One import. ``merged`` is ``None`` if faults kept it from being looked at.

    ``files`` were written, or would be; ``warnings`` are what the configuration says of them.
    """

    slug: str
    home: str
    side_file: str
    copies: Sequence[Mapped]
    dry_run: bool = False
    merged: Merged | None = None
    dangling: list[Dangling] = field(default_factory=list[Dangling])
    warnings: list[Problem] = field(default_factory=list[Problem])
    files: list[str] = field(default_factory=list[str])

    def error(self) -> RowformError | None:
        """What kept the import from being written, if something did."""
        faults = [fault for copy in self.copies for fault in copy.faults]
        if faults:
            names = joined([copy.source.name for copy in self.copies if copy.faults])
            wrong = f"{count(len(faults), 'value')} cannot be taken as {_is_are(len(faults))}"
            return InvalidSource(names, f"{wrong}; nothing was written", faults=faults)
        homeless = sum(len(copy.homeless) for copy in self.copies)
        conflicts = len(self.merged.unanswered) if self.merged else 0
        words = [
            *([f"{count(homeless, 'value')} without a home"] if homeless else ()),
            *([f"{count(conflicts, 'conflict')} without an answer"] if conflicts else ()),
        ]
        return Unanswered(f"nothing was written: {joined(words)}") if words else None

    def remedies(self) -> list[str]:
        """The options that keep aside what is in the way."""
        paths: dict[Path, None] = {}
        for copy in self.copies:
            paths.update(dict.fromkeys(fault.remedy for fault in copy.faults if fault.remedy))
            paths.update(dict.fromkeys(one.path for one in copy.homeless))
        return [leave_out(path) for path in _outermost(paths)]

    def to_json(self) -> dict[str, Any]:
        error = self.error()
        merged = self.merged or Merged()
        return {
            "format": FORMAT,
            "ok": error is None,
            "restaurant": self.slug,
            "dry_run": self.dry_run,
            "sources": [_source(copy) for copy in self.copies],
            "added": [{"kind": one.kind, "key": one.key} for one in merged.added],
            "replaced": [{"kind": one.kind, "key": one.key} for _, one in merged.replaced],
            "unchanged": [{"kind": one.kind, "key": one.key} for one in merged.equal],
            "conflicts": [one.to_json() for one in merged.conflicts],
            "dangling": [one.to_json() for one in self.dangling],
            "warnings": [one.to_json() for one in self.warnings],
            "files": self.files,
            "side_file": self.side_file,
            "error": error.to_json() if error else None,
        }


def _is_are(number: int) -> str:
    return "it is" if number == 1 else "they are"


def leave_out(path: Path) -> str:
    """The option that leaves a value out, to paste into a shell."""
    return f"--leave-out {shlex.quote(pointer(path))}"


def _outermost(paths: Iterable[Path]) -> Iterator[Path]:
    """The paths that are not inside another one."""
    known = set(paths)
    for path in known and paths:
        if not any(path[:length] in known for length in range(1, len(path))):
            yield path


def _source(copy: Mapped) -> dict[str, Any]:
    return {
        "file": copy.source.name,
        "wrapping": list(copy.source.wrapping),
        "other_keys": list(copy.source.others),
        "generation": copy.generation.to_json(),
        "mapping": [row for setting in copy.settings for row in _rows(setting)],
        "implied": [
            {"pointer": pointer(one.path), **_place(one, place), "value": value}
            for one in copy.settings
            for place, value in one.implied.items()
        ],
        "defaulted": [
            {"pointer": pointer(one.path), **_place(one, (name,)), "value": value}
            for one in copy.settings
            for name, value in one.defaulted().items()
        ],
        "renamed": [
            {"pointer": pointer(one.path), "kind": one.kind.name, "from": one.former, "to": name_of(one)}
            for one in copy.settings
            if one.former is not None
        ],
        "kept": [one.to_json() for one in copy.kept],
        "homeless": [{**one.to_json(), "answer": leave_out(one.path)} for one in copy.homeless],
        "faults": [fault.to_json() for fault in copy.faults],
    }


def _rows(setting: Setting) -> Iterator[dict[str, Any]]:
    for row in setting.rows:
        changed = {} if row.said == row.value else {"source_value": row.said}
        yield {"pointer": pointer(row.path), **_place(setting, row.place), "value": row.value, **changed}


def _place(setting: Setting, place: tuple[str, ...]) -> dict[str, Any]:
    column, *inside = place
    path = pointer(inside) if inside else None
    return {"kind": setting.kind.name, "key": name_of(setting), "column": column, "path": path}


def name_of(setting: Setting) -> Any:
    """The setting's key; whatever stands in its place if that is none."""
    return setting.values.get(setting.kind.key)
