"""RFC 6902, written from the RFC: the oracle for rowform's patches."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_INDEX = re.compile(r"0|[1-9][0-9]*")


def applied(document: Any, patch: Sequence[Mapping[str, Any]]) -> Any:
    """``document`` after all operations."""
    document = copy.deepcopy(document)
    for operation in patch:
        _, document = _step(document, operation)
    return document


def states(document: Any, patch: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Any, Any]]:
    """For each operation, what stands at its path before it (``None`` if nothing), and the document after it.

    An operation that the RFC calls an error is an ``AssertionError``.
    """
    document = copy.deepcopy(document)
    for operation in patch:
        old, document = _step(document, operation)
        yield old, copy.deepcopy(document)


def _step(document: Any, operation: Mapping[str, Any]) -> tuple[Any, Any]:
    """What stood at the path, and the document after the operation, which may change it in place."""
    path, op = operation["path"], operation["op"]
    assert path == "" or path.startswith("/")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    new = copy.deepcopy(operation.get("value"))
    assert ("value" in operation) is (op != "remove")
    if not steps:
        return document, new
    parent = document
    for step in steps[:-1]:
        parent = parent[_index(step, len(parent) - 1)] if isinstance(parent, list) else parent[step]
    last = steps[-1]
    if isinstance(parent, list):
        return _in_list(parent, op, last, new), document
    assert isinstance(parent, dict)
    old = parent.get(last)
    if op == "remove":
        del parent[last]
    else:
        assert op == "add" or last in parent
        parent[last] = new
    return old, document


def _in_list(parent: list[Any], op: str, step: str, new: Any) -> Any:
    if op == "add":
        parent.insert(_index(step, len(parent)), new)
        return None
    index = _index(step, len(parent) - 1)
    old = parent[index]
    if op == "remove":
        del parent[index]
    else:
        assert op == "replace"
        parent[index] = new
    return old


def _index(step: str, most: int) -> int:
    assert _INDEX.fullmatch(step), step
    assert int(step) <= most
    return int(step)
