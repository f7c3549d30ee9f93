"""Writing the JSON Schemas for editors."""

from __future__ import annotations

from rowform.errors import RowformError
from rowform.kinds import kinds
from rowform.sync.configuration import Settings
from rowform.text import escape


def write_schemas(settings: Settings, *, check: bool = False) -> tuple[list[str], str]:
    """Bring ``schemas/`` beside the config directory up to date, or only compare.

    Returns:
        The files that were, or would be, written; and the directory.

    Raises:
        RowformError: the directory cannot be written.
    """
    from rowform.schema import schemas, text

    directory = settings.config_dir.parent / "schemas"
    outdated: list[str] = []
    for name, schema in schemas(kinds()).items():
        file, wanted = directory / name, text(schema)
        try:
            if file.is_file() and file.read_text("utf-8") == wanted:
                continue
            outdated.append(name)
            if not check:
                directory.mkdir(parents=True, exist_ok=True)
                file.write_text(wanted, "utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RowformError(f"cannot write {escape(str(file))}: {error}") from error
    return outdated, escape(str(directory))
