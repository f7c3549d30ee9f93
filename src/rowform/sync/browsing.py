"""What people look at through the live server: one restaurant, with the rights that clients have."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any, TypeVar

from rowform.effective import today
from rowform.errors import DatabaseError, UsageError
from rowform.kinds import Kind
from rowform.plan import Actual
from rowform.render.cards import Cards
from rowform.render.phrases import Phrases
from rowform.render.versions import author_of
from rowform.server.pages import Look
from rowform.state import Content
from rowform.store.activation import Standing, standing
from rowform.store.browsing import About, Looks, about
from rowform.store.read import Version, content_of, history, one_version, version_rows
from rowform.store.session import Session
from rowform.sync.activation import Place
from rowform.sync.audit import Trail, Wanted, trails
from rowform.sync.comparing import between
from rowform.sync.previewing import preview
from rowform.sync.versions import version_number

T = TypeVar("T")
#: So many looks at once; so many more may wait.
_LANES, _WAITING = 2, 30
#: The most versions, and the most rows of the audit trail, in one document.
_VERSIONS, _ROWS = 500, 200
#: So many rows are searched for one document, so many at a time.
_SEARCHED, _BATCH = 4000, 500
_SHOWN = 50
#: Fewer digits are in too many commits.
_ABBREVIATED = 4
#: What is told of a version's origin. The rest is the database's business.
_ORIGIN = ("kind", "commit", "ref", "subject", "dirty", "reason", "reverts", "forced", "allowed")


class Browser:
    """Looks at restaurants from threads of its own, which the live clients do not wait for."""

    def __init__(self, url: str, kinds: Mapping[str, Kind], clock: Callable[[], datetime]) -> None:
        self._looks = Looks(url, kinds)
        self._kinds = kinds
        self._clock = clock
        self._threads = ThreadPoolExecutor(_LANES, thread_name_prefix="look")
        self._waiting = 0

    async def state(self, look: Look) -> dict[str, Any]:
        """The restaurant, its active version, and the settings of that one today."""
        return await self._look(look, lambda session, here: self._state(session, look, here))

    async def version(self, look: Look, version: str) -> dict[str, Any]:
        """One version and its settings.

        Raises:
            UsageError: there is no such version.
        """

        def work(session: Session, here: About) -> dict[str, Any]:
            number = _number(session, look, version)
            return self._version(session, look, number, self._day(here))

        return await self._look(look, work)

    async def history(self, look: Look, limit: int) -> dict[str, Any]:
        """The versions, newest first."""
        most = min(limit, _VERSIONS)

        def work(session: Session, _: About) -> dict[str, Any]:
            found = history(session, look.restaurant_id, limit=most + 1)
            return {"versions": [_version_json(one) for one in found[:most]], "more": len(found) > most}

        return await self._look(look, work)

    async def difference(self, look: Look, before: str, after: str) -> dict[str, Any]:
        """What leads from one version to another: numbers, ``active`` or ``previous``.

        Raises:
            UsageError: there is no such version.
        """
        for word in (before, after):
            version_number(word, "previous")

        def work(session: Session, here: About) -> dict[str, Any]:
            found = between(_place(session, look, here), before, after)
            return {**found.to_json(), "kinds": self._cards(look).changes(found.changes)}

        return await self._look(look, work)

    async def log(self, look: Look, wanted: Mapping[str, str]) -> dict[str, Any]:
        """Rows of the audit trail, newest first: with all words of ``search``, below the number ``before``.

        Raises:
            UsageError: there is no such kind or version, or there never was such a setting.
        """
        return await self._look(look, lambda session, here: self._log(session, look, here, wanted))

    async def preview(self, look: Look, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What a browser's export would become, compared with the active version."""

        def work(session: Session, _: About) -> dict[str, Any]:
            active = standing(session, look.restaurant_id).active
            content: Content = {}
            if active is not None:
                content = content_of(version_rows(session, look.restaurant_id, active.number))
            return preview(payload, content, self._cards(look))

        return await self._look(look, work)

    def close(self) -> None:
        """End the threads, and close what they have opened."""
        self._threads.shutdown(cancel_futures=True)
        self._looks.close()

    # --- how it is read --------------------------------------------------------------------------

    async def _look(self, look: Look, work: Callable[[Session, About], T]) -> T:
        if self._waiting >= _LANES + _WAITING:
            raise DatabaseError("too many people look at the same time", "try again in a moment")

        def with_restaurant(session: Session) -> T:
            here = about(session, look.restaurant_id)
            if here is None:
                raise UsageError("there is no such restaurant any more")
            return work(session, here)

        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._threads, self._looks.look, look.restaurant_id, with_restaurant
            )
        finally:
            self._waiting -= 1

    def _cards(self, look: Look) -> Cards:
        return Cards(Phrases(look.language, self._kinds), self._kinds)

    def _day(self, here: About) -> date:
        return today((here.timezone,), self._clock())[0]

    def _state(self, session: Session, look: Look, here: About) -> dict[str, Any]:
        day, active = self._day(here), standing(session, look.restaurant_id).active
        shown: dict[str, Any] = {"version": None, "kinds": []}
        if active is not None:
            shown = self._version(session, look, active.number, day)
        return {
            "restaurant": {
                "id": look.restaurant_id,
                "slug": here.slug,
                "name": here.name,
                "timezone": here.timezone,
            },
            "managed_in": here.managed_in,
            "today": {"date": day.isoformat(), "words": self._cards(look).day(day.isoformat())},
            "tables": [self._cards(look).kind(name) for name in self._kinds],
            **shown,
        }

    def _version(self, session: Session, look: Look, number: int, day: date) -> dict[str, Any]:
        found = one_version(session, look.restaurant_id, number)
        content = content_of(version_rows(session, look.restaurant_id, number))
        return {"version": _version_json(found), "kinds": self._cards(look).settings(content, day)}

    def _log(self, session: Session, look: Look, here: About, wanted: Mapping[str, str]) -> dict[str, Any]:
        words = _folded(wanted.get("search", "")).split()
        limit = min(int(wanted.get("limit", _SHOWN)), _ROWS)
        before = int(wanted["before"]) if "before" in wanted else None
        places = [(here.slug or look.restaurant_id, Actual(look.restaurant_id, here.slug))]
        entries: list[dict[str, Any]] = []
        searched, more = 0, True
        while more and len(entries) < limit and searched < _SEARCHED:
            asked = Wanted(
                kind=wanted.get("kind"),
                key=wanted.get("key"),
                version=wanted.get("version"),
                before=before,
                limit=_BATCH if words else limit,
            )
            (trail,) = trails(session, places, asked)
            searched += len(trail.rows)
            more = trail.more
            for entry in self._entries(trail, look):
                if len(entries) == limit:
                    more = True
                    break
                before = entry["seq"]
                if all(_has(entry, word) for word in words):
                    entries.append(entry)
        for entry in entries:
            del entry["text"]
        return {"entries": entries, "next": before if more else None}

    def _entries(self, trail: Trail, look: Look) -> list[dict[str, Any]]:
        """Rows as documents, each with its words, and with the text in which a search looks."""
        cards = self._cards(look)
        return [
            {**document, "shown": shown, "text": _folded(_text(document, shown))}
            for row, document in zip(trail.rows, trail.to_json()["entries"], strict=True)
            for shown in (cards.row(row),)
        ]


def _text(document: Mapping[str, Any], shown: Mapping[str, Any] | None) -> str:
    """All that people see of a row."""
    version: Mapping[str, Any] = document["version"] or {}
    told: list[Any] = [
        *(document[name] for name in ("author", "reason", "event", "kind", "key", "previous_key")),
        version.get("name"),
        *([shown["title"]] if shown else ()),
    ]
    for field in shown["fields"] if shown else ():
        told += [field["label"], *(field["old"] or ()), *(field["new"] or ())]
    return "\n".join(str(one) for one in told if one)


def _has(entry: Mapping[str, Any], word: str) -> bool:
    """Whether an entry has a word of a search: somewhere, or as the beginning of its commit."""
    commit = entry["commit"] or ""
    return word in entry["text"] or (len(word) >= _ABBREVIATED and commit.startswith(word))


def _folded(text: str) -> str:
    """As searches compare it: full-width letters are letters, capitals do not matter."""
    return unicodedata.normalize("NFKC", text).casefold()


def _number(session: Session, look: Look, version: str) -> int:
    number = version_number(version)
    if number is not None:
        return number
    active = standing(session, look.restaurant_id).active
    if active is None:
        raise UsageError("no version is active")
    return active.number


def _place(session: Session, look: Look, here: About) -> Place:
    def reconnect() -> Session:
        return session

    return Place(session, reconnect, here.slug or look.restaurant_id, look.restaurant_id, Standing())


def _version_json(version: Version) -> dict[str, Any]:
    """A version as clients may see it."""
    source = version.source
    return {
        **version.to_json(),
        "author": author_of(source) or None,
        "source": {name: source[name] for name in _ORIGIN if name in source},
    }
