"""What a plan would bring back of what a switch to an older version took away, and how to keep it away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rowform.ancestry import Named
from rowform.guards import Guard, GuardName
from rowform.plan import Base, RestaurantPlan
from rowform.rollbacks import Field, SwitchBack, brought_back, some
from rowform.sync.commits import History, sha_of
from rowform.text import Plain, Sentence, Several

#: How many commits are named.
_SHOWN = 5
#: A switch back, the values that would come back, and what to revert.
_Taken = tuple[SwitchBack, Sequence[Field], "_Revert"]


@dataclass(frozen=True, slots=True)
class Returning:
    """The guards that fire, what is to be noted, and the commits of the versions that were rolled back."""

    guards: tuple[Guard, ...]
    notes: tuple[Sentence, ...]
    commits: tuple[str | None, ...]


def returning(
    plan: RestaurantPlan, base: Base, switches: Sequence[SwitchBack], history: History | None
) -> Returning:
    """What a restaurant's plan would bring back.

    Args:
        plan: what would be done.
        base: its active version.
        switches: the switches back, newest first.
        history: what Git knows, if it does.

    Raises:
        GitError: Git failed.
    """
    taken: list[_Taken] = []
    seen = set[Field]()
    for switch in switches:
        # What was taken away twice is told of once.
        fields = [f for f in brought_back(plan.changes, plan.actual.former, switch) if f not in seen]
        if fields:
            taken.append((switch, fields, _Revert.of(switch, plan.slug, history)))
            seen.update(fields)
    return Returning(
        tuple(_rolled_back(taken)),
        tuple(_behind(base, taken)),
        tuple(switch.gone.commit for switch, *_ in taken if switch.is_rollback),
    )


@dataclass(frozen=True, slots=True)
class _Revert:
    """What to revert in Git, so that what was taken away stays away.

    ``more`` are earlier commits that are not named. ``beside`` are the directories of others that the ones
    which are named changed as well: a commit is reverted whole.
    """

    commits: Sequence[Named] = ()
    more: int = 0
    beside: Sequence[str] = ()

    @classmethod
    def of(cls, switch: SwitchBack, slug: str, history: History | None) -> _Revert:
        """The commits between the two versions that are about the restaurant, newest first."""
        gone, back = sha_of(switch.gone.commit), sha_of(switch.back_commit)
        if history is None or gone is None or switch.gone.is_dirty or gone == back:
            return cls()
        found = history.between(back, gone, slug)
        named = found[:_SHOWN]
        return cls(named, len(found) - len(named), history.beside(named, slug))

    def told(self) -> Sentence | Plain:
        """The command, whose commits these are, and what else they did."""
        command = Plain(self.command)
        subjects = Several([one.subject for one in self.commits if one.subject])
        told: Sentence | Plain = command
        if self.more:
            told = Sentence(
                "{command} ({subjects}, and {more} earlier ones)",
                command=command,
                subjects=subjects,
                more=self.more,
            )
        elif subjects.parts:
            told = Sentence("{command} ({subjects})", command=command, subjects=subjects)
        if self.beside:
            others = Several.of([Plain(name) for name in self.beside], _SHOWN)
            told = Sentence(
                "{revert}, which takes back their changes to {others} too", revert=told, others=others
            )
        return told

    @property
    def command(self) -> str:
        return f"git revert {' '.join(one.short for one in self.commits)}"


def _rolled_back(taken: Sequence[_Taken]) -> Iterator[Guard]:
    for switch, fields, revert in taken:
        if not switch.is_rollback:
            continue
        gone, named = switch.gone, some(fields)
        if revert.commits:
            reason = Sentence(
                "version {number} {name} was rolled back, and would come back in part or whole: {fields};"
                " revert it first: {revert}",
                number=gone.number,
                name=gone.name,
                fields=named,
                revert=revert.told(),
            )
            yield Guard(GuardName.ROLLED_BACK, reason, f"`{revert.command}` keeps away what was rolled back")
        else:
            reason = Sentence(
                "version {number} {name} was rolled back, and would come back in part or whole: {fields}",
                number=gone.number,
                name=gone.name,
                fields=named,
            )
            yield Guard(GuardName.ROLLED_BACK, reason)


def _behind(base: Base, taken: Sequence[_Taken]) -> Iterator[Sentence]:
    for switch, _, revert in taken:
        yield Sentence(
            "version {number} is active and behind Git: {what}; {way}"
            if switch.gone.kind == "git"
            else "version {number} is active and behind the configuration: {what}; {way}",
            number=base.version_number,
            what=switch.told(),
            way=_way(switch, revert),
        )


def _way(switch: SwitchBack, revert: _Revert) -> Sentence:
    """How to keep a switch back in Git as well."""
    if revert.commits:
        return Sentence("to keep it that way revert: {revert}", revert=revert.told())
    if switch.gone.is_dirty:
        return Sentence("it was made from uncommitted changes, so that there is no commit to revert")
    if switch.gone.kind != "git":
        return Sentence("it does not come from Git, so that there is no commit to revert")
    return Sentence("no commit is known to revert")
