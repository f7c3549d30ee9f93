"""The files for pipelines that `rowform init` writes. They are data of this package, and nowhere else."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from rowform.errors import GitError
from rowform.git import Repository

#: Where the directories and files of the package data go in a repository.
_PLACES = {"github": ".github", "pre-commit-config.yaml": ".pre-commit-config.yaml"}
_CONFIG_DIR = "/config/"


def pipeline_files(config_dir: Path = Path("config")) -> dict[str, str]:
    """The texts by path below the top of a repository; ``config_dir`` is the config directory there."""
    masters = files("rowform") / "workflows"
    found: dict[str, str] = {}
    for name, place in _PLACES.items():
        _collect(masters / name, place, found)
    owners = ".github/CODEOWNERS"
    # In a pattern, a blank would end it.
    place = config_dir.as_posix().strip("/").replace(" ", "\\ ")
    found[owners] = found[owners].replace(_CONFIG_DIR, f"/{place}/")
    return found


def _collect(entry: Traversable, place: str, found: dict[str, str]) -> None:
    if entry.is_file():
        found[place] = entry.read_text("utf-8")
        return
    for child in sorted(entry.iterdir(), key=lambda one: one.name):
        _collect(child, f"{place}/{child.name}", found)


def top_above(directory: Path) -> Path | None:
    """The top of the Git repository that ``directory`` is a part of, unless it is the top itself."""
    there = next(one for one in (directory.absolute(), *directory.absolute().parents) if one.is_dir())
    try:
        top = Repository(there).root()
    except (GitError, OSError):
        return None
    return None if top == directory.resolve() else top
