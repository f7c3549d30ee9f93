"""YAML text → JSON values and their places, from libyaml's events: the slow, exact path.

PyYAML is used as a *parser* only: its own composer reads YAML 1.1, recurses and swallows duplicate keys.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from rowform.document.nodes import Frame, Place
from rowform.document.scalars import (
    FORBIDDEN,
    MAX_DEPTH,
    OPENING,
    BadScalarError,
    JsonValue,
    named,
    resolve,
    shown,
)
from rowform.location import Location, Problem
from rowform.text import escape, quote

#: Nodes that aliases may add: this many, or fewer in a small file (see :meth:`Composer._spend`).
MAX_ALIASED = 100_000
#: Per file, then reading stops: a file with more is not a settings file with mistakes in it.
MAX_PROBLEMS = 1_000

_CORE_TAGS = "tag:yaml.org,2002:"


class UnreadableError(Exception):
    """The text stops being readable at ``problem``: nothing after it can be trusted."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


#: What an alias stands for: value, place, size, height.
_Anchored: TypeAlias = tuple[JsonValue, Place | None, int, int]


class Composer:
    """Composes the one document of ``text``; with ``positions`` also the tree of :class:`Place`.

    In the places, ``text`` begins on line ``first`` of its file; in the problems, on the first one.

    Iterative and streaming: stops at the first event that is too deep or over the alias budget,
    so neither nesting nor "billion laughs" costs more than the text before it. After :meth:`run`,
    ``value``, ``place`` and ``problems`` hold the result; a bad node keeps a harmless value.
    """

    def __init__(self, file: str, text: str, *, positions: bool = False, first: int = 0) -> None:
        self.file = file
        self.text = text
        self.value: JsonValue = None
        self.place: Place | None = None
        self._positions = positions
        self._first = first
        self._lines = re.split("\r\n|\r|\n", text) if positions else []
        self._escapes = "\\" in text
        self._problems: dict[Location, Problem] = {}
        self._frames: list[Frame] = [Frame(None, [], None)]
        self._anchors: dict[str, _Anchored | Frame] = {}
        #: The first quoted scalar over several lines that ends as if its closing quote were an opening one.
        self.suspect: Any = None
        self._written = 0
        self._expanded = 0
        if positions:
            self._frames[0].place = root = Place(0, 0, 0)
            root.children = []

    @property
    def problems(self) -> list[Problem]:
        return list(self._problems.values())

    @property
    def bracket(self) -> Any:
        """The event of the innermost ``[`` or ``{`` that is open now, or ``None``."""
        event = self._frames[-1].event
        return event if event is not None and event.flow_style else None

    def run(self) -> None:
        """Read everything. Raises :class:`UnreadableError`, or ``yaml.YAMLError`` for bad syntax.

        The garbage collector rests meanwhile: walking the growing tree again and again takes as long.
        """
        import gc

        collecting = gc.isenabled()
        gc.disable()
        try:
            self._compose()
        finally:
            if collecting:
                gc.enable()
        root = self._frames[0]
        if isinstance(root.value, list) and root.value:
            self.value = root.value[0]
            self.place = root.place.child(0) if root.place is not None else None

    def _compose(self) -> None:
        import yaml

        loader: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        steps: dict[type, Any] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start_mapping,
            yaml.SequenceStartEvent: self._start_list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
        }
        documents = 0
        for event in yaml.parse(self.text, Loader=loader):
            step = steps.get(type(event))
            if step is not None:
                step(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problem(event, "a second document begins here", "keep one document in each file")
                    break
                self._directives(event)

    def _problem(self, event: Any, message: str, hint: str | None = None) -> Problem:
        mark = event.start_mark
        location = Location(self.file, mark.line + 1, mark.column + 1)
        problem = Problem(location, message, hint)
        self._problems.setdefault(location, problem)
        if len(self._problems) >= MAX_PROBLEMS:
            raise UnreadableError(problem)
        return problem

    def _directives(self, event: Any) -> None:
        if event.version not in (None, (1, 2)):
            version = ".".join(map(str, event.version))
            hint = "remove the directive, or write %YAML 1.2"
            self._problem(event, f"YAML {version} is not what this file is read as", hint)
        if event.tags:
            self._problem(event, "%TAG directives are not allowed", "remove the directive")

    def _tag(self, event: Any) -> None:
        tag = event.tag
        shown = "!!" + tag[len(_CORE_TAGS) :] if tag.startswith(_CORE_TAGS) else tag
        hint = "quote a value to make it text" if tag == f"{_CORE_TAGS}str" else "remove it"
        self._problem(event, f"tag {quote(shown)} is not allowed", hint)

    def _scalar(self, event: Any) -> None:
        self._written += 1
        frame = self._frames[-1]
        text: str = event.value
        value: JsonValue = text
        plain = event.implicit[0]
        if event.tag is not None:
            self._tag(event)
        elif plain and frame.at_key:
            value = self._plain_key(event, text)
        elif plain:
            try:
                value = resolve(text)
            except BadScalarError as bad:
                self._problem(event, *bad.args)
        elif self._escapes and event.style == '"' and (found := FORBIDDEN.search(text)):
            made = named(found.group())
            self._problem(event, f"an escape in this text makes {made}, which is not allowed")
        if not plain and self.suspect is None and text.rstrip(" ")[-1:] in OPENING:
            self._suspect(event)
        place = self._place_of(event) if self._positions else None
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, place, 1, 0)
        if frame.at_key:
            self._key(event, frame, text)
        else:
            frame.put(value, place, 1, 0)

    def _suspect(self, event: Any) -> None:
        """``a: "x`` and in the next line ``b: "#y"``: libyaml reads ``x b:`` and a comment."""
        if event.style in ("'", '"') and event.end_mark.line > event.start_mark.line:
            self.suspect = event
            if self.text[event.end_mark.index : event.end_mark.index + 1] == "#":
                closing = f"it ends at the next quote, on line {event.end_mark.line + 1}"
                self._problem(event, "quote is never closed", closing)

    def _plain_key(self, event: Any, text: str) -> JsonValue:
        if text == "<<":
            hint = "repeat the fields, or use inherits"
            self._problem(event, "merge keys are not part of YAML 1.2", hint)
            return text
        try:
            value = resolve(text)
        except BadScalarError:
            value = 0
        if not isinstance(value, str):
            self._not_text(event, value, text)
        return text

    def _not_text(self, event: Any, value: JsonValue, text: str) -> None:
        if not text:
            self._problem(event, "a key is missing here", "a mapping key must be text")
            return
        what = "the null value" if value is None else "a boolean" if isinstance(value, bool) else "a number"
        self._problem(event, f"key {shown(text)} is {what}", f'quote it: "{shown(text)}"')

    def _key(self, event: Any, frame: Frame, text: str) -> None:
        mark = event.start_mark
        frame.at_key = False
        if text in frame.first:
            self._problem(event, f"duplicate key {quote(text)}, first on line {frame.first[text]}")
            frame.key = None
            return
        frame.first[text] = mark.line + 1
        frame.key = text
        frame.key_at = (mark.line + self._first, mark.column)

    def _start_mapping(self, event: Any) -> None:
        self._start(event, {})

    def _start_list(self, event: Any) -> None:
        self._start(event, [])

    def _start(self, event: Any, value: list[JsonValue] | dict[str, JsonValue]) -> None:
        self._written += 1
        if len(self._frames) > MAX_DEPTH:
            raise UnreadableError(self._too_deep(event))
        if event.tag is not None:
            self._tag(event)
        place = self._started(event) if self._positions else None
        if place is not None:
            place.children = {} if isinstance(value, dict) else []
        frame = Frame(event, value, place)
        outer = self._frames[-1]
        if outer.at_key:
            if not outer.in_key:
                self._problem(event, "a mapping key must be text, not a list or a mapping")
            outer.at_key = False
            outer.key = None
            frame.is_key = True
        frame.in_key = frame.is_key or outer.in_key
        if frame.anchor is not None:
            self._anchors[frame.anchor] = frame
        self._frames.append(frame)

    def _too_deep(self, event: Any) -> Problem:
        return self._problem(event, f"nested more than {MAX_DEPTH} levels deep")

    def _end(self, event: Any) -> None:
        frame = self._frames.pop()
        place = frame.place
        if place is not None and frame.event.flow_style:
            place.last = event.end_mark.line + self._first
        elif place is not None and place.children:
            children = place.children
            last = children[-1] if isinstance(children, list) else next(reversed(children.values()))
            place.last = max(place.line, last.last)
        if frame.anchor is not None and self._anchors.get(frame.anchor) is frame:
            self._anchors[frame.anchor] = (frame.value, place, frame.size, frame.height)
        outer = self._frames[-1]
        if frame.is_key:
            outer.size += frame.size
        else:
            outer.put(frame.value, place, frame.size, frame.height)

    def _alias(self, event: Any) -> None:
        frame = self._frames[-1]
        name = escape(event.anchor)
        target = self._anchors.get(event.anchor)
        value: JsonValue = f"*{event.anchor}"
        original, size, height = None, 1, 0
        if target is None:
            self._problem(event, f"alias *{name} has no anchor &{name} before it", "quote it if it is text")
        elif isinstance(target, Frame):
            self._problem(event, f"alias *{name} stands inside the value that it repeats")
        else:
            value, original, size, height = target
            self._spend(event, size)
            if len(self._frames) - 1 + height > MAX_DEPTH:
                raise UnreadableError(self._too_deep(event))
        if frame.at_key:
            if not isinstance(value, str):
                self._problem(event, f"alias *{name} is used as a key and is not text")
            self._key(event, frame, value if isinstance(value, str) else f"*{event.anchor}")
            return
        place = None
        if self._positions:
            place = self._started(event)
            if original is not None:
                place.children, place.source = original.children, original.source
        frame.put(value, place, size, height)

    def _spend(self, event: Any, size: int) -> None:
        """Aliases may not multiply a file: 10,000 nodes are free, then twenty for each written one."""
        self._expanded += size
        if self._expanded > min(MAX_ALIASED, 10_000 + 20 * self._written):
            problem = self._problem(event, "aliases repeat too much: this file would grow beyond any use")
            raise UnreadableError(problem)

    def _started(self, event: Any) -> Place:
        line = event.start_mark.line + self._first
        return Place(line, event.start_mark.column, line)

    def _place_of(self, event: Any) -> Place:
        start, end, first = event.start_mark, event.end_mark, self._first
        if start.line >= len(self._lines):  # nothing, after the last line
            last = len(self._lines) - 1
            return Place(first + last, len(self._lines[-1]), first + last, "")
        last = end.line
        if event.style in ("|", ">"):
            last -= not end.column
            while last > start.line and (last >= len(self._lines) or not self._lines[last].strip()):
                last -= 1
        source = event.value if not event.style else None
        return Place(first + start.line, start.column, first + last, source)
