"""What a browser kept, as an edit: its settings put into those that are active.

Nothing is deleted: what the browser does not have stays. What both have and not alike is for the client to
decide, and what has no home is not dropped in silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import orjson

from rowform.edits.faults import EditCode, Problem, invalid
from rowform.edits.sent import ensure_shallow
from rowform.errors import InvalidSource, UsageError
from rowform.jsontypes import is_list
from rowform.kinds import kinds
from rowform.localstorage.mapping import Mapped, map_source
from rowform.localstorage.merge import Merged, Take, merge
from rowform.localstorage.source import Fault as SourceFault
from rowform.localstorage.source import read_source
from rowform.state import Content, Entry
from rowform.text import from_pointer, joined, pointer, quote
from rowform.wire import Code, Fault, table_name

#: What the browser's side of a conflict is called.
_BROWSER = "browser"
#: Of more conflicts than this only the number is told.
_MOST = 50
#: What to do with settings that are there and different: leave them, or put the browser's in their place.
Choice = Literal["keep", "replace"]


@dataclass(frozen=True, slots=True)
class BrowserSettings:
    """What a client wants to have taken over.

    ``only`` are the kinds, all of them if empty; ``leave_out`` are JSON pointers to what shall stay behind,
    or ``None`` for whatever has no home.
    """

    settings: Any
    only: tuple[str, ...] = ()
    leave_out: tuple[str, ...] | None = ()
    on_conflict: Choice | None = None

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Read ``{"settings", "tables", "leaveOut", "onConflict"}``; all but the first may be left out.

        Raises:
            Fault: it is something else.
        """
        if not isinstance(payload.get("settings"), dict | str):
            raise Fault(
                Code.INVALID_PAYLOAD, "payload.settings is what the browser kept: an object, or a text"
            )
        ensure_shallow(payload["settings"])
        names = {spelling: name for name, kind in kinds().items() for spelling in (name, table_name(kind))}
        tables = payload.get("tables", [])
        if not is_list(tables) or not all(isinstance(name, str) and name in names for name in tables):
            raise Fault(Code.INVALID_PAYLOAD, f"payload.tables is a list of tables: {joined(kinds())}")
        left = payload.get("leaveOut", [])
        if left is not True and not (is_list(left) and all(isinstance(one, str) for one in left)):
            raise Fault(Code.INVALID_PAYLOAD, "payload.leaveOut is a list of JSON pointers, or true")
        choice = payload.get("onConflict")
        if choice not in (None, "keep", "replace"):
            raise Fault(Code.INVALID_PAYLOAD, 'payload.onConflict is "keep" or "replace"')
        return cls(
            payload["settings"],
            tuple(names[name] for name in tables),
            None if left is True else tuple(left),
            choice,
        )


def with_browser(wanted: BrowserSettings, active: Content) -> Content:
    """The active settings with those of a browser in them.

    Raises:
        Fault: something cannot be taken, has no home, or differs from what is there; the details tell all.
    """
    copy = _mapped(wanted)
    answer = {"keep": [Take("", "")], "replace": [Take(_BROWSER, "")]}
    merged = merge([copy], active, answer[wanted.on_conflict] if wanted.on_conflict else [])
    if merged.unanswered:
        raise _conflicts(merged)
    content = {name: dict(active.get(name, {})) for name in kinds()}
    for old, new in merged.replaced:
        del content[old.kind][old.key]
        former = (old.key,) if old.key != new.key else ()
        content[new.kind][new.key] = Entry(new.kind, new.key, new.values, new.canonical, former)
    for one in merged.added:
        content[one.kind][one.key] = one
    _check_flags(content, [*merged.added, *(new for _, new in merged.replaced)])
    return content


def _mapped(wanted: BrowserSettings) -> Mapped:
    try:
        source = read_source(_BROWSER, orjson.dumps(wanted.settings))
        copy = map_source(source, wanted.leave_out or (), wanted.only)
        if wanted.leave_out is None and copy.homeless:
            copy = map_source(source, [pointer(one.path) for one in copy.homeless], wanted.only)
    except InvalidSource as error:
        faults = [one for one in error.faults if isinstance(one, SourceFault)]
        raise invalid([_problem(one) for one in faults] or [Problem(("settings",), error.message)]) from error
    except UsageError as error:
        raise invalid([Problem(("leaveOut",), error.message)]) from error
    problems = [_problem(one) for one in copy.faults]
    problems += [Problem(("settings", *one.path), f"this has no home: {one.why}") for one in copy.homeless]
    if problems:
        raise invalid(problems)
    return copy


def _problem(fault: SourceFault) -> Problem:
    return Problem(("settings", *fault.path), fault.message)


def _conflicts(merged: Merged) -> Fault:
    found = merged.unanswered
    first = quote(found[0].key)
    message = (
        f"{len(found)} settings are there already and differ, the first is {found[0].kind} {first}"
        if len(found) > 1
        else f"{found[0].kind} {first} is there already and differs"
    )
    details: Sequence[Mapping[str, Any]] = [
        {
            "kind": one.kind,
            "key": one.key,
            "path": _place(one.sides[0].pointer),
            "fields": [
                {"path": pointer(path), "browser": _shown(values[0]), "active": _shown(values[-1])}
                for path, values in one.fields
            ],
        }
        for one in found[:_MOST]
    ]
    return Fault(EditCode.CONFLICT, f'{message}: "onConflict" decides', {"conflicts": details})


def _place(inside: str) -> str:
    return pointer(("settings", *from_pointer(inside)))


def _shown(value: Any) -> Any:
    """A value of a side; one that is not there is null."""
    return None if isinstance(value, type) or not _is_json(value) else value


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool | list | dict)


def _check_flags(content: Content, written: Sequence[Entry]) -> None:
    for name, kind in kinds().items():
        flag = kind.unique_flag
        if flag is None:
            continue
        marked = [one.key for one in content[name].values() if one.values.get(flag) is True]
        if len(marked) > 1 and any(one.kind == name and one.values.get(flag) is True for one in written):
            shown = joined(quote(key) for key in marked)
            raise invalid([Problem(("settings",), f"{shown} would all be {flag}: only one {kind.noun} may")])
