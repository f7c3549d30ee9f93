"""A browser's settings → settings of a restaurant, with an account of every value.

What comes out besides the settings is the *document*: the source with each entry replaced by a note of which
setting it became, and everything else as it was. It stands in the side file, and ``export`` makes the source
of it again. Its nodes are JSON objects with one of these members::

    {"object": {name: node}}    {"array": [node]}
    {"value": …, "why": …}      kept as it is
    {"setting": {"kind", "key", "shape", "members", …}}
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rowform.checks import kind_of_value
from rowform.errors import UsageError
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind, kinds
from rowform.localstorage import rules
from rowform.localstorage.generation import Generation, detect
from rowform.localstorage.rules import Container, Place, Shape
from rowform.localstorage.settings import Row, Setting, complete
from rowform.localstorage.source import Fault, Path, Source
from rowform.text import escape, pointer

Node = dict[str, Any]

LEFT_OUT = "left out"
EMPTY = "empty"
BOOKKEEPING = "about the export itself"
ROW = "a database row's own"
NOT_ASKED = "not asked for"
_NO_KIND = "no kind of setting has such a member"
_NO_WEEKLY = "there is no kind for weekly limits"


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that is in no setting. ``why`` it is in the side file, or why it would be nowhere."""

    path: Path
    value: Any
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"pointer": pointer(self.path), "value": self.value, "why": self.why}


@dataclass(slots=True)
class Mapped:
    """What became of one source.

    ``kept`` goes into the side file; ``homeless`` has no place yet; ``document`` is the source without
    what is in ``settings``.
    """

    source: Source
    generation: Generation
    settings: list[Setting] = field(default_factory=list[Setting])
    kept: list[Kept] = field(default_factory=list[Kept])
    homeless: list[Kept] = field(default_factory=list[Kept])
    faults: list[Fault] = field(default_factory=list[Fault])
    document: Node = field(default_factory=dict[str, Any])


def map_source(source: Source, leave_out: Collection[str] = (), only: Collection[str] = ()) -> Mapped:
    """Find the setting for every value of a source.

    Args:
        source: what was read.
        leave_out: JSON pointers to what stays out of the settings and is kept as it is.
        only: the kinds that are wanted; all of them if empty.

    Raises:
        UsageError: there is nothing at a pointer of ``leave_out`` that could be left out alone.
    """
    mapper = _Mapper(Mapped(source, detect(source.value)), frozenset(leave_out), frozenset(only))
    result = mapper.result
    result.document = mapper.document()
    for missing in sorted(mapper.leave_out - mapper.found):
        raise UsageError(
            f'{source.name} has nothing at "{escape(missing)}" that can be left out by itself',
            "an item of a list inside a setting cannot; the whole list can",
        )
    away = {one.path for one in result.kept}
    result.faults[:0] = [one for one in source.faults if away.isdisjoint(_prefixes(one.path))]
    wrong = {one.path for one in result.faults}
    result.faults += [one for one in complete(result.settings) if one.path not in wrong]
    result.homeless = [one for one in result.homeless if one.path not in wrong]
    return result


class _Mapper:
    def __init__(self, result: Mapped, leave_out: frozenset[str], only: frozenset[str]) -> None:
        self.result = result
        self.leave_out = leave_out
        self.found: set[str] = set()
        self._only = only

    def document(self) -> Node:
        source = self.result.source.value
        return {"object": {name: self._top(name, value) for name, value in source.items()}}

    # --- what is no setting ----------------------------------------------------------------------

    def _left(self, path: Path) -> bool:
        if not self.leave_out:
            return False
        # Reports show pointers escaped; what people paste from there is meant.
        named = self.leave_out & {pointer(path), escape(pointer(path))}
        self.found |= named
        return bool(named)

    def _keep(self, path: Path, value: Any, why: str) -> Node:
        self.result.kept.append(Kept(path, value, why))
        return {"value": value, "why": why}

    def _homeless(self, path: Path, value: Any, why: str) -> Node:
        if self._only:
            return self._keep(path, value, NOT_ASKED)
        self.result.homeless.append(Kept(path, value, why))
        return {"value": value, "why": why}

    def _wrong(self, path: Path, value: Any, expected: str) -> Node:
        self.result.faults.append(Fault(path, f"expected {expected}, got {kind_of_value(value)}", path))
        return {"value": value, "why": expected}

    # --- containers ------------------------------------------------------------------------------

    def _top(self, name: str, value: Any) -> Node:
        path = (name,)
        container = rules.containers().get(name)
        if self._left(path):
            return self._keep(path, value, LEFT_OUT)
        if name in rules.BOOKKEEPING or _is_empty(value) or value is None:
            return self._keep(path, value, BOOKKEEPING if name in rules.BOOKKEEPING else EMPTY)
        if container is None:
            return self._homeless(path, value, _NO_KIND)
        return self._container(container, path, value)

    def _container(self, container: Container, path: Path, value: Any) -> Node:
        if is_list(value):
            return {"array": [self._item(container, (*path, at), item) for at, item in enumerate(value)]}
        if not is_object(value):
            return self._wrong(path, value, "a list or an object")
        if container.single:
            return self._entry(kinds()[container.kind], path, value)
        read = self._person if container.by_person else self._limit
        return {"object": {step: read(container, (*path, step), item) for step, item in value.items()}}

    def _item(self, container: Container, path: Path, item: Any) -> Node:
        if self._left(path):
            return self._keep(path, item, LEFT_OUT)
        if item == {}:
            return self._keep(path, item, EMPTY)
        if not is_object(item):
            return self._wrong(path, item, "an object")
        kind = container.kind
        if path[0] == rules.MIXED and not str(item.get(rules.ID)).startswith(rules.DAILY_ID):
            kind = next((name for name in kinds() if rules.camel(name) == rules.MIXED), "")
            if not kind:
                return self._homeless(path, item, _NO_WEEKLY)
        return self._entry(kinds()[kind], path, item)

    def _limit(self, container: Container, path: Path, value: Any) -> Node:
        """A member of an object of entries: a limit that the member's name describes, or one with a name."""
        left = self._left(path)
        if left or _is_empty(value):
            return self._keep(path, value, LEFT_OUT if left else EMPTY)
        kind = kinds()[container.kind]
        described = rules.counted(container, str(path[-1]))
        if described is not None:
            if is_object(value) or (isinstance(value, int | float) and not isinstance(value, bool)):
                return self._entry(kind, path, value, *described)
            return self._wrong(path, value, "a number or an object")
        if is_object(value) and any(name in value for name in (kind.key, rules.camel(kind.key))):
            return self._entry(kind, path, value)
        return self._homeless(path, value, _NO_WEEKLY if path[0] == rules.MIXED else _NO_KIND)

    def _person(self, container: Container, path: Path, value: Any) -> Node:
        """A person with wishes."""
        if self._left(path):
            return self._keep(path, value, LEFT_OUT)
        if not is_object(value):
            return self._wrong(path, value, "an object")
        if not value:
            return self._keep(path, value, EMPTY)
        members: dict[str, Node] = {}
        for name, item in value.items():
            at = (*path, name)
            if self._left(at):
                members[name] = self._keep(at, item, LEFT_OUT)
            elif _is_empty(item) or item is None:
                members[name] = self._keep(at, item, EMPTY)
            elif name != rules.PREFERRED:
                members[name] = self._homeless(at, item, f"of a person only `{rules.PREFERRED}` are known")
            elif not is_list(item):
                members[name] = self._wrong(at, item, "a list")
            else:
                members[name] = {
                    "array": [self._wish(container, (*at, n), one) for n, one in enumerate(item)]
                }
        return {"object": members}

    def _wish(self, container: Container, path: Path, wish: Any) -> Node:
        if self._left(path):
            return self._keep(path, wish, LEFT_OUT)
        if wish == {}:
            return self._keep(path, wish, EMPTY)
        if not is_object(wish):
            return self._wrong(path, wish, "an object")
        implied = rules.wished(str(path[1]), {k: v for k, v in wish.items() if not self._left((*path, k))})
        return self._entry(kinds()[container.kind], path, wish, "shift", implied)

    # --- entries ---------------------------------------------------------------------------------

    def _entry(
        self,
        kind: Kind,
        path: Path,
        value: Any,
        shape: str = "entry",
        implied: Mapping[Place, Any] | None = None,
    ) -> Node:
        if self._only and kind.name not in self._only:
            return self._keep(path, value, NOT_ASKED)
        setting = Setting(kind, path, {"kind": kind.name, "key": "", "shape": shape, "members": []})
        self.result.settings.append(setting)
        if is_object(value):
            members = dict(self._members(setting, value))
        else:
            members, setting.note["number"] = {"value": value}, True
        for row in self._rows(setting, members, rules.SHAPES[shape]):
            # The value alone is its own member.
            put = row if is_object(value) else replace(row, path=path)
            taken = setting.put(put)
            if taken is not None:
                self._homeless(put.path, put.said, f"{pointer(taken.path)} says the same already")
        setting.imply({**rules.implied(kind, members, path[-1]), **(implied or {})})
        return {"setting": setting.note}

    def _members(self, setting: Setting, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """The members of an entry that are part of the setting."""
        is_row = not rules.ROW_MARKS.isdisjoint(value)
        for name, item in value.items():
            path = (*setting.path, name)
            if self._left(path):
                self._beside(setting, path, item, LEFT_OUT)
            elif is_row and name in rules.ROW_MEMBERS:
                self._beside(setting, path, item, ROW)
            else:
                yield name, self._pruned(setting, path, item)

    def _rows(self, setting: Setting, members: Mapping[str, Any], shape: Shape) -> Iterator[Row]:
        kind, note = setting.kind, setting.note
        flat = rules.is_flat(kind, members)
        columns = rules.spelled(kind)
        for name, said in members.items():
            path = (*setting.path, name)
            words = shape.words.get(name)
            column = columns.get(name) if name not in shape.places else None
            if words and isinstance(said, str) and said in words.values:
                yield Row(path, words.place, said, words.values[said])
            elif column in rules.json_columns(kind) and is_object(said):
                for key, inner in said.items():
                    yield Row((*path, key), (str(column), key), inner, inner)
            else:
                place = rules.place_of(kind, name, shape, flat=flat)
                if place is None:
                    self._homeless(path, said, f"{kind.name} have no column for it")
                    continue
                yield Row(path, place, said, said)
            note["members"].append(name)

    def _beside(self, setting: Setting, path: Path, value: Any, why: str) -> None:
        setting.note.setdefault("aside", []).append([list(path[len(setting.path) :]), value])
        self._keep(path, value, why)

    def _pruned(self, setting: Setting, path: Path, value: Any) -> Any:
        """The value without the members, at any depth, that are left out."""
        if not is_object(value) or not self.leave_out:
            return value
        result: dict[str, Any] = {}
        for name, item in value.items():
            inside = (*path, name)
            if self._left(inside):
                self._beside(setting, inside, item, LEFT_OUT)
            else:
                result[name] = self._pruned(setting, inside, item)
        return result


def _prefixes(path: Path) -> Iterator[Path]:
    return (path[:length] for length in range(1, len(path) + 1))


def _is_empty(value: Any) -> bool:
    return value in ("", [], {})
