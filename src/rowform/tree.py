"""The config directory as a commit has it, read from Git's objects: nothing is checked out."""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rowform.document import MAX_BYTES
from rowform.errors import GitError
from rowform.files import (
    LINK_LOOP,
    LINK_OUTSIDE,
    LINK_TO_DIRECTORY,
    ConfigFiles,
    Item,
    Parts,
    TooLargeError,
    UnreadableFileError,
    read_tree,
)
from rowform.git import Repository
from rowform.text import quote

_LINK = "120000"
_SUBMODULE = "160000"
#: Links behind links that are followed, as on Linux.
_MAX_LINKS = 40
_INCOMPLETE = "this clone leaves files out: make one without a filter, and with `fetch-depth: 0`"


@dataclass(frozen=True, slots=True)
class _Object:
    """What a name in a commit stands for."""

    mode: str
    id: str


def read_commit(repository: Repository, directory: Path, commit: str, short: str) -> ConfigFiles:
    """Read the config directory of a commit by the rules of :func:`rowform.files.read_config`.

    Links are followed inside the commit. If the directory was not there, it was empty.

    Args:
        repository: where the commit is.
        directory: the config directory.
        commit: which commit.
        short: what people know it as; paths are shown behind it.

    Raises:
        GitError: its files are missing in this clone, or Git failed.
    """
    prefix = os.fsdecode(repository.output("rev-parse", "--show-prefix").removesuffix(b"\n"))
    home = str(directory / "_").removesuffix("_")
    return read_tree(_Commit(repository, commit, prefix), directory, f"{short}:{home}")


class _Commit:
    """The config directory of a commit."""

    def __init__(self, repository: Repository, commit: str, prefix: str) -> None:
        self._prefix = tuple(prefix.rstrip("/").split("/")) if prefix else ()
        self._objects = _listing(repository, commit, prefix.rstrip("/"))
        self._items: dict[Parts, dict[str, Item]] = {(): {}}
        wanted = [
            one.id
            for parts, one in self._objects.items()
            if one.mode == _LINK or (one.mode != _SUBMODULE and parts[-1].endswith(".yaml"))
        ]
        self._blobs, self._sizes = _read(repository, wanted)
        for parts in self._objects:
            for depth in range(len(parts) - 1):
                inside = self._items.setdefault(parts[:depth], {})
                inside[parts[depth]] = Item(parts[depth], directory=True)
                self._items.setdefault(parts[: depth + 1], {})
        further: list[str] = []
        for parts, one in self._objects.items():
            found = self._follow(parts) if one.mode == _LINK else None
            submodule = one.mode == _SUBMODULE
            leads = isinstance(found, tuple) and found in self._items
            self._items[parts[:-1]][parts[-1]] = Item(parts[-1], directory=submodule, link=leads)
            if isinstance(found, tuple) and found in self._objects:
                further.append(self._objects[found].id)
        # What a link leads to may have any name.
        blobs, sizes = _read(repository, [one for one in further if one not in self._blobs])
        self._blobs |= blobs
        self._sizes |= sizes

    def listed(self, parts: Parts) -> Iterable[Item]:
        if parts in self._objects:
            raise UnreadableFileError("is a submodule: its files belong to another repository")
        return self._items[parts].values()

    def data(self, parts: Parts) -> bytes:
        found = self._follow(parts)
        if isinstance(found, str):
            raise UnreadableFileError(found)
        if found in self._items:
            raise UnreadableFileError(LINK_TO_DIRECTORY)
        if found not in self._objects:
            raise UnreadableFileError("cannot be read: No such file or directory")
        name = self._objects[found].id
        if name in self._sizes:
            raise TooLargeError(self._sizes[name])
        return self._blobs[name]

    def _follow(self, parts: Parts) -> Parts | str:
        """Where a file really is; or what is wrong with the link that it is."""
        for _ in range(_MAX_LINKS):
            one = self._objects.get(parts)
            if one is None or one.mode != _LINK:
                return parts
            place = posixpath.join("/", *self._prefix, *parts[:-1])
            target = os.fsdecode(self._blobs.get(one.id, b""))
            steps = _steps(place, target)
            if steps is None or steps[: len(self._prefix)] != self._prefix:
                return LINK_OUTSIDE
            parts = steps[len(self._prefix) :]
        return f"cannot be read: {LINK_LOOP}"


def _steps(place: str, target: str) -> Parts | None:
    """A link's target as steps from the top of the repository; ``None`` if it is not below it."""
    found = [step for step in place.split("/") if step]
    if target.startswith("/"):
        return None
    for step in target.split("/"):
        if step == "..":
            if not found:
                return None
            found.pop()
        elif step not in ("", "."):
            found.append(step)
    return tuple(found)


def _listing(repository: Repository, commit: str, directory: str) -> dict[Parts, _Object]:
    """Everything below a directory of a commit that is no directory, by its steps from there."""
    tree = repository.run("rev-parse", "--verify", "--quiet", f"{commit}:{directory}")
    name = tree.stdout.decode("ascii", "replace").strip()
    kind = repository.run("cat-file", "-t", name).stdout.strip() if name else b""
    if kind != b"tree":
        return {}
    found: dict[Parts, _Object] = {}
    for line in repository.output("ls-tree", "-r", "-z", "--full-tree", name).split(b"\0"):
        head, _, path = line.partition(b"\t")
        if path:
            mode, _, id_ = head.decode("ascii").split(" ")
            found[tuple(os.fsdecode(path).split("/"))] = _Object(mode, id_)
    return found


def _read(repository: Repository, names: Iterable[str]) -> tuple[dict[str, bytes], dict[str, int]]:
    """The contents of blobs by id, and the sizes of those that are over the limit."""
    unique = list(dict.fromkeys(names))
    if not unique:
        return {}, {}
    sizes = _sizes(_asked(repository, "--batch-check", unique), unique)
    small = [name for name in unique if sizes[name] <= MAX_BYTES]
    data = _asked(repository, "--batch", small)
    found: dict[str, bytes] = {}
    at = 0
    for name in small:
        # A line with id, type and size; the content; a line feed.
        at = data.index(b"\n", at) + 1
        found[name] = data[at : at + sizes[name]]
        at += sizes[name] + 1
    return found, {name: size for name, size in sizes.items() if size > MAX_BYTES}


def _sizes(answer: bytes, names: Iterable[str]) -> Mapping[str, int]:
    sizes: dict[str, int] = {}
    for name, line in zip(names, answer.decode("ascii", "replace").splitlines(), strict=True):
        words = line.split(" ")
        if len(words) != 3:
            raise GitError(f"a file of the commit is missing in this clone: {quote(line)}", _INCOMPLETE)
        sizes[name] = int(words[2])
    return sizes


def _asked(repository: Repository, mode: str, names: Iterable[str]) -> bytes:
    with tempfile.TemporaryFile() as questions:
        questions.write("".join(f"{name}\n" for name in names).encode())
        questions.seek(0)
        try:
            return repository.output("cat-file", mode, stdin=questions)
        except GitError as error:
            # Git tries to fetch what a partial clone lacks.
            raise GitError(error.message, _INCOMPLETE) from error
