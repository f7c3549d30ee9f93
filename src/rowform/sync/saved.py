"""Saved plans: writing them to files, reading them, and making sure that one may still be applied.

What is applied is never taken from the file. The plan is made afresh, and has to be the same.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rowform import __version__, planfile
from rowform.errors import AppliedAlready, ConfigChanged, OtherDatabase, RowformError, StalePlan, UsageError
from rowform.kinds import kinds
from rowform.plan import Plan, RestaurantPlan
from rowform.planfile import SavedPlan
from rowform.state import Restaurant, State
from rowform.sync.configuration import Settings
from rowform.sync.planning import Planned, planned
from rowform.sync.since import moved, told, versions_since
from rowform.text import Plain, Several, count, escape, quote

if TYPE_CHECKING:
    from rowform.store.read import Version
    from rowform.store.session import Session

#: More than the plan of a hundred thousand settings takes.
MAX_BYTES = 256 * 1024 * 1024
#: The member of a version's source that says which saved plan made it, by its checksum.
_PLAN = "plan"
#: How many restaurants an error tells about.
_SHOWN = 5
_AGAIN = "plan again, and look at what is different"


# --- files ---------------------------------------------------------------------------------------


def check_path(name: str) -> None:
    """Make sure that a plan can be saved under a name, before the work of planning.

    Raises:
        UsageError: it cannot.
    """
    if name == "-":
        raise UsageError("a plan is saved in a file, not on stdout", "`--format json` prints it")
    try:
        mode = Path(name).stat().st_mode if name else stat.S_IFDIR
    except FileNotFoundError:
        mode = stat.S_IFREG
    except OSError as error:
        raise UsageError(f"cannot save the plan: {escape(name)}: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise UsageError(f"cannot save the plan: {quote(name)} is no regular file")
    if not Path(name).resolve().parent.is_dir():
        raise UsageError(f"cannot save the plan: the directory of {escape(name)} does not exist")


def save_plan(plan: Plan, name: str) -> None:
    """Save a plan: the whole file or nothing, and for its owner's eyes only.

    Raises:
        UsageError: the name is not one of a file.
        RowformError: the plan is too large, or the file cannot be written.
    """
    check_path(name)
    data = planfile.save(plan, datetime.now(UTC).replace(microsecond=0))
    if len(data) > MAX_BYTES:
        raise RowformError(
            f"cannot save the plan: it has {len(data):,} bytes; the limit is {MAX_BYTES:,}",
            "save one for each restaurant with -r",
        )
    # A link stays, and what it leads to is replaced.
    path = Path(name).resolve()
    try:
        # Made with mode 0600.
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise RowformError(f"cannot save the plan: {escape(name)}: {error.strerror}") from error


def read_plan(name: str) -> SavedPlan:
    """Read a saved plan.

    Raises:
        UsageError: there is no such file, or it cannot be a plan.
        UnusablePlan: it is no saved plan, or not as it was saved.
    """
    shown = escape(name)
    try:
        # Never block on a FIFO.
        handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as stream:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"cannot read the plan: {shown} is no regular file")
            if status.st_size > MAX_BYTES:
                size = f"it has {status.st_size:,} bytes; the limit is {MAX_BYTES:,}"
                raise UsageError(f"cannot read the plan {shown}: {size}")
            # One byte more than it had shows a file that is still being written: it is no JSON then.
            data = stream.read(status.st_size + 1)
    except OSError as error:
        raise UsageError(f"cannot read the plan {shown}: {error.strerror}") from error
    return planfile.load(data, name, kinds())


# --- planning again ------------------------------------------------------------------------------


#: A restaurant's plan as the file has it, and as it comes out now.
_Pair = tuple[RestaurantPlan, RestaurantPlan]


@contextmanager
def planned_again(settings: Settings, name: str) -> Generator[Planned]:
    """Plan what a saved plan planned, and make sure that it is the same; the database stays connected.

    Its restaurants alone are looked at. The plan's ``source`` has the file's checksum as ``plan``, so that
    the versions that come of it tell which plan made them.

    Raises:
        UsageError: there is no such file.
        UnusablePlan: it is no saved plan, or not as it was saved.
        OtherDatabase: the plan is for another database, or another target.
        AppliedAlready: the plan's versions are there.
        ConfigChanged: the configuration wants something else now.
        StalePlan: the database has something else now.
    """
    saved = read_plan(name)

    def choose(state: State) -> list[Restaurant]:
        return _restaurants(saved, state)

    def accept(database_id: str, target: str | None) -> None:
        _check_database(saved, database_id, target)

    with planned(settings, choose=choose, accept=accept) as work:
        _check_same(work.session, saved, work.plan, name)
        source = {**work.plan.source, _PLAN: saved.checksum}
        yield replace(work, plan=replace(work.plan, source=source))


def _restaurants(saved: SavedPlan, state: State) -> list[Restaurant]:
    """The plan's restaurants as the configuration has them now. A plan of none is one of none, not of all."""
    found: list[Restaurant] = []
    for one in saved.plan.restaurants:
        here = state.restaurants.get(one.slug)
        if here is None or here.id != one.restaurant.id:
            why = "is not in it any more" if here is None else "has another id in it"
            raise ConfigChanged(
                f"the configuration has changed since the plan was saved: {escape(one.slug)} {why}", _AGAIN
            )
        found.append(here)
    return found


def _check_database(saved: SavedPlan, database_id: str, target: str | None) -> None:
    then = saved.plan
    hint = "--target, --database-url and the environment choose the database"
    if then.database_id != database_id:
        was = f"{escape(str(then.database_id))}{f' (target {escape(then.target)})' if then.target else ''}"
        raise OtherDatabase(f"the plan is for the database {was}, and this one is {database_id}", hint)
    if then.target != target:
        was, now = (f"target {escape(one)}" if one else "no target" for one in (then.target, target))
        raise OtherDatabase(f"the plan was made with {was}, and this is {now}", hint)


def _check_same(session: Session, saved: SavedPlan, now: Plan, name: str) -> None:
    """Make sure that what was planned again is the file's plan; else say why not."""
    fresh = {one.slug: one for one in now.restaurants}
    pairs: list[_Pair] = [(one, fresh[one.slug]) for one in saved.plan.restaurants]
    stale = [pair for pair in pairs if moved(*pair)]
    since = {pair[0].slug: versions_since(session, *pair) for pair in stale}
    made = [
        (slug, version)
        for slug, versions in since.items()
        for version in versions
        if version.source.get(_PLAN) == saved.checksum
    ]
    if made:
        raise _done_already(name, made)
    edited = [one.slug for one, again in pairs if _wants_something_else(saved, one, again)]
    if edited:
        raise ConfigChanged(
            f"the configuration of {_some(edited)} has changed since the plan was saved", _AGAIN
        )
    if stale:
        sentences = [told(session, *pair, since[pair[0].slug]) for pair in stale[:_SHOWN]]
        more = len(stale) - _SHOWN
        others = [f"{count(more, 'more restaurant')} changed as well"] if more > 0 else []
        raise StalePlan(f"the plan is stale: {'; '.join([*sentences, *others])}", _AGAIN)
    differ = [one.slug for one, again in pairs if not planfile.same_changes(one, again)]
    if differ:
        raise StalePlan(
            f"planned again, {_some(differ)} would get other changes than those in {escape(name)}:"
            f" rowform {escape(saved.tool_version)} made it, and this is {__version__}",
            _AGAIN,
        )


def _done_already(name: str, made: Sequence[tuple[str, Version]]) -> AppliedAlready:
    """What to say of a plan that has made versions, of which some may wait for their activation."""
    staged = [(slug, version) for slug, version in made if version.state == "staged"]
    done = "staged" if len(staged) == len(made) else "applied"
    ways = [f"`rowform activate {version.number} -r {slug}`" for slug, version in staged]
    hint = f"what is staged waits for {_some(ways)}" if ways else _AGAIN
    versions = _some([f"version {version.number} of {slug}" for slug, version in made])
    return AppliedAlready(f"{escape(name)} was {done} already: it made {versions}", hint)


def _wants_something_else(saved: SavedPlan, then: RestaurantPlan, now: RestaurantPlan) -> bool:
    if saved.digests[then.slug] != now.desired_digest():
        return True
    # The row of a restaurant that exists is left alone.
    before, after = then.restaurant, now.restaurant
    return then.creates_restaurant and (before.name, before.timezone) != (after.name, after.timezone)


def _some(words: Sequence[str]) -> str:
    return str(Several.of([Plain(word) for word in words], _SHOWN))
