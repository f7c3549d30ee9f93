"""Plans and differences as Markdown for a comment on a pull request, for people who read no code.

Every value stands in code (see :mod:`rowform.render.inert`). What does not fit in a comment is left out from
the least important on, and counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby

from rowform.diff import Action, Change
from rowform.drift import ABSENT, Drift, Nothing
from rowform.guards import Allowed, Guard, GuardName
from rowform.kinds import Kind
from rowform.kinds.facts import Language
from rowform.plan import Plan, RestaurantPlan
from rowform.render.change_words import in_detail, in_words
from rowform.render.fitting import Item, Rank, Section, fitted
from rowform.render.inert import span
from rowform.render.phrases import Phrases

#: A comment on GitHub may have this many characters. Bytes are never fewer, and are what others count.
LIMIT = 65_536
#: The first line, by which a workflow finds the comment that it is to update.
MARKER = "<!-- rowform-plan -->"
#: What the last line begins with; JSON with the digests follows.
DIGEST = "<!-- rowform-plan-digest"
#: How much of a comment the digests of single restaurants may take.
_DIGESTS = 8_192
#: How many restaurants without changes are named before anything else is.
_UNCHANGED = 100
#: What a link leads to: nothing else that an environment may hold.
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/-]*)?")


def plan_markdown(plan: Plan, kinds: Mapping[str, Kind], language: Language) -> str:
    """A whole plan, with a first line to find it by and its digests in the last one."""
    phrases = Phrases(language, kinds)
    changed = [one for one in plan.restaurants if _is_shown(one)]
    parts: list[Item | Section] = [
        Item(f"> {phrases.sentence(note)}\n\n", Rank.REMARK, "remark") for note in plan.notes
    ]
    if len(changed) > 1:
        parts.append(_overview(changed, phrases))
    parts.extend(_restaurant(one, plan, kinds, phrases) for one in changed)
    parts.append(_unchanged([one for one in plan.restaurants if not _is_shown(one)], phrases))
    title = _title(plan, phrases)
    return _page(title, parts, plan.source.get("ci_run"), phrases, digests=digests_line(plan), marker=MARKER)


def diff_markdown(
    name: str,
    sides: Sequence[tuple[int, str | None] | None],
    changes: Sequence[Change],
    kinds: Mapping[str, Kind],
    language: Language,
) -> str:
    """What leads from one side to the other.

    Args:
        name: the restaurant.
        sides: versions by number and name, or ``None`` for the configuration.
        changes: the differences.
        kinds: all kinds.
        language: that of the words.
    """
    phrases = Phrases(language, kinds)
    shown = [
        phrases.say("version {number} {name}", number=side[0], name=span(side[1] or ""))
        if side
        else phrases.say("the configuration")
        for side in sides
    ]
    counts = _counts(changes, phrases, "{create} added, {update} changed, {delete} deleted")
    said = counts if changes else phrases.say("No differences.")
    title = f"## {span(name)}: {' → '.join(shown)}\n\n{said}\n\n"
    return _page(title, list(_changes(changes, kinds, phrases, lambda _: ())), None, phrases)


def digests_line(plan: Plan) -> str:
    """What the plan would do as digests, in a comment that nobody sees: of all, and of each restaurant."""
    each = {one.slug: one.changes_digest() for one in plan.restaurants if one.has_changes}
    whole = sha256("".join(f"{slug}\n{digest}\n" for slug, digest in each.items()).encode()).hexdigest()
    found: dict[str, object] = {"plan": f"sha256:{whole}", "restaurants": each}
    line = _hidden(found)
    return line if len(line) <= _DIGESTS else _hidden({**found, "restaurants": None})


def _hidden(found: Mapping[str, object]) -> str:
    text = json.dumps(found, separators=(",", ":"))
    # Nothing in it may end the comment; in JSON these are the same.
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return f"{DIGEST} {text.replace('--', '-' + chr(92) + 'u002d')} -->\n"


# --- the page ------------------------------------------------------------------------------------


def _page(
    title: str,
    parts: Sequence[Item | Section],
    run: object,
    phrases: Phrases,
    *,
    digests: str = "",
    marker: str = "",
) -> str:
    head = f"{marker}\n{title}" if marker else title
    rest = "restaurant without changes"
    nouns = ("restaurant", "deletion", "change", "detail", "remark", rest)
    longest = _left_out(Counter(dict.fromkeys(nouns, 99_999_999)), run, phrases)
    room = LIMIT - sum(len(text.encode()) for text in (head, longest, digests))
    body, left_out = fitted(Section(parts=parts), room)
    return f"{head}{body}{_left_out(left_out, run, phrases)}{digests}".rstrip("\n")


def _left_out(left_out: Counter[str], run: object, phrases: Phrases) -> str:
    if not left_out:
        return ""
    what = phrases.comma.join(phrases.count(number, noun) for noun, number in left_out.items())
    where = span("rowform plan")
    if isinstance(run, str) and _URL.fullmatch(run):
        where = f"[{phrases.say('the log of the run')}]({run}){phrases.comma}{where}"
    said = phrases.say("Not shown here, because a comment may not be longer: {what}.", what=what)
    return f"---\n\n{said} {phrases.say('The whole plan: {where}', where=where)}\n\n"


def _is_shown(one: RestaurantPlan) -> bool:
    return bool(one.has_changes or one.blocked or one.allowed or one.notes)


def _title(plan: Plan, phrases: Phrases) -> str:
    title = f"## {phrases.say('Changes to settings')}"
    if plan.target:
        title += f" ({span(plan.target)})"
    said = phrases.say("No changes. Settings match the configuration.")
    if plan.has_changes:
        changes = [change for one in plan.restaurants for change in one.changes]
        said = f"**{_counts(changes, phrases)}**"
    lines = [title, said]
    blocked = [one for one in plan.restaurants if one.blocked]
    if blocked:
        names = [
            f"{_name(one)} ({phrases.comma.join(_guard_names(one.blocked))})" for one in blocked[:_UNCHANGED]
        ]
        more = len(blocked) - len(names)
        names += [phrases.say("{more} more", more=more)] if more else []
        lines.append(f"> [!CAUTION]\n> **BLOCKED:** {phrases.comma.join(names)}")
    return "".join(f"{line}\n\n" for line in lines)


def _guard_names(guards: Iterable[Guard]) -> list[str]:
    return list(dict.fromkeys(span(guard.name) for guard in guards))


def _counts(
    changes: Sequence[Change],
    phrases: Phrases,
    phrase: str = "{create} to add, {update} to change, {delete} to delete",
) -> str:
    counts = Counter(change.action for change in changes)
    return phrases.say(phrase, **{action.value: counts[action] for action in Action})


def _name(one: RestaurantPlan) -> str:
    name, slug = one.restaurant.name, one.slug
    return span(name) if name.casefold() == slug.casefold() else f"{span(name)} ({span(slug)})"


def _overview(changed: Sequence[RestaurantPlan], phrases: Phrases) -> Section:
    lines = (f"- {_name(one)}: {_counts(one.changes, phrases)}\n" for one in changed)
    return Section(
        tail="\n",
        parts=[Item(line, Rank.NAME, "restaurant") for line in lines],
        more=lambda number: f"- {phrases.say('… and {more} more', more=number)}\n",
    )


def _unchanged(rest: Sequence[RestaurantPlan], phrases: Phrases) -> Section:
    items: list[Item] = []
    for index, one in enumerate(rest):
        rank = Rank.NAME if index < _UNCHANGED else Rank.REST
        comma = phrases.comma if index else ""
        items.append(Item(f"{comma}{_name(one)}", rank, "restaurant without changes"))
    return Section(
        head=phrases.say("Without changes: "),
        tail="\n\n",
        parts=items,
        more=lambda number: f" {phrases.say('… and {more} more', more=number)}",
    )


# --- one restaurant ------------------------------------------------------------------------------


def _restaurant(one: RestaurantPlan, plan: Plan, kinds: Mapping[str, Kind], phrases: Phrases) -> Section:
    facts = [_state(one, plan, phrases), _counts(one.changes, phrases)]
    if one.unchanged:
        facts.append(phrases.say("{unchanged} stay as they are", unchanged=one.unchanged))
    state = Item(f"{phrases.semicolon.join(facts)}\n\n", Rank.NAME)
    parts: list[Item | Section] = [state, *_remarks(one, kinds, phrases)]
    mine, pending = one.parts()
    headings = ("", "")
    if plan.since:
        headings = (
            phrases.say("Changed since {rev}", rev=span(plan.since.rev)),
            phrases.say("Pending already, and applied with it"),
        )
    for heading, changes in zip(headings, (mine, pending), strict=True):
        inside = list(_changes(changes, kinds, phrases, one.overwritten_by))
        parts.append(Section(head=f"#### {heading}\n\n" if heading else "", parts=inside))
    return Section(head=f"### {_name(one)}\n\n", parts=parts)


def _state(one: RestaurantPlan, plan: Plan, phrases: Phrases) -> str:
    base = one.base
    if plan.against:
        return phrases.say("Compared with {rev}", rev=span(plan.against.rev))
    if one.creates_restaurant:
        return phrases.say("New restaurant, time zone {zone}", zone=span(one.restaurant.timezone))
    if base is None:
        return phrases.say("No version is active") if one.actual.newest else phrases.say("No version yet")
    locked = f" ({phrases.say('locked')})" if base.is_locked else ""
    return f"{phrases.say('Version {number} is active', number=base.version_number)}{locked}"


def _changes(
    changes: Sequence[Change],
    kinds: Mapping[str, Kind],
    phrases: Phrases,
    overwritten_by: Callable[[Change], Sequence[Drift]],
) -> Iterator[Section]:
    """In words first, kind by kind; then leaf by leaf."""
    groups = [(kinds[name], list(group)) for name, group in groupby(changes, key=lambda change: change.kind)]
    for kind, group in groups:
        yield in_words(group, kind, phrases, overwritten_by)
    for kind, group in groups:
        yield in_detail(group, kind, phrases)


def _remarks(one: RestaurantPlan, kinds: Mapping[str, Kind], phrases: Phrases) -> Iterator[Section]:
    """What to look at before anything else: guards, what would be lost, what leads nowhere."""
    yield _alert("CAUTION", [_blocked(guard, phrases) for guard in one.blocked], phrases, Rank.GUARD)
    drift = [_drift(found, kinds[found.kind], phrases) for found in one.drift if found.kind in kinds]
    if drift:
        drift.insert(0, f"**{phrases.say('Written directly into the database, and overwritten by this')}**")
    warnings = [*(_allowed(found, phrases) for found in one.allowed), *map(phrases.sentence, one.warnings)]
    yield _alert("WARNING", [*drift, *warnings], phrases, Rank.REMARK)
    yield _alert("NOTE", [phrases.sentence(note) for note in one.notes], phrases, Rank.REMARK)


def _alert(name: str, lines: Iterable[str], phrases: Phrases, rank: Rank) -> Section:
    return Section(
        head=f"> [!{name}]\n",
        tail="\n",
        parts=[Item(f"> - {line}\n", rank, "remark") for line in lines],
        more=lambda number: f"> - {phrases.say('… and {more} more', more=number)}\n",
    )


def _blocked(guard: Guard, phrases: Phrases) -> str:
    way = phrases.say("nothing overrules it")
    if guard.name.forceable:
        way = phrases.say("{flag} overrules it", flag=span(f"--force {guard.name}"))
    reason = _reason(guard, phrases)
    said = f": {reason}" if reason else ""
    return f"**BLOCKED:** {span(guard.name)}: {phrases.guard(guard.name)}{said}{phrases.stop}{way}"


def _reason(guard: Guard, phrases: Phrases) -> str:
    # Direct writes are told one by one.
    return "" if guard.name is GuardName.DRIFT else phrases.sentence(guard.reason)


def _allowed(found: Allowed, phrases: Phrases) -> str:
    who = found.author.partition(" <")[0]
    consent = phrases.say("consent by {who} in {commit}", who=span(who), commit=span(found.commit[:7]))
    guard = found.guard
    reason = _reason(guard, phrases) or phrases.guard(guard.name)
    return f"**ALLOWED:** {span(guard.name)}: {reason}{phrases.stop}{consent}"


def _drift(found: Drift, kind: Kind, phrases: Phrases) -> str:
    noun, key = phrases.noun(kind), span(found.key)
    if not found.path:
        if found.active is ABSENT:
            return phrases.say("{noun} {key} was deleted there and would be made again", noun=noun, key=key)
        return phrases.say("{noun} {key} was made there and would be deleted", noun=noun, key=key)
    git, active, desired = (
        phrases.say("not set") if isinstance(value, Nothing) else phrases.value(kind, found.path, value)
        for value in (found.git, found.active, found.desired)
    )
    return phrases.say(
        "{noun} {key}, {field}: {git} became {active}, and would be {desired}",
        noun=noun,
        key=key,
        field=phrases.field(kind, found.path),
        git=git,
        active=active,
        desired=desired,
    )
