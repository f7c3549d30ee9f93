"""A change as a line that people read, and leaf by leaf as a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rowform.diff import Action, Change, Operation, leaves
from rowform.drift import Drift
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.render.fitting import Item, Rank, Section
from rowform.render.inert import fence, span
from rowform.render.phrases import Phrases
from rowform.render.plan_text import SYMBOLS, change_leaves, name_of, place_of
from rowform.text import quote

#: A change with more fields than this is told up to here.
_FIELDS = 12
#: What GitHub colours in a `diff` block.
_COLOURED = {"~": "!", "+": "+", "-": "-"}


def in_words(
    changes: Sequence[Change],
    kind: Kind,
    phrases: Phrases,
    overwritten_by: Callable[[Change], Sequence[Drift]],
) -> Section:
    """The changes of one kind, a line for each.

    Args:
        changes: all of the kind.
        kind: theirs.
        phrases: the language.
        overwritten_by: the direct writes that a change overwrites.
    """
    title = phrases.title(kind)
    items = [_line(change, kind, phrases, bool(overwritten_by(change))) for change in changes]
    return Section(
        head=f"**{title[0].upper()}{title[1:]}**\n\n",
        tail="\n",
        parts=items,
        more=lambda number: f"- {phrases.say('… and {more} more', more=number)}\n",
    )


def _line(change: Change, kind: Kind, phrases: Phrases, overwrites: bool) -> Item:
    mark = f" ({phrases.say('overwrites a direct write')})" if overwrites else ""
    if change.action is Action.DELETE:
        text = f"- **{phrases.say('deleted')}** {span(change.key)}{mark}\n"
        return Item(text, Rank.DELETION, "deletion")
    if change.action is Action.CREATE:
        word, said = phrases.say("added"), list(_values(change, kind, phrases))
    else:
        word, said = phrases.say("changed"), list(_differences(change, kind, phrases))
    if len(said) > _FIELDS:
        said[_FIELDS:] = [phrases.say("{more} more", more=len(said) - _FIELDS)]
    name = span(change.key)
    if change.previous_key is not None:
        word, name = phrases.say("renamed"), f"{span(change.previous_key)} → {name}"
    told = f": {phrases.semicolon.join(said)}" if said else ""
    return Item(f"- **{word}** {name}{told}{mark}\n", Rank.CHANGE, "change")


def _values(change: Change, kind: Kind, phrases: Phrases) -> Iterator[str]:
    """The fields of a new setting that are no defaults."""
    entry = change.after
    for column in kind.columns if entry else ():
        value: Any = entry.values[column.name] if entry else None
        if column.name != kind.key and (column.required or value != column.default):
            for path, leaf in leaves(value, (column.name,)):
                yield f"{phrases.field(kind, path)} {phrases.value(kind, path, leaf)}"


def _differences(change: Change, kind: Kind, phrases: Phrases) -> Iterator[str]:
    for operation in change.patch:
        if operation.path != (kind.key,):
            yield from _difference(operation, kind, phrases)


def _is_nested(value: Any) -> bool:
    return is_list(value) or is_object(value)


def _difference(operation: Operation, kind: Kind, phrases: Phrases) -> Iterator[str]:
    path = operation.path
    if operation.op == "replace":
        # The items of a list of plain values are told by the list's name.
        plain = isinstance(path[-1], int) and not _is_nested(operation.value)
        where = phrases.field(kind, path[:-1] if plain else path)
        old, new = (phrases.value(kind, path, value) for value in (operation.old, operation.value))
        if old == new:
            # In words 1 and "1" are the same.
            old, new = span(quote(operation.old)), span(quote(operation.value))
        yield f"{where} {old} → {new}"
        return
    adds = operation.op == "add"
    value: Any = operation.value if adds else operation.old
    if isinstance(path[-1], int) and not _is_nested(value):
        shown = phrases.value(kind, path, value)
        how = (
            phrases.say("with {value}", value=shown) if adds else phrases.say("without {value}", value=shown)
        )
        yield f"{phrases.field(kind, path[:-1])} {how}"
        return
    absent = phrases.say("not set")
    for at, leaf in leaves(value, path):
        shown = phrases.value(kind, at, leaf)
        yield f"{phrases.field(kind, at)} {f'{absent} → {shown}' if adds else f'{shown} → {absent}'}"


def in_detail(changes: Sequence[Change], kind: Kind, phrases: Phrases) -> Section:
    """The changes of one kind leaf by leaf, folded away."""
    title = phrases.title(kind)
    shown = f"{title[0].upper()}{title[1:]}"
    blocks = [list(detail_lines(change, kind)) for change in changes]
    ticks = fence(line for block in blocks for line in block)
    heading = phrases.say(
        "{title}, field by field: {changes}", title=shown, changes=phrases.count(len(changes), "change")
    )
    return Section(
        head=f"<details><summary>{heading}</summary>\n\n{ticks}diff\n",
        tail=f"{ticks}\n\n</details>\n\n",
        parts=[Item("".join(f"{line}\n" for line in block), Rank.DETAIL, "detail") for block in blocks],
        more=lambda number: f"# {phrases.say('… and {more} more', more=number)}\n",
    )


def detail_lines(change: Change, kind: Kind) -> Iterator[str]:
    """One change, exactly: a line that names it and its place in the files, then one per leaf."""
    yield f"@@ {SYMBOLS[change.action]} {name_of(change)}{place_of(change)} @@"
    for symbol, _, line in change_leaves(change, kind):
        yield f"{_COLOURED[symbol]} {line}"
