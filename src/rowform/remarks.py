"""What a plan points out to people: sentences that stop nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from rowform.diff import Action, Change
from rowform.effective import Standing, effect, today
from rowform.kinds import Kind
from rowform.references import dangling
from rowform.state import Content
from rowform.text import Code, Sentence, Word, quote


def leading_nowhere(target: Content, kinds: Mapping[str, Kind]) -> Iterable[Sentence]:
    """The references that would lead nowhere."""
    for found in dangling(target, kinds):
        noun = Word(kinds[found.entry.kind].noun)
        yield Sentence(
            "{noun} {key} names {name}, which is no {what}",
            noun=noun,
            key=found.entry.key,
            name=found.name,
            what=Word(found.what),
        )


def not_today(
    changes: Sequence[Change], kinds: Mapping[str, Kind], zones: tuple[str | None, ...], now: datetime
) -> Iterable[Sentence]:
    """Point out what is written and does nothing today, in the restaurant's time zone."""
    day: date | None = None
    for change in changes:
        kind = kinds[change.kind]
        if change.after is None or not any(
            change.after.values[name] for pair in kind.periods for name in pair
        ):
            continue
        day = day or today(zones, now)[0]
        after = effect(kind, change.after.values, day)
        before = effect(kind, change.before.entry.values, day) if change.before else None
        applies = before is not None and before.standing is Standing.IN_EFFECT
        parts = {"noun": Word(kind.noun), "key": change.key, "day": Word(after.day or "")}
        if after.standing is Standing.ENDED:
            yield Sentence(
                "{noun} {key} applies today and will not any more: it ended on {day}"
                if applies
                else "{noun} {key} ended on {day}: it changes nothing today",
                **parts,
            )
        elif after.standing is Standing.PENDING:
            days = (date.fromisoformat(parts["day"]) - day).days
            yield _waiting(applies=applies, days=days, parts=parts)


def _waiting(*, applies: bool, days: int, parts: Mapping[str, str]) -> Sentence:
    """What to say of a setting that takes effect in some days."""
    if days == 1:
        return Sentence(
            "{noun} {key} applies today and will not again before {day}, tomorrow"
            if applies
            else "{noun} {key} takes effect on {day}, tomorrow",
            **parts,
        )
    return Sentence(
        "{noun} {key} applies today and will not again before {day}, in {days} days"
        if applies
        else "{noun} {key} takes effect on {day}, in {days} days",
        **parts,
        days=days,
    )


def like_renames(changes: Sequence[Change], kinds: Mapping[str, Kind]) -> Iterable[Sentence]:
    """Point out a delete and a create that look like a rename."""
    created = [c for c in changes if c.action is Action.CREATE]
    taken: set[int] = set()
    for gone in (change for change in changes if change.action is Action.DELETE):
        kind = kinds[gone.kind]
        for index, new in enumerate(created):
            if index not in taken and new.kind == gone.kind and _look_alike(kind, gone, new):
                taken.add(index)
                yield Sentence(
                    "{noun} {gone} is deleted and {new} created with the same content;"
                    " for a rename, add {line} to keep its history",
                    noun=Word(kind.noun),
                    gone=gone.key,
                    new=new.key,
                    line=Code(f"previously: [{quote(gone.key)}]"),
                )
                break


def _look_alike(kind: Kind, gone: Change, new: Change) -> bool:
    if gone.before is None or new.after is None:
        return False
    before, after = gone.before.entry.values, new.after.values
    # Content that is all defaults says nothing about identity.
    telling = [
        name for name in kind.column_names if name != kind.key and before[name] != kind.defaults.get(name)
    ]
    return bool(telling) and all(
        before[name] == after[name] for name in kind.column_names if name != kind.key
    )
