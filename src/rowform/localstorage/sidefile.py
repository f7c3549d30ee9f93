"""The side file: what imports keep beside the YAML, so that nothing is lost and the way back is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rowform.errors import RowformError
from rowform.jsontypes import is_list, is_object
from rowform.localstorage.mapping import NOT_ASKED, Mapped
from rowform.localstorage.rules import SHAPES
from rowform.text import escape, json_text

#: Its name in a restaurant's directory. Only YAML is read there.
SIDE_FILE = "localstorage.json"
FORMAT = "rowform.localstorage/1"


def remembered(mapped: Mapped, before: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What is kept of one import.

    Args:
        mapped: the import.
        before: earlier ones: what was imported from a file of that name stays known if it was not asked for
            this time.
    """
    name, document = mapped.source.name, mapped.document
    for one in before:
        if one["file"] == name:
            document = _with_former(document, one["document"])
    return {"file": name, "generation": mapped.generation.name, "document": document}


def _with_former(node: Mapping[str, Any], former: Mapping[str, Any]) -> dict[str, Any]:
    """A document's node; in place of what was not asked for, what an earlier import made of it."""
    if node.get("why") == NOT_ASKED:
        return dict(node if "value" in former else former)
    if "object" in node and "object" in former:
        there: Mapping[str, Any] = former["object"]
        return {
            "object": {
                name: _with_former(item, there[name]) if name in there else item
                for name, item in node["object"].items()
            }
        }
    if "array" in node and "array" in former and len(node["array"]) == len(former["array"]):
        pairs = zip(node["array"], former["array"], strict=True)
        return {"array": [_with_former(item, earlier) for item, earlier in pairs]}
    return dict(node)


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
