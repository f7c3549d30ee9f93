"""Putting files in place of others: each at one stroke, and none before all are ready."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path


def replace_files(files: Mapping[Path, bytes]) -> None:
    """Write files, and the directories that they need. An existing file keeps its mode.

    Raises:
        OSError: one cannot be written; if it is no file's replacement that fails, nothing has changed.
    """
    made: list[Path] = []
    ready: list[tuple[Path, Path]] = []
    try:
        for path, data in files.items():
            _make_directory(path.parent, made)
            ready.append((_prepared(path, data), path))
        for name, path in ready:
            name.replace(path)
    except BaseException:
        for name, _ in ready:
            name.unlink(missing_ok=True)
        for directory in reversed(made):
            with contextlib.suppress(OSError):
                directory.rmdir()
        raise


def _make_directory(directory: Path, made: list[Path]) -> None:
    if not directory.is_dir():
        _make_directory(directory.parent, made)
        directory.mkdir()
        made.append(directory)


def _prepared(path: Path, data: bytes) -> Path:
    """A file with ``data`` beside ``path``, ready to take its name."""
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _umask() -> int:
    """What the mode of new files lacks; to be known only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
