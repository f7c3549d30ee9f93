"""Settings in words, in English and Japanese, as fragments of Markdown.

What kinds say of themselves comes from the kinds; what sentences know of their parts from the sentences.
Here are the words of the page around them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from rowform.guards import GuardName
from rowform.jsontypes import is_list, is_object
from rowform.kinds import Kind
from rowform.kinds.base import DAY_PATTERN, JsonObject
from rowform.kinds.facts import Language, Words, spaced, words_of
from rowform.render.inert import span
from rowform.render.translations import JAPANESE, JAPANESE_GUARDS, JAPANESE_SENTENCES, JAPANESE_WORDS
from rowform.text import Count, Sentence, Several, Told, Word, count, quote

#: How many items of a list are named.
_ITEMS = 12
#: Words of ours that Markdown takes for nothing else.
_PLAIN = re.compile(r"[^\W_](?:[\w ,.%·-]*[\w.%])?")
#: Words of sentences: nothing but letters, or a number.
_TOLD = re.compile(r"[^\W\d_]+(?: [^\W\d_]+)*|\d{1,6}|[\d,]+,\d{3}|\d+\.\d+")
#: A name of a program, and no other text.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
Path = Sequence[str | int]


class Phrases:
    """Words and sentences of one language."""

    def __init__(self, language: Language, kinds: Mapping[str, Kind]) -> None:
        self.language: Language = language
        self._japanese = language == "ja"
        self._kinds = kinds
        self._nouns = {kind.noun: kind for kind in kinds.values() if kind.titles}
        self.comma = "、" if self._japanese else ", "
        self.semicolon = "、" if self._japanese else "; "
        #: Between clauses with verbs of their own.
        self.stop = "。" if self._japanese else "; "

    def say(self, english: str, **parts: Any) -> str:
        """A phrase of the page; its parts are Markdown already. Numbers get separators."""
        phrase = JAPANESE[english] if self._japanese else english
        shown = {name: f"{part:,}" if isinstance(part, int) else part for name, part in parts.items()}
        return phrase.format_map(shown)

    def count(self, number: int, noun: str) -> str:
        """``2 deletions``."""
        if self._japanese:
            return JAPANESE[f"{{count}} {noun}"].format(count=f"{number:,}")
        head, _, rest = noun.partition(" ")
        return f"{count(number, head)}{f' {rest}' if rest else ''}"

    def sentence(self, text: Told) -> str:
        """A sentence from elsewhere: in this language if its parts are known, else as code."""
        if not isinstance(text, Sentence):
            return span(text, 400)
        template = JAPANESE_SENTENCES.get(text.template, text.template) if self._japanese else text.template
        return template.format_map({name: self._part(part) for name, part in text.parts.items()})

    def _part(self, part: Any) -> str:
        if isinstance(part, Sentence):
            return self.sentence(part)
        if isinstance(part, Several):
            return self._all(part)
        if isinstance(part, Count):
            return self.count(part.number, part.noun)
        return self._word(part) if isinstance(part, Word) else self._given(part)

    def _given(self, part: Any) -> str:
        """What people or Git have written, as code; and numbers."""
        if part is None:
            return self.say("none")
        return str(part) if type(part) is int else span(part if isinstance(part, str) else quote(part))

    def _all(self, several: Several) -> str:
        shown = [self._part(part) for part in several.parts]
        if several.more:
            shown.append(self.say("{more} more", more=several.more))
        return (self.semicolon if several.apart else self.comma).join(shown)

    def _word(self, word: str) -> str:
        if word in self._kinds:
            return self.title(self._kinds[word])
        if re.fullmatch(DAY_PATTERN, word):
            return self.day(word)
        if self._japanese:
            kind = self._nouns.get(word)
            if kind:
                return self.title(kind)
            word = JAPANESE_WORDS.get(word, word)
        return word if _TOLD.fullmatch(word) else span(word)

    def guard(self, name: GuardName) -> str:
        """What a guard stands for."""
        return JAPANESE_GUARDS[name] if self._japanese else name.meaning

    # --- kinds and fields ------------------------------------------------------------------------

    def title(self, kind: Kind) -> str:
        """What settings of a kind are called, for a heading in English: with a small letter."""
        return _plain(kind.titles.get(self.language) or spaced(kind.name))

    def noun(self, kind: Kind) -> str:
        """What one setting of a kind is called."""
        return self.title(kind) if self._japanese or not kind.titles else _plain(kind.noun)

    def field(self, kind: Kind, path: Path) -> str:
        """The field that a path leads to. The column of a member of its JSON goes without saying."""
        found = list(_along(kind, path))
        if len(found) > 1:
            del found[0]
        return " / ".join(self._step(step, words, known) for step, words, known in found)

    def _step(self, step: str | int, words: Words | None, known: bool) -> str:
        if isinstance(step, int):
            return self.say("no. {number}", number=step + 1)
        if words is not None:
            return _plain(words.label(self.language))
        if known:
            return _plain(spaced(step))
        return span(spaced(step) if _NAME.fullmatch(step) else step)

    # --- values ----------------------------------------------------------------------------------

    def value(self, kind: Kind, path: Path, value: Any) -> str:
        """A value of the field at a path, in words."""
        words = next(words for step, words, _ in reversed(_along(kind, path)) if isinstance(step, str))
        is_date = len(path) == 1 and any(
            one.name == path[0] and one.sql_type == "date" for one in kind.columns
        )
        return self._value(value, words, is_date=is_date)

    def _value(self, value: Any, words: Words | None, *, is_date: bool) -> str:
        known = words.value(value, self.language) if words else None
        if known is not None:
            return _plain(known)
        if value is None:
            return self.say("none")
        if isinstance(value, bool):
            return self.say("yes" if value else "no")
        if is_list(value) or is_object(value):
            return self._several(value, words)
        return self._text(value, words, is_date=is_date) if isinstance(value, str) else span(quote(value))

    def _several(self, value: list[Any] | dict[str, Any], words: Words | None) -> str:
        if isinstance(value, dict):
            shown = [f"{span(name)} {self._value(item, None, is_date=False)}" for name, item in value.items()]
        else:
            shown = [self._value(item, words, is_date=False) for item in value]
        if len(shown) > _ITEMS:
            shown[_ITEMS:] = [self.say("{more} more", more=len(shown) - _ITEMS)]
        return self.comma.join(shown) or self.say("none")

    def _text(self, text: str, words: Words | None, *, is_date: bool) -> str:
        if is_date and re.fullmatch(DAY_PATTERN, text):
            return self.day(text)
        if words and words.is_name and "_" in text and _NAME.fullmatch(text):
            return span(spaced(text))
        return span(text) if text else self.say("empty")

    def day(self, written: str) -> str:
        """A date in words."""
        try:
            found = date.fromisoformat(written)
        except ValueError:
            return span(written)
        if self._japanese:
            return f"{found.year}年{found.month}月{found.day}日"
        return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def _plain(word: str) -> str:
    """A word of a kind's author: as it is, if nothing in it means anything to Markdown."""
    return word if _PLAIN.fullmatch(word) else span(word)


@cache
def _words(model: type[Any]) -> Mapping[str, Words]:
    return words_of(model)


def _along(kind: Kind, path: Path) -> list[tuple[str | int, Words | None, bool]]:
    """The steps of a path, the words for each, and whether the kind knows it at all."""
    column = str(path[0])
    found: list[tuple[str | int, Words | None, bool]] = [(column, _words(kind.model).get(column), True)]
    model: type[JsonObject] | None = kind.json_models.get(column)
    for step in path[1:]:
        if isinstance(step, int):
            found.append((step, None, True))
            continue
        if model is None:
            found.append((step, None, False))
            continue
        found.append((step, _words(model).get(step), step in model.known()))
        model = model.known().get(step)
    return found
