"""Validation errors of pydantic as problems at their places, in words for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from rowform.document import Document, Pointer
from rowform.kinds.base import PATTERN_MESSAGES
from rowform.location import Location, Problem, Severity
from rowform.text import closest, count, escape, quote


class Problems:
    """Collects problems: what was said first of a place stands, by whom it was said all of it."""

    def __init__(self) -> None:
        self._found: dict[tuple[Location, Severity], list[Problem]] = {}

    def add(self, problem: Problem) -> None:
        self.extend((problem,))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add what one check found. It may say several things of one place: two fields are missing there."""
        fresh: set[tuple[Location, Severity]] = set()
        for problem in problems:
            warning = problem.severity is Severity.WARNING
            if warning and (problem.location, Severity.ERROR) in self._found:
                continue
            key = (problem.location, problem.severity)
            if key not in self._found:
                fresh.add(key)
                self._found[key] = [problem]
            elif key in fresh and problem not in self._found[key]:
                self._found[key].append(problem)

    def error(self, location: Location, message: str, hint: str | None = None) -> None:
        self.add(Problem(location, message, hint))

    def warn(
        self, location: Location, message: str, hint: str | None = None, *, dangling: bool = False
    ) -> None:
        self.add(Problem(location, message, hint, Severity.WARNING, dangling))

    def sorted(self, severity: Severity) -> tuple[Problem, ...]:
        found = (p for ps in self._found.values() for p in ps if p.severity is severity)
        return tuple(sorted(found, key=_order))


def _order(problem: Problem) -> tuple[Location, str]:
    return problem.location, problem.message


def value_at(value: Any, pointer: Pointer) -> Any:
    """The value that ``pointer`` leads to, or ``None`` where it leads nowhere."""
    for step in pointer:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def schema_problems(
    error: ValidationError,
    document: Document,
    base: Pointer,
    fields: Callable[[Pointer], Iterable[str]],
) -> Iterable[Problem]:
    """One problem per error of ``error``, which came from validating the value at ``base``.

    ``fields`` tells the known fields of the mapping at a pointer, for "did you mean". A field
    that is missing because it is misspelt is one mistake and not two.
    """
    details = error.errors(include_url=False, include_context=True, include_input=False)
    misspelt: set[Pointer] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            pointer = (*base, *detail["loc"])
            name = str(pointer[-1])
            meant = closest(name, fields(pointer[:-1]))
            hint = f"did you mean `{meant}`?" if meant else None
            misspelt.update([(*pointer[:-1], meant)] if meant else ())
            yield Problem(document.locate(pointer, key=True), f'unknown field "{escape(name)}"', hint)
    for detail in details:
        pointer = (*base, *detail["loc"])
        if detail["type"] == "missing":
            if pointer not in misspelt:
                yield Problem(document.locate(pointer[:-1]), f'missing field "{pointer[-1]}"')
        elif detail["type"] != "extra_forbidden":
            message, hint = _sentence(detail, document, pointer)
            yield Problem(document.locate(pointer), message, hint)


#: What follows the scheme of a URL.
_URL = re.compile(r"(?<=://)\S+")
#: What a type error expected.
_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def kind_of_value(value: Any) -> str:
    """What sort of thing a value is, for messages: ``the number 3``, ``a list``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {_quoted(value)}"
    return "a list" if isinstance(value, list) else "a mapping"


def _quoted(value: Any) -> str:
    """A value in quotes; of a URL only its scheme, because URLs of databases hold passwords."""
    return quote(_URL.sub("…", value) if isinstance(value, str) else value, 60)


def _sentence(detail: ErrorDetails, document: Document, pointer: Pointer) -> tuple[str, str | None]:
    """The message and the hint for one error."""
    value = value_at(document.value, pointer)
    context: Mapping[str, Any] = detail.get("ctx", {})
    name = f"{escape(str(pointer[-1]))}: " if pointer and isinstance(pointer[-1], str) else ""
    expected = _EXPECTED.get(detail["type"])
    if expected:
        return f"{name}expected {expected}, got {kind_of_value(value)}", _type_hint(
            detail, document, pointer, value
        )
    match detail["type"]:
        case "greater_than_equal":
            said = f"{value} is too small; it must be at least {context['ge']:g}"
        case "less_than_equal":
            said = f"{value} is too large; it must be at most {context['le']:g}"
        case "string_pattern_mismatch":
            reason = PATTERN_MESSAGES.get(context["pattern"], f"does not match {context['pattern']}")
            said = f"{_quoted(value)} {reason}"
        case "string_too_short" | "too_short":
            said = "must not be empty"
        case "string_too_long":
            said = f"is longer than {count(context['max_length'], 'character')}"
        case _:
            said = escape(detail["msg"])
    return f"{name}{said}", None


def _type_hint(detail: ErrorDetails, document: Document, pointer: Pointer, value: Any) -> str | None:
    written = document.source(pointer)
    if detail["type"] == "string_type" and not isinstance(value, list | dict):
        # `~` and nothing at all are null, whatever the quotes would make of them.
        return f"quote it: {quote(written)}" if written else 'quote it: "" is an empty text'
    if detail["type"] == "bool_type" and isinstance(value, str):
        word = value.casefold()
        meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(word)
        return f"in YAML 1.2 `{word}` is text; write {meant}" if meant else None
    if detail["type"] in ("int_type", "float_type") and isinstance(value, str) and not written:
        digits = value.replace(".", "", 1).lstrip("+-")
        return f"write it without quotes: {value}" if digits.isascii() and digits.isdigit() else None
    return None
