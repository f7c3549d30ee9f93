"""Stored values that cannot stand in the configuration: what loading says of them, by setting and field."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rowform.errors import InvalidConfig
from rowform.header import RESTAURANT_FILE
from rowform.kinds import Kind
from rowform.load import SourceFile, load
from rowform.location import Problem, Severity
from rowform.pull.model import Finding, Live
from rowform.pull.texts import KindText, file_name, kind_texts, restaurant_text

#: A place in texts that nobody will ever see.
_PLACE = re.compile(r",? (?:first )?at stored/\S+:\d+:\d+")
_ESCAPE = "an escape in this text makes "
_ROOT = "stored"
#: What a line begins with that has a field of an entry, whose name follows.
_FIELDS = ("  - ", "    ")


def findings(live: Live, kinds: Mapping[str, Kind]) -> list[Finding]:
    """What of a restaurant the configuration cannot say; empty if it can say all of it."""
    files: dict[str, tuple[Kind | None, KindText]] = {
        RESTAURANT_FILE: (None, KindText(restaurant_text(live), ()))
    }
    for name, entries in live.content.items():
        if entries:
            for number, text in enumerate(kind_texts(kinds[name], entries), 1):
                files[file_name(kinds[name], number)] = (kinds[name], text)
    sources = [
        SourceFile((live.slug, name), f"{_ROOT}/{name}", text.text.encode("utf-8", "surrogatepass"))
        for name, (_, text) in files.items()
    ]
    try:
        load(sources, kinds)
    except InvalidConfig as error:
        problems = [one for one in error.problems if one.severity is Severity.ERROR]
        found = (
            _finding(live, *files[problem.location.file.removeprefix(f"{_ROOT}/")], problem)
            for problem in problems
        )
        return list(dict.fromkeys(found))
    return []


def _finding(live: Live, kind: Kind | None, text: KindText, problem: Problem) -> Finding:
    message = _PLACE.sub("", problem.message)
    if message.startswith(_ESCAPE):
        message = f"the text has {message.removeprefix(_ESCAPE)}"
    lines = text.text.split("\n")[: problem.location.line]
    if kind is None:
        field = lines[-1].partition(":")[0]
        return Finding(live.slug, None, None, field, message.removeprefix(f"{field}: "))
    start, key = max((one for one in text.starts if one[0] <= len(lines)), default=(len(lines), None))
    fields = (line[4:].partition(":")[0] for line in reversed(lines[start - 1 :]) if line.startswith(_FIELDS))
    field = next((name for name in fields if name in kind.column_names), "")
    return Finding(live.slug, kind.name, key, field or None, message.removeprefix(f"{field}: "))
