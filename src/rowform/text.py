"""Words and values as people may safely see them: escaped, quoted, suggested."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Self

#: C0 and C1 controls, DEL, line and paragraph separators, bidirectional controls and
#: overrides, zero-width marks that hide text, invisible tags, the BOM, lone surrogates and
#: non-characters.
#: Source: Unicode Standard Annex 9 for the bidirectional ones (the "Trojan Source" set).
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


#: What makes a command of a line in the log of a pipeline (GitHub Actions, Azure Pipelines, TeamCity):
#: `##[` or `##name[` anywhere, and `::` at the beginning.
_COMMAND = re.compile(r"#(?=#\w*\[)|^(\s*):(?=:)")


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _harmless(match: re.Match[str]) -> str:
    return "\\x23" if match.group() == "#" else f"{match[1]}\\x3a"


def escape(text: str) -> str:
    """Make ``text`` safe for a terminal, a log and for one line: unsafe characters become escapes."""
    shown = UNSAFE.sub(_escaped, text)
    return _COMMAND.sub(_harmless, shown) if "##" in shown or "::" in shown else shown


def quote(value: Any, limit: int = 200) -> str:
    """Show any JSON value on one line, safely; text in double quotes; cut after ``limit`` characters."""
    shown = escape(json.dumps(value, ensure_ascii=False, default=str))
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


def json_text(value: Any, indent: int = 2) -> str:
    """JSON that people can read and every stream can take: lone surrogates are escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match.group()):04x}", text)


class Word(str):
    """A part of a sentence that is a word of ours: it is shown as it is, and may be translated."""

    __slots__ = ()


class Code(str):
    """A part of a sentence that people may copy: it stands in backticks."""

    __slots__ = ()


class Plain(str):
    """A part of a sentence that is shown as it is, and never translated: a commit, a value in its quotes."""

    __slots__ = ()


class Count:
    """A part of a sentence that says how many of something there are; the plural is the noun with an s."""

    __slots__ = ("noun", "number")

    def __init__(self, number: int, noun: str) -> None:
        self.number = number
        self.noun = noun


class Several:
    """Parts of a sentence that are named one after the other, and how ``more`` there are.

    ``apart`` sets them apart by semicolons, because they have commas inside.
    """

    __slots__ = ("apart", "more", "parts")

    def __init__(self, parts: Sequence[Any], more: int = 0, *, apart: bool = False) -> None:
        self.parts = tuple(parts)
        self.more = more
        self.apart = apart

    @classmethod
    def of(cls, parts: Sequence[Any], most: int, *, apart: bool = False) -> Self:
        """The first parts, ``most`` of them at most."""
        return cls(parts[:most], max(0, len(parts) - most), apart=apart)

    def __str__(self) -> str:
        shown = [_part(part) for part in self.parts]
        more = f"{self.more:,} more" if self.more else ""
        if self.apart:
            return "; ".join([*shown, *([f"and {more}"] if more else [])])
        return f"{', '.join(shown)} and {more}" if more else joined(shown)


class Sentence(str):
    """A sentence for people that still knows its parts, for whoever has to show them otherwise.

    As a string it is the English text: parts in quotes, but for those of the classes above, and sentences.
    """

    __slots__ = ("parts", "template")

    template: str
    parts: Mapping[str, Any]

    def __new__(cls, template: str, **parts: Any) -> Self:
        made = super().__new__(cls, template.format_map({name: _part(part) for name, part in parts.items()}))
        made.template = template
        made.parts = parts
        return made


def _part(part: Any) -> str:
    if isinstance(part, Word | Sentence):
        return part
    if isinstance(part, Several):
        return str(part)
    if isinstance(part, Count):
        return count(part.number, part.noun)
    if isinstance(part, Plain):
        return escape(part)
    return f"`{escape(part)}`" if isinstance(part, Code) else quote(part)


class Verbatim(str):
    """A sentence that another run has written down: its parts are not known any more."""

    __slots__ = ()


#: What plans say to people.
Told = Sentence | Verbatim


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``word`` was probably meant to be, or ``None``."""
    return _closest(word, tuple(candidates))


@lru_cache(maxsize=1024)  # ten thousand entries ask about the same few keys
def _closest(word: str, candidates: tuple[str, ...]) -> str | None:
    # difflib takes 10 ms to import: only a mistake pays for it.
    import difflib

    known = {candidate.casefold(): candidate for candidate in candidates}
    found = difflib.get_close_matches(word.casefold(), known, n=1, cutoff=0.72)
    return known[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint that names the closest candidate, or ``None``."""
    found = closest(word, candidates)
    return f"did you mean `{escape(found)}`?" if found else None


def count(number: int, noun: str) -> str:
    """``1 setting``, ``2 settings``; the plural is the noun with an s."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def joined(words: Iterable[str]) -> str:
    """``a, b and c``."""
    parts = list(words)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def utc(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def pointer(path: Iterable[str | int]) -> str:
    """An RFC 6901 JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def from_pointer(text: str) -> tuple[str, ...]:
    """The steps of an RFC 6901 JSON pointer; the empty one has none."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def steps(path: Iterable[str | int]) -> Iterator[str]:
    """The steps of a path as people write them: ``limit_config``, ``.maxCount``, ``[0]``."""
    first = True
    for step in path:
        if isinstance(step, int):
            yield f"[{step}]"
        else:
            shown = step if re.fullmatch(r"[\w-]+", step) else quote(step)
            yield shown if first else f".{shown}"
        first = False
