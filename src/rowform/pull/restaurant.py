"""What has to change in a restaurant's own files, so that they say what is live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rowform.diff import Action
from rowform.document import Document, parse
from rowform.dump import is_default, written
from rowform.entries import Written
from rowform.header import RESTAURANT_FILE
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import PREVIOUSLY
from rowform.kinds.restaurant import RestaurantFile
from rowform.load import SourceFile
from rowform.pull.model import FileChange, Live, Parts, Pulled, SettingChange
from rowform.pull.texts import canonical_element, canonical_item, canonical_member, file_name, kind_texts
from rowform.pull.work import Work
from rowform.splice import Guide, Pointer, splice
from rowform.state import Content, Entry

#: Inherited entries by kind and key, before `without` drops any.
Inherited = Mapping[str, Mapping[str, Entry]]
#: Former keys by kind and the key that is live.
Renames = Mapping[str, Mapping[str, str]]


class UneditableError(Exception):
    """A file is written in a way that cannot be edited; ``shown`` names it."""

    def __init__(self, shown: str) -> None:
        super().__init__(shown)
        self.shown = shown


class RestaurantFiles:
    """A restaurant's directory, to be brought to what is live.

    Args:
        live: what the database has, of the kinds that are managed.
        content: what the configuration says now.
        files: the files of the directory.
        inherited: the entries of the directories that it inherits.
        kinds: all kinds.
    """

    def __init__(
        self,
        live: Live,
        content: Content,
        files: Sequence[SourceFile],
        inherited: Inherited,
        kinds: Mapping[str, Kind],
    ) -> None:
        self._live = live
        self._content = content
        self._files = {file.parts: file for file in files}
        self._shown = {file.shown: file.parts for file in files}
        self._inherited = inherited
        self._kinds = kinds
        self._documents: dict[Parts, Document] = {}
        self._works: dict[Parts, Work] = {}
        self._new: dict[Parts, dict[str, Entry]] = {}
        self._changes: list[SettingChange] = []

    def pulled(self, renames: Renames) -> Pulled:
        """What changes.

        Args:
            renames: former keys of settings that are live under another key.

        Raises:
            UneditableError: a file cannot be edited so that it says this and keeps the rest.
        """
        self._documents = dict(self._read())
        header = self._document((self._live.slug, RESTAURANT_FILE))
        value = header.value if is_object(header.value) else {}
        before: Mapping[str, list[str]] = value.get("without", {})
        without = {name: list(keys) for name, keys in before.items()}
        for name in self._content:
            self._kind(self._kinds[name], renames.get(name, {}), without)
        without = {name: keys for name, keys in without.items() if keys or before.get(name) == []}
        files = [*self._header_change(header, value, without), *self._edited(), *self._written()]
        return Pulled(tuple(self._changes), tuple(files))

    def _document(self, parts: Parts) -> Document:
        if parts not in self._documents:
            document, _ = parse(self._files[parts].shown, self._files[parts].data)
            if document is None:
                raise UneditableError(self._files[parts].shown)
            self._documents[parts] = document
        return self._documents[parts]

    def _read(self) -> Iterator[tuple[Parts, Document]]:
        """The files that loading has read: those with entries."""
        for entries in self._content.values():
            for one in entries.values():
                parts = self._home(one)
                if parts is not None and isinstance(one.origin, Written):
                    yield parts, one.origin.document

    # --- settings --------------------------------------------------------------------------------

    def _kind(self, kind: Kind, renames: Mapping[str, str], without: dict[str, list[str]]) -> None:
        there = self._content[kind.name]
        live = self._live.content.get(kind.name, {})
        inherited = self._inherited.get(kind.name, {})
        dropped = without.setdefault(kind.name, [])
        renamed = {old: new for new, old in renames.items()}
        own = {key: parts for key, one in there.items() if (parts := self._home(one)) is not None}
        kept: set[str] = set()
        changes: list[SettingChange] = []
        for key, parts in own.items():
            new = renamed.get(key, key)
            if new in live:
                kept.add(new)
                if there[key].canonical != live[new].canonical:
                    self._update(kind, there[key], live[new], parts)
                    changes.append(self._change(Action.UPDATE, kind, new, parts, key))
            else:
                self._remove(kind, there[key], parts)
                changes.append(self._change(Action.DELETE, kind, key, parts))
        changes += self._from_above(kind, inherited, kept, renamed, dropped)
        added = [
            key
            for key in sorted(live.keys() - kept)
            if key not in inherited or inherited[key].canonical != live[key].canonical
        ]
        home = self._best_home(kind) if added else ()
        for key in added:
            self._add(kind, live[key], home)
            was = there.get(renames.get(key, key))
            action = Action.CREATE if was is None else Action.UPDATE
            changes.append(self._change(action, kind, key, home, was.key if was else None))
        self._changes += sorted(changes, key=lambda one: one.key)

    def _change(
        self, action: Action, kind: Kind, key: str, parts: Parts, previous: str | None = None
    ) -> SettingChange:
        return SettingChange(action, kind.name, key, None if previous == key else previous, parts)

    def _from_above(
        self,
        kind: Kind,
        inherited: Mapping[str, Entry],
        kept: set[str],
        renamed: Mapping[str, str],
        dropped: list[str],
    ) -> Iterator[SettingChange]:
        """Drop inherited entries that are not live, and take back those that are."""
        there = self._content[kind.name]
        live = self._live.content.get(kind.name, {})
        header = (self._live.slug, RESTAURANT_FILE)
        for key in sorted(inherited):
            back = key in dropped and key not in kept
            if key not in live and key not in dropped:
                dropped.append(key)
                if self._home(there[key]) is None and key not in renamed:
                    yield self._change(Action.DELETE, kind, key, header)
            elif key in live and back and inherited[key].canonical == live[key].canonical:
                dropped.remove(key)
                yield self._change(Action.CREATE, kind, key, header)

    def _home(self, one: Entry) -> Parts | None:
        """The file of an entry of the restaurant's own; ``None`` if it is inherited."""
        return self._shown.get(one.origin.document.file) if isinstance(one.origin, Written) else None

    def _work(self, parts: Parts) -> Work:
        if parts not in self._works:
            self._works[parts] = Work(self._files[parts], self._document(parts))
        return self._works[parts]

    def _update(self, kind: Kind, one: Entry, live: Entry, parts: Parts) -> None:
        items, index = self._work(parts).of(kind).there, _index(one)
        items[index] = updated(kind, items[index] or {}, live)

    def _remove(self, kind: Kind, one: Entry, parts: Parts) -> None:
        self._work(parts).of(kind).there[_index(one)] = None

    def _add(self, kind: Kind, one: Entry, parts: Parts) -> None:
        if parts in self._files:
            self._work(parts).of(kind).new.append(written(kind, one))
        else:
            self._new.setdefault(parts, {})[one.key] = one

    def _best_home(self, kind: Kind) -> Parts:
        """The file with most entries of a kind; else one that names it, else the kind's own."""
        works = {parts: self._work(parts) for parts in self._files if parts[1:] != (RESTAURANT_FILE,)}
        homes = [
            (-len(work.entries(kind)), len(parts), parts) for parts, work in works.items() if work.names(kind)
        ]
        return min(homes)[2] if homes else (self._live.slug, file_name(kind, 1))

    # --- texts -------------------------------------------------------------------------------------

    def _header_change(
        self, header: Document, value: Mapping[str, Any], without: Mapping[str, list[str]]
    ) -> Iterator[FileChange]:
        wanted = {name: one for name, one in value.items() if name != "without"}
        if without or value.get("without") == {}:
            wanted["without"] = dict(without)
        source = self._files[(self._live.slug, RESTAURANT_FILE)]
        guide = Guide(
            lambda at: tuple(RestaurantFile.model_fields) if not at else tuple(self._kinds),
            lambda _, name, one: canonical_member(str(name), one, day=False),
        )
        yield from _file_change(source, header, wanted, guide)

    def _edited(self) -> Iterator[FileChange]:
        for parts in sorted(self._works):
            work = self._works[parts]
            if not work.items:
                continue
            value = work.document.value
            wanted: dict[str, Any] = dict(value) if is_object(value) else {}
            aligned: dict[Pointer, Sequence[int | None]] = {}
            for kind, changed in work.items.items():
                items = changed.placed(self._kinds[kind])
                if items or kind in wanted:
                    wanted[kind] = [item for _, item in items]
                    aligned[(kind,)] = [index for index, _ in items]
            guide = Guide(self._order, self._lines, aligned, apart=True)
            yield from _file_change(work.source, work.document, wanted, guide)

    def _written(self) -> Iterator[FileChange]:
        for parts, entries in sorted(self._new.items()):
            kind = self._kinds[next(iter(entries.values())).kind]
            for number, text in enumerate(kind_texts(kind, entries), 1):
                name = (*parts[:-1], file_name(kind, number))
                yield FileChange(name, None, text.text.encode("utf-8", "surrogatepass"))

    def _order(self, at: Pointer) -> Sequence[str]:
        if not at:
            return tuple(self._kinds)
        if len(at) == 2 and at[0] in self._kinds:
            kind = self._kinds[str(at[0])]
            return tuple(dict.fromkeys((kind.key, PREVIOUSLY, *kind.column_names)))
        return ()

    def _lines(self, at: Pointer, name: str | None, value: Any) -> list[str]:
        kind = self._kinds.get(str(at[0])) if at else None
        if not at and name is not None and is_list(value):
            items = (canonical_item(self._kinds[name], item) for item in value)
            indented = [f"  {line}" for item in items for line in item]
            return [f"{name}:", *indented] if indented else [f"{name}: []"]
        if kind is not None and len(at) == 1 and name is None:
            return canonical_item(kind, value)
        if name is None:
            return canonical_element(value)
        days = {column.name for column in kind.columns if column.sql_type == "date"} if kind else set[str]()
        return canonical_member(name, value, day=len(at) == 2 and name in days)


def _index(one: Entry) -> int:
    """Which of the entries of its kind in its file an entry is."""
    if not isinstance(one.origin, Written) or not isinstance(one.origin.pointer[1], int):
        raise TypeError(f"{one.kind} {one.key} is in no file")
    return one.origin.pointer[1]


def updated(kind: Kind, item: Mapping[str, Any], live: Entry) -> dict[str, Any]:
    """The fields of an entry in YAML with live values: a default that is left out stays left out."""
    former = item.get(PREVIOUSLY)
    found: dict[str, Any] = {}
    for name, value in item.items():
        found[name] = live.values.get(name, value)
    if is_list(former) and live.key in former:
        # Its name again: no former one any more.
        found[PREVIOUSLY] = [one for one in former if one != live.key]
        if not found[PREVIOUSLY]:
            del found[PREVIOUSLY]
    for name in kind.column_names:
        if name not in found and not is_default(kind, name, live.values[name]):
            found[name] = live.values[name]
    return found


def _file_change(
    source: SourceFile, document: Document, wanted: Mapping[str, Any], guide: Guide
) -> Iterator[FileChange]:
    text = splice(document.text, dict(wanted), guide, document.value)
    if text is None:
        raise UneditableError(source.shown)
    if text != document.text:
        yield FileChange(source.parts, source.data, text.encode())
