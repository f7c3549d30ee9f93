"""Reading the config directory: only regular files, only inside it, only up to a size."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from rowform.document import MAX_BYTES
from rowform.errors import UsageError
from rowform.header import DEFAULTS_PREFIX
from rowform.load import SourceFile
from rowform.location import Location, Problem
from rowform.text import escape

#: The tool's own configuration, at the root of the config directory.
TOOL_FILE = "rowform.yaml"
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def is_slug(name: str) -> bool:
    """Whether ``name`` can be a restaurant's slug, and its directory's name."""
    return _SLUG.fullmatch(name) is not None


@dataclass(slots=True)
class ConfigFiles:
    """What a config directory holds.

    ``folders`` are its directories by name, as people see them; ``tool`` is
    ``rowform.yaml`` if there is one; ``problems`` is what may not or could not be read.
    """

    directory: Path
    files: list[SourceFile] = field(default_factory=list[SourceFile])
    folders: dict[str, str] = field(default_factory=dict[str, str])
    tool: SourceFile | None = None
    problems: list[Problem] = field(default_factory=list[Problem])


def read_config(directory: Path) -> ConfigFiles:
    """Read every YAML file below ``directory``.

    Hidden files and files that are not YAML are passed over. What looks like YAML but is
    no regular file inside the directory becomes a problem and is not opened.

    Raises:
        UsageError: the directory is not there or cannot be listed.
    """
    if not directory.is_dir():
        raise UsageError(
            f'there is no config directory "{escape(str(directory))}"',
            "`rowform init` makes one; --config-dir names another",
        )
    found = ConfigFiles(directory)
    root = Path(os.path.realpath(directory))
    for entry in _listed(directory, found):
        shown = escape(f"{directory}/{entry.name}")
        if entry.is_dir(follow_symlinks=False):
            prefix = entry.name.removeprefix(DEFAULTS_PREFIX)
            if not is_slug(prefix):
                found.problems.append(
                    Problem(
                        Location(shown),
                        "a directory's name is a restaurant's slug",
                        "use letters, digits, dots, hyphens and underscores",
                    )
                )
            else:
                found.folders[entry.name] = shown
                _walk(Path(entry.path), (entry.name,), root, found)
        elif entry.is_symlink() and entry.is_dir():
            _refuse(found, shown, "is a symbolic link to a directory")
        elif entry.name == TOOL_FILE:
            found.tool = _read(Path(entry.path), (entry.name,), root, found)
        elif _is_yaml(entry.name, shown, found):
            message = f"belongs in a restaurant's directory; only {TOOL_FILE} stands here"
            found.problems.append(Problem(Location(escape(shown)), message))
    if not found.problems and all(name.startswith(DEFAULTS_PREFIX) for name in found.folders):
        found.problems.append(
            Problem(
                Location(escape(str(directory))),
                "there is no restaurant here",
                "`rowform init --restaurant SLUG` adds one",
            )
        )
    return found


def _listed(directory: Path, found: ConfigFiles) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    except OSError as error:
        _refuse(found, str(directory), f"cannot be listed: {error.strerror}")
        return []


def _walk(directory: Path, parts: tuple[str, ...], root: Path, found: ConfigFiles) -> None:
    for entry in _listed(directory, found):
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            _walk(path, (*parts, entry.name), root, found)
        elif entry.is_symlink() and _leads_to_directory(entry):
            _refuse(found, str(path), "is a symbolic link to a directory")
        elif _is_yaml(entry.name, str(path), found):
            file = _read(path, (*parts, entry.name), root, found)
            if file is not None:
                found.files.append(file)


def _leads_to_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_yaml(name: str, shown: str, found: ConfigFiles) -> bool:
    if name.endswith(".yml"):
        _refuse(found, shown, "is not read: its name ends in .yml", "rename it to .yaml")
    return name.endswith(".yaml")


def _refuse(found: ConfigFiles, shown: str, message: str, hint: str | None = None) -> None:
    found.problems.append(Problem(Location(escape(shown)), message, hint))


def _read(path: Path, parts: tuple[str, ...], root: Path, found: ConfigFiles) -> SourceFile | None:
    """Read one file, if it is one that may be read."""
    shown = str(path)
    try:
        real = path.resolve(strict=True) if path.is_symlink() else path
        if path.is_symlink() and not real.is_relative_to(root):
            _refuse(found, shown, "is a symbolic link that leaves the config directory")
            return None
        # Never block on a FIFO, never follow what was swapped in since it was looked at.
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "symbolic link loop"
        _refuse(found, shown, f"cannot be read: {reason}")
        return None
    with os.fdopen(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            _refuse(found, shown, "is not a regular file")
            return None
        if status.st_size > MAX_BYTES:
            _refuse(found, shown, too_large(status.st_size), "split it into several files")
            return None
        # One byte more than allowed shows a file that grew meanwhile; parsing refuses it.
        return SourceFile(parts, escape(shown), stream.read(status.st_size + 1))


def too_large(size: int) -> str:
    """What to say of a file over the limit."""
    return f"has {size:,} bytes; the limit is {MAX_BYTES:,}"
