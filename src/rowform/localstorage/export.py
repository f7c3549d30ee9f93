"""Settings → what a browser keeps: the inverse of :mod:`rowform.localstorage.mapping`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind, kinds
from rowform.localstorage import rules
from rowform.localstorage.rules import Container, Place, Shape
from rowform.state import Content, Entry

Node = Mapping[str, Any]


#: Rows by kind, in the order that they shall have.
Records = Mapping[str, Sequence[Mapping[str, Any]]]


def records(content: Content) -> Records:
    """Settings as rows without ids and time stamps, which only a database has."""
    return {name: [dict(one.values) for one in _in_order(entries)] for name, entries in content.items()}


def export_rows(rows: Records) -> dict[str, Any]:
    """The settings in the shape of the seed's data recovery: rows by container, the default model alone.

    That shape has one model; the others are in a list of their own, which an import reads as well.
    """
    result: dict[str, Any] = {}
    for name, container in rules.CONTAINERS.items():
        if name == rules.MIXED or container.kind not in rows:
            continue
        found = [dict(one) for one in rows[container.kind]]
        if not container.single:
            result[name] = found
        elif found:
            result[name], *others = sorted(found, key=lambda one: one.get("is_default") is not True)
            if others:
                result[rules.camel(container.kind)] = others
    known = {container.kind for container in rules.CONTAINERS.values()}
    more = {rules.camel(name): [dict(one) for one in rows[name]] for name in rows if name not in known}
    return {**result, **{name: found for name, found in more.items() if found}}


def export_like(content: Content, document: Node) -> dict[str, Any]:
    """The settings in the shape that they came in.

    Args:
        content: the settings as they are now.
        document: what the import remembered of its source. Settings that it does not know get a place where
            an import finds them; those that are gone leave none.
    """
    exporter = _Exporter(content)
    result = exporter.node(document, (), None)
    assert is_object(result)
    for kind_name, entries in content.items():
        for one in _in_order(entries):
            if (kind_name, one.key) not in exporter.used:
                _add(result, kinds()[kind_name], one)
    return result


class _Gone:
    """In place of a setting that there is no more."""


_GONE = _Gone()


class _Exporter:
    def __init__(self, content: Content) -> None:
        self.used: set[tuple[str, str]] = set()
        self._content = content
        # A renamed setting is still the one that was imported.
        self._former = {
            (kind, name): one
            for kind, entries in content.items()
            for one in entries.values()
            for name in one.previously
        }

    def node(
        self, node: Node, path: tuple[str, ...], container: Container | None, index: int | None = None
    ) -> Any:
        """The value of a node.

        ``path`` are the names of the objects around it, ``index`` its place in the list that it is in.
        """
        if "value" in node:
            return node["value"]
        if "array" in node:
            items: list[Any] = []
            for item in node["array"]:
                value = self.node(item, path, container, len(items))
                items += [] if value is _GONE else [value]
            return items
        if "object" in node:
            found: dict[str, Any] = {}
            for name, item in node["object"].items():
                inside = container if path else rules.containers().get(name)
                value = self.node(item, (*path, name), inside)
                if value is not _GONE:
                    found[name] = value
            return found
        return self._setting(node["setting"], path, container, index)

    def _setting(
        self, note: Mapping[str, Any], path: tuple[str, ...], container: Container | None, index: int | None
    ) -> Any:
        name = (note["kind"], note["key"])
        entry = self._content.get(note["kind"], {}).get(note["key"]) or self._former.get(name)
        if entry is None or (entry.kind, entry.key) in self.used:
            return _GONE
        self.used.add((entry.kind, entry.key))
        return give(kinds()[entry.kind], entry, note, path, container, index)


def give(
    kind: Kind,
    entry: Entry,
    note: Mapping[str, Any],
    path: Sequence[str],
    container: Container | None,
    index: int | None = None,
) -> Any:
    """One setting as the entry that it was.

    Args:
        kind: the setting's.
        entry: what it is now.
        note: what is remembered of it: ``shape``, ``members``; ``name`` if it had another one, ``aside`` for
            members that are no part of the setting, ``number`` if it was no object.
        path: the names of the objects around it.
        container: what it was in.
        index: its place, if that is a list.
    """
    shape = rules.SHAPES[note["shape"]]
    members = list(note["members"])
    left = dict(_places(entry))
    if entry.key == note.get("key") and "name" in note:
        left[kind.key,] = note["name"]
    out, flat = _remembered(kind, left, members, shape)
    implied = {
        **rules.implied(kind, out, path[-1] if index is None else index),
        **_described(out, note, path, container),
    }
    rest = {place: value for place, value in left.items() if not _needless(kind, place, value, implied)}
    if rest and flat:
        # With any other member it would not be taken for nothing but parameters.
        full: dict[str, Any] = {"shape": "entry", "members": [], "aside": note.get("aside", ())}
        return give(kind, entry, full, path, container)
    for place, value in rest.items():
        _spell(kind, out, place, value, shape, snake=any("_" in one for one in members))
    misread = bool(out) and not flat and rules.is_flat(kind, out)
    for steps, value in note.get("aside", ()):
        _insert(out, steps, value)
    if misread or not out:
        # An import would take it for nothing but parameters, or for nothing at all.
        named = {**note, "members": [rules.camel(kind.key)]}
        return give(kind, entry, named, path, container, index)
    return out["value"] if note.get("number") and set(out) == {"value"} else out


def _places(entry: Entry) -> Iterator[tuple[Place, Any]]:
    """A setting's values: columns, and the keys of JSON columns."""
    for column, value in entry.values.items():
        if column in rules.json_columns(kinds()[entry.kind]) and is_object(value):
            yield from (((column, key), item) for key, item in value.items())
        else:
            yield (column,), value


def _remembered(
    kind: Kind, left: dict[Place, Any], members: Sequence[str], shape: Shape
) -> tuple[dict[str, Any], bool]:
    """The members that the entry had, taken out of ``left``; and whether it was nothing but parameters."""
    flat = rules.is_flat(kind, members) and bool(members)
    columns = rules.spelled(kind)
    out: dict[str, Any] = {}
    for name in members:
        place = rules.place_of(kind, name, shape, flat=flat)
        words = shape.words.get(name)
        if name not in shape.places and columns.get(name) in rules.json_columns(kind):
            out[name] = {}
        elif place in left:
            out[name] = left.pop(place)
        elif words and (word := words.word(left.get(words.place))) is not None:
            out[name] = word
            del left[words.place]
    for name in out:
        column = columns.get(name)
        if name not in shape.places and column in rules.json_columns(kind):
            if (column,) in left:
                out[name] = left.pop((column,))
            else:
                out[name] = {place[1]: left.pop(place) for place in list(left) if place[0] == column}
    return out, flat


def _described(
    out: Mapping[str, Any], note: Mapping[str, Any], path: Sequence[str], container: Container | None
) -> dict[Place, Any]:
    """What an import would find in an entry's place."""
    if note["shape"] == "shift":
        return rules.wished(path[1], out)
    described = rules.counted(container, path[-1]) if container and note["shape"] in rules.COUNTS else None
    return described[1] if described else {}


def _needless(kind: Kind, place: Place, value: Any, implied: Mapping[Place, Any]) -> bool:
    if place in implied:
        return _same(implied[place], value)
    return len(place) == 1 and place[0] in kind.defaults and _same(kind.defaults[place[0]], value)


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _spell(kind: Kind, out: dict[str, Any], place: Place, value: Any, shape: Shape, *, snake: bool) -> None:
    """Add a value under a name by which an import finds its place."""
    own = next((name for name, one in shape.places.items() if one == place and name not in out), None)
    column = place[0] if snake else rules.camel(place[0])
    if own is not None:
        out[own] = value
    elif len(place) == 1:
        out[column] = value
    elif (
        rules.place_of(kind, place[1], shape) == place and place[1] not in out and place[1] not in shape.words
    ):
        out[place[1]] = value
    else:
        inside = out.setdefault(column, {})
        if is_object(inside):
            inside[place[1]] = value


def _insert(out: dict[str, Any], steps: Sequence[str | int], value: Any) -> None:
    """Put back a member that is no part of the setting, where what was around it is still there."""
    around: Any = out
    for step in steps[:-1]:
        around = around.get(str(step)) if is_object(around) else None
    if is_object(around):
        around[str(steps[-1])] = value


def _add(result: dict[str, Any], kind: Kind, entry: Entry) -> None:
    """Give a setting that no import knows a place."""
    for name, container in rules.containers().items():
        own = rules.camel(kind.name) == name
        if not own and (container.kind != kind.name or name == rules.MIXED):
            continue
        there = result.get(name)
        full = give(kind, entry, {"shape": "entry", "members": [rules.camel(kind.key)]}, (name,), container)
        if there in (None, "", [], {}):
            result[name] = full if container.single else [full]
        elif is_list(there):
            there.append(full)
        elif is_object(there) and container.by_person:
            if not _add_wish(there, kind, entry, name, container):
                continue
        elif is_object(there) and not container.single:
            there[_free(there, entry.key)] = full
        else:
            continue
        return


def _add_wish(people: dict[str, Any], kind: Kind, entry: Entry, name: str, container: Container) -> bool:
    """Add a rule to the wishes of the person that it is about, if it is about one."""
    definition = entry.values["rule_definition"]
    person = definition.get("staffId") if is_object(definition) else None
    around = people.setdefault(person, {}) if isinstance(person, str) else None
    wishes = around.setdefault(rules.PREFERRED, []) if is_object(around) else None
    if not is_list(wishes):
        return False
    wishes.append(give(kind, entry, {"shape": "shift", "members": ["name"]}, (name, str(person)), container))
    return True


def _free(there: Mapping[str, Any], key: str) -> str:
    """A name for a member of an object that nothing else has, and that describes nothing by itself."""
    name = f"setting {key}"
    while name in there:
        name += "'"
    return name


def _in_order(entries: Mapping[str, Entry]) -> list[Entry]:
    return [entries[key] for key in sorted(entries)]
