"""Bringing the files of the config directory into canonical layout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rowform.errors import UsageError
from rowform.files import ConfigFiles, read_config
from rowform.header import DEFAULTS_PREFIX, RESTAURANT_FILE
from rowform.kinds import kinds
from rowform.layout import Form, formatted
from rowform.load import SourceFile
from rowform.location import Location, Problem
from rowform.sync.configuration import Settings
from rowform.sync.replacing import replace_files
from rowform.text import did_you_mean, escape, joined


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A file whose layout changes; ``shown`` is its path for people."""

    shown: str
    before: bytes
    after: str


@dataclass(slots=True)
class Formatting:
    """What became, or would become, of the files. Those with ``problems`` were left alone."""

    rewrites: list[Rewrite] = field(default_factory=list[Rewrite])
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list[Problem])


def format_files(settings: Settings, slugs: Sequence[str] = (), *, write: bool = True) -> Formatting:
    """Bring files into canonical layout, or only find out what would change.

    Args:
        settings: where the config directory is.
        slugs: only the files of these directories; everything if empty.
        write: whether files are written.

    Raises:
        UsageError: there is no such directory.
    """
    found = read_config(settings.config_dir)
    problems = found.problems
    if slugs:
        homes = tuple(f"{home}/" for home in _homes(found, slugs))
        problems = [one for one in problems if f"{one.location.file}/".startswith(homes)]
    result = Formatting(problems=list(problems))
    seen: set[str] = set()
    for file, form in _chosen(found, slugs):
        path = os.path.realpath(settings.config_dir.joinpath(*file.parts))
        if path not in seen:
            # Two names of one file are one file.
            seen.add(path)
            _format(file, form, Path(path) if write else None, result)
    result.problems.sort()
    return result


def _homes(found: ConfigFiles, slugs: Sequence[str]) -> Iterator[str]:
    for slug in slugs:
        if slug not in found.folders:
            raise UsageError(
                f'there is no directory "{escape(slug)}" in the configuration',
                did_you_mean(slug, found.folders) or f"there is {joined(map(escape, sorted(found.folders)))}",
            )
        yield found.folders[slug]


def _chosen(found: ConfigFiles, slugs: Sequence[str]) -> Iterator[tuple[SourceFile, Form]]:
    if found.tool is not None and not slugs:
        yield found.tool, Form.TOOL
    for file in found.files:
        folder, *rest = file.parts
        if not slugs or folder in slugs:
            header = rest == [RESTAURANT_FILE] and not folder.startswith(DEFAULTS_PREFIX)
            yield file, Form.RESTAURANT if header else Form.SETTINGS


def _format(file: SourceFile, form: Form, path: Path | None, result: Formatting) -> None:
    """Format one file; ``path`` is where to write it, if it is to be written."""
    text, problems = formatted(file.shown, file.data, form, kinds())
    if text is None:
        result.problems += problems
    elif text.encode() == file.data:
        result.unchanged += 1
    else:
        try:
            if path is not None:
                replace_files({path: text.encode()})
        except OSError as error:
            result.problems.append(Problem(Location(file.shown), f"cannot be written: {error.strerror}"))
        else:
            result.rewrites.append(Rewrite(file.shown, file.data, text))
