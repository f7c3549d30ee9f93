"""Just enough of GitHub's expressions to evaluate the shipped workflows; anything else is an error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<mark>\|\||&&|==|!=|[!().])|(?P<bad>\S))"
)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}

Function = Callable[[], Any]


class UnknownExpressionError(Exception):
    """A workflow uses something that this evaluator does not know, or that is not there."""


def interpolate(template: Any, contexts: Mapping[str, Any], functions: Mapping[str, Function]) -> str:
    """Replace every ``${{ … }}`` by its value, as a string."""
    return re.sub(
        r"\$\{\{(.*?)\}\}",
        lambda found: as_text(evaluate(found[1], contexts, functions)),
        as_text(template),
        flags=re.DOTALL,
    )


def as_text(value: Any) -> str:
    """A value as GitHub writes it into a string."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def evaluate(expression: str, contexts: Mapping[str, Any], functions: Mapping[str, Function]) -> Any:
    """The value of an expression.

    Args:
        expression: without ``${{`` and ``}}``.
        contexts: what the names stand for. A missing entry of a context is null, as with GitHub, unless the
            context itself raises.
        functions: those that may be called, without arguments.

    Raises:
        UnknownExpressionError: it uses something else.
    """
    tokens = [(found.lastgroup or "", found[found.lastgroup or 0]) for found in _TOKEN.finditer(expression)]
    parser = _Parser(tokens, contexts, functions)
    value = parser.either()
    if parser.tokens:
        raise UnknownExpressionError(f"{expression}: {parser.tokens[0][1]}")
    return value


class _Parser:
    def __init__(
        self,
        tokens: list[tuple[str, str]],
        contexts: Mapping[str, Any],
        functions: Mapping[str, Function],
    ) -> None:
        self.tokens = tokens
        self.contexts = contexts
        self.functions = functions

    def either(self) -> Any:
        value = self.both()
        while self.skip("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.skip("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:
        value = self.single()
        for mark in ("==", "!="):
            if self.skip(mark):
                return (_comparable(value) == _comparable(self.single())) is (mark == "==")
        return value

    def single(self) -> Any:
        if self.skip("!"):
            return not self.single()
        if self.skip("("):
            value = self.either()
            self.expect(")")
            return value
        group, token = self.tokens.pop(0)
        if group == "text":
            return token[1:-1].replace("''", "'")
        if group != "name":
            raise UnknownExpressionError(token)
        if token in _CONSTANTS:
            return _CONSTANTS[token]
        if self.skip("("):
            self.expect(")")
            if token not in self.functions:
                raise UnknownExpressionError(f"{token}()")
            return self.functions[token]()
        return self.member(token)

    def member(self, name: str) -> Any:
        if name not in self.contexts:
            raise UnknownExpressionError(name)
        value = self.contexts[name]
        while self.skip("."):
            _, part = self.tokens.pop(0)
            value = value[part] if isinstance(value, Strict) else value.get(part) if value else None
        return value

    def skip(self, mark: str) -> bool:
        if self.tokens and self.tokens[0] == ("mark", mark):
            self.tokens.pop(0)
            return True
        return False

    def expect(self, mark: str) -> None:
        if not self.skip(mark):
            raise UnknownExpressionError(f"{mark} is missing")


class Strict(dict[str, Any]):
    """A context in which every name must be known."""

    def __missing__(self, name: str) -> Any:
        raise UnknownExpressionError(name)


def _comparable(value: Any) -> Any:
    """GitHub compares null with an empty string as equal, and strings without regard to case."""
    return "" if value is None else value.lower() if isinstance(value, str) else value
