"""The side file: what imports keep beside the YAML, so that nothing is lost and the way back is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rowform.errors import RowformError
from rowform.jsontypes import is_list, is_object
from rowform.localstorage.mapping import Mapped
from rowform.localstorage.rules import SHAPES
from rowform.text import escape, json_text

#: Its name in a restaurant's directory. Only YAML is read there.
SIDE_FILE = "localstorage.json"
FORMAT = "rowform.localstorage/1"


def remembered(mapped: Mapped) -> dict[str, Any]:
    """What is kept of one import."""
    return {
        "file": mapped.source.name,
        "generation": mapped.generation.name,
        "document": mapped.document,
    }


def read_side_file(shown: str, data: bytes) -> list[dict[str, Any]]:
    """The imports that a side file knows, the latest one last.

    Raises:
        RowformError: it is none.
    """
    try:
        value: Any = json.loads(data)
    except ValueError as error:
        raise RowformError(f"{escape(shown)} is no JSON: {error}", "take it from the last commit") from None
    imports = value.get("imports") if is_object(value) and value.get("format") == FORMAT else None
    if not is_list(imports) or not all(_is_import(one) for one in imports):
        raise RowformError(f"{escape(shown)} is no {FORMAT}", "move it away, or update rowform")
    return imports


def _is_import(one: Any) -> bool:
    if not is_object(one) or not isinstance(one.get("file"), str):
        return False
    document = one.get("document")
    return is_object(document) and is_object(document.get("object")) and _is_node(document)


def _is_node(node: Any) -> bool:
    """Whether something is a node of a document, with all that an export needs of it."""
    if not is_object(node):
        return False
    if "value" in node:
        return True
    if is_list(node.get("array")):
        return all(map(_is_node, node["array"]))
    if is_object(node.get("object")):
        return all(map(_is_node, node["object"].values()))
    return is_object(node.get("setting")) and _is_setting(node["setting"])


def _is_setting(note: Mapping[str, Any]) -> bool:
    members, aside = note.get("members"), note.get("aside", [])
    return (
        isinstance(note.get("kind"), str)
        and isinstance(note.get("key"), str)
        and note.get("shape") in SHAPES
        and is_list(members)
        and all(isinstance(name, str) for name in members)
        and is_list(aside)
        and all(is_list(one) and len(one) == 2 and is_list(one[0]) and one[0] for one in aside)
    )


def side_file_text(before: Iterable[Mapping[str, Any]], added: Iterable[Mapping[str, Any]]) -> str:
    """A side file with imports added; one of the same file takes the place of an earlier one."""
    new = {one["file"]: one for one in added}
    imports = [*(one for one in before if one["file"] not in new), *new.values()]
    return json_text({"format": FORMAT, "imports": imports}, indent=1) + "\n"
