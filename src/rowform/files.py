"""Reading the config directory: only regular files, only inside it, only up to a size."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from rowform.document import MAX_BYTES
from rowform.errors import UsageError
from rowform.header import DEFAULTS_PREFIX
from rowform.load import SourceFile
from rowform.location import Location, Problem
from rowform.text import escape

#: The tool's own configuration, at the root of the config directory.
TOOL_FILE = "rowform.yaml"
LINK_TO_DIRECTORY = "is a symbolic link to a directory"
LINK_OUTSIDE = "is a symbolic link that leaves the config directory"
LINK_LOOP = "symbolic link loop"
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


@dataclass(frozen=True, slots=True)
class Item:
    """A name in a directory. ``link`` says that it is a symbolic link to a directory."""

    name: str
    directory: bool = False
    link: bool = False


class UnreadableFileError(Exception):
    """A file or directory that may not or cannot be read; the message says why."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


#: The steps to a file or directory from the config directory.
Parts = tuple[str, ...]


class Tree(Protocol):
    """Where a config directory is: on the disk, or in a commit."""

    def listed(self, parts: Parts) -> Iterable[Item]:
        """What is in a directory, in any order.

        Raises:
            UnreadableFileError: it cannot be listed.
        """
        ...

    def data(self, parts: Parts) -> bytes:
        """The content of a file.

        Raises:
            UnreadableFileError: it is no regular file inside the config directory, or too large.
        """
        ...


def read_config(directory: Path, *, may_be_empty: bool = False) -> ConfigFiles:
    """Read every YAML file below ``directory``.

    Hidden files and files that are not YAML are passed over. What looks like YAML but is
    no regular file inside the directory becomes a problem and is not opened.

    Args:
        directory: the config directory.
        may_be_empty: whether it is fine that there is no restaurant, or not even a directory.

    Raises:
        UsageError: the directory is not there.
    """
    if may_be_empty and not os.path.lexists(directory):
        return ConfigFiles(directory)
    if not directory.is_dir():
        raise UsageError(
            f'there is no config directory "{escape(str(directory))}"',
            "`rowform init` makes one; --config-dir names another",
        )
    found = read_tree(_Disk(directory), directory, str(directory / "_").removesuffix("_"))
    nobody = all(name.startswith(DEFAULTS_PREFIX) for name in found.folders)
    if nobody and not may_be_empty and not found.problems:
        found.problems.append(
            Problem(
                Location(escape(str(directory))),
                "there is no restaurant here",
                "`rowform init --restaurant SLUG` adds one",
            )
        )
    return found


def read_tree(tree: Tree, directory: Path, home: str) -> ConfigFiles:
    """Read every YAML file of a config directory, wherever that is.

    Args:
        tree: the config directory.
        directory: its path.
        home: what stands before the paths of its files where people see them.
    """
    found = ConfigFiles(directory)
    walk = _Walk(tree, home, found)
    for item in walk.listed(()):
        parts = (item.name,)
        shown = walk.shown(parts)
        if item.directory:
            if not is_slug(item.name.removeprefix(DEFAULTS_PREFIX)):
                found.problems.append(
                    Problem(
                        Location(escape(shown)),
                        "a directory's name is a restaurant's slug",
                        "use letters, digits, dots, hyphens and underscores",
                    )
                )
            else:
                found.folders[item.name] = escape(shown)
                walk.walk(parts)
        elif item.link:
            walk.refuse(parts, LINK_TO_DIRECTORY)
        elif item.name == TOOL_FILE:
            found.tool = walk.read(parts)
        elif walk.is_yaml(parts):
            walk.refuse(parts, f"belongs in a restaurant's directory; only {TOOL_FILE} stands here")
    return found


@dataclass(frozen=True, slots=True)
class _Walk:
    """What may be read of a tree, and what is said of the rest."""

    tree: Tree
    home: str
    found: ConfigFiles

    def shown(self, parts: Parts) -> str:
        return self.home + "/".join(parts) if parts else str(self.found.directory)

    def listed(self, parts: Parts) -> list[Item]:
        try:
            items = [item for item in self.tree.listed(parts) if not item.name.startswith(".")]
        except UnreadableFileError as error:
            self.refuse(parts, error.message, error.hint)
            return []
        return sorted(items, key=lambda item: item.name)

    def walk(self, parts: Parts) -> None:
        for item in self.listed(parts):
            inside = (*parts, item.name)
            if item.directory:
                self.walk(inside)
            elif item.link:
                self.refuse(inside, LINK_TO_DIRECTORY)
            elif self.is_yaml(inside):
                file = self.read(inside)
                if file is not None:
                    self.found.files.append(file)

    def is_yaml(self, parts: Parts) -> bool:
        if parts[-1].endswith(".yml"):
            self.refuse(parts, "is not read: its name ends in .yml", "rename it to .yaml")
        return parts[-1].endswith(".yaml")

    def read(self, parts: Parts) -> SourceFile | None:
        try:
            return SourceFile(parts, escape(self.shown(parts)), self.tree.data(parts))
        except UnreadableFileError as error:
            self.refuse(parts, error.message, error.hint)
            return None

    def refuse(self, parts: Parts, message: str, hint: str | None = None) -> None:
        self.found.problems.append(Problem(Location(escape(self.shown(parts))), message, hint))


class _Disk:
    """A config directory on the disk."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._root = Path(os.path.realpath(directory))

    def listed(self, parts: Parts) -> Iterable[Item]:
        try:
            with os.scandir(self._directory.joinpath(*parts)) as entries:
                return [_item(entry) for entry in entries]
        except OSError as error:
            raise UnreadableFileError(f"cannot be listed: {error.strerror}") from error

    def data(self, parts: Parts) -> bytes:
        path = self._directory.joinpath(*parts)
        try:
            real = path.resolve(strict=True) if path.is_symlink() else path
            if path.is_symlink() and not real.is_relative_to(self._root):
                raise UnreadableFileError(LINK_OUTSIDE)
            # Never block on a FIFO, never follow what was swapped in since it was looked at.
            handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or LINK_LOOP
            raise UnreadableFileError(f"cannot be read: {reason}") from error
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise UnreadableFileError("is not a regular file")
            if status.st_size > MAX_BYTES:
                raise TooLargeError(status.st_size)
            # One byte more than allowed shows a file that grew meanwhile; parsing refuses it.
            return stream.read(status.st_size + 1)


def _item(entry: os.DirEntry[str]) -> Item:
    directory = entry.is_dir(follow_symlinks=False)
    try:
        return Item(entry.name, directory, not directory and entry.is_symlink() and entry.is_dir())
    except OSError:
        # A loop of links leads to no directory.
        return Item(entry.name)


class TooLargeError(UnreadableFileError):
    """A file over the limit."""

    def __init__(self, size: int) -> None:
        super().__init__(f"has {size:,} bytes; the limit is {MAX_BYTES:,}", "split it into several files")
