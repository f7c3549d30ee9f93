"""Plans as Markdown: in words, in two languages, inert, and never longer than a comment may be."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import rowform
from rowform.diff import Action
from rowform.drift import ABSENT, Drift
from rowform.guards import Allowed, Guard, GuardName, Thresholds, overwriting
from rowform.kinds import Kind, Setting, kinds
from rowform.kinds.base import Flag, Key
from rowform.kinds.facts import Language, spaced
from rowform.plan import Plan, RestaurantPlan
from rowform.planner import make_plan, plan_restaurant
from rowform.render.markdown import DIGEST, LIMIT, MARKER, diff_markdown, digests_line, plan_markdown
from rowform.render.phrases import Phrases
from rowform.render.translations import JAPANESE, JAPANESE_GUARDS, JAPANESE_SENTENCES
from rowform.split import Point, Split
from rowform.state import Restaurant
from rowform.text import Code, Plain, Sentence, Several, Told, Verbatim, Word, escape
from tests.support.builders import actual, group, nothing, plan_of, restaurant, setting
from tests.support.golden import check_golden
from tests.unit.test_plan_text import CASES as TEXT_CASES

SOURCES = Path(rowform.__file__).parent
GOLDEN = Path(__file__).parents[1] / "golden" / "markdown"
LANGUAGES = get_args(Language)
NOW = datetime(2026, 11, 23, 20, tzinfo=UTC)


def remarkable() -> Plan:
    """Everything that there is to point out."""
    limit = {"shiftType": "off", "maxCount": 3, "daysOfWeek": [0, 6], "scope": "individual"}
    before = [
        setting("monthly_limits", "Off days", limit_config={"limitType": "max_off_days", "maxCount": 8}),
        setting("daily_limits", "Weekend", limit_config=limit, is_hard_constraint=True),
        group("Kitchen", group_config={"members": ["井関", "Ann"]}),
    ]
    after = [
        setting("monthly_limits", "Off days", line=3, limit_config={"limitType": "max_leave_days"}),
        setting("daily_limits", "Weekend", line=9, limit_config={**limit, "maxCount": 2, "minimumStaff": 4}),
        setting("daily_limits", "Summer", line=12, effective_from="2027-06-02", penalty_weight=None),
        setting("daily_limits", "Winter", line=15, effective_until="2026-03-31", is_active=True),
        setting(
            "priority_rules", "R", line=20, rule_definition={"staffId": "Bob", "ruleType": "required_off"}
        ),
        group("Kitchen", line=25, color="#3B82F6", group_config={"members": ["井関"]}),
    ]
    found = plan_restaurant(restaurant(*after), actual(*before), kinds(), Thresholds(), NOW)
    drift = (
        Drift("daily_limits", "Weekend", ("limit_config", "maxCount"), 4, 3, 2),
        Drift("daily_limits", "Weekend", ("is_hard_constraint",), False, True, False),
        Drift("daily_limits", "Gone", (), {}, ABSENT, {}),
        Drift("staff_groups", "Kitchen", ("group_config", "note"), ABSENT, "x", ABSENT),
    )
    blocked = (
        *overwriting(drift),
        Guard(GuardName.OLDER, Sentence("the commit that is checked out, {here}, is older", here=Plain("1"))),
    )
    allowed = (
        Allowed(Guard(GuardName.THRESHOLD, Verbatim("too much")), "0123456789", "Aiko Sato <a@example.com>"),
    )
    split = Split(frozenset({("monthly_limits", "Off days")}), {})
    one = dataclasses.replace(found, blocked=blocked, allowed=allowed, drift=drift, split=split)
    return Plan("db", "staging", {"kind": "git"}, (one,), since=Point("main", "0" * 40, "0000000"))


CASES: dict[str, Callable[[], Plan]] = {**TEXT_CASES, "remarkable": remarkable}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CASES)
def test_golden(name: str, language: Language) -> None:
    page = plan_markdown(CASES[name](), kinds(), language)
    check_golden(GOLDEN / language / f"{name}.md", f"{page}\n")
    assert page.startswith(f"{MARKER}\n")
    assert page.splitlines()[-1].startswith(DIGEST)


def test_no_golden_file_is_left_over() -> None:
    there = {str(file.relative_to(GOLDEN)) for file in GOLDEN.rglob("*.md")}
    assert there == {f"{language}/{name}.md" for language in LANGUAGES for name in CASES}


# --- in words ------------------------------------------------------------------------------------


def summary(page: str) -> str:
    """What a manager reads: not what is folded away, nor what nobody sees."""
    return re.sub(r"<details>.*?</details>|<!--.*?-->", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_has_no_names_of_programs_and_no_json(language: Language) -> None:
    said = summary(plan_markdown(remarkable(), kinds(), language))
    assert not re.search(r"[a-z]_[a-z]|[a-z][A-Z]|[{}]", said)
    assert "Weekend" in said


def test_japanese_has_a_word_for_everything() -> None:
    said = summary(plan_markdown(remarkable(), kinds(), "ja"))
    # Outside of code there is no English but the guards' names.
    words = set(re.findall(r"[A-Za-z]{2,}", re.sub(r"(`+).*?\1", "", said)))
    assert words <= {"BLOCKED", "ALLOWED", "CAUTION", "WARNING", "NOTE", "Git"}
    assert set(JAPANESE_GUARDS) == set(GuardName)
    for english, japanese in {**JAPANESE, **JAPANESE_SENTENCES}.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", japanese))
        # Two code spans side by side would become one.
        assert "}{" not in english
        assert "}{" not in japanese
    for kind in kinds().values():
        assert re.search(r"[^\x00-\xff]", Phrases("ja", kinds()).title(kind))
        for column in kind.columns:
            assert re.search(r"[^\x00-\xff]", Phrases("ja", kinds()).field(kind, (column.name,)))


def test_japanese_has_every_sentence() -> None:
    """Each template stands in the call, where it can be found."""
    templates: list[Any] = []
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence":
                first = node.args[0]
                choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
                templates += [ast.literal_eval(one) for one in choices]
    assert set(templates) == set(JAPANESE_SENTENCES)


def test_nothing_but_sentences_is_said() -> None:
    """What has no parts to translate cannot get into a plan: the type checkers see to the rest."""
    for model, name in ((Plan, "notes"), (RestaurantPlan, "notes"), (RestaurantPlan, "warnings")):
        assert model.__annotations__[name] == "tuple[Told, ...]"
    assert Guard.__annotations__["reason"] == "Told"
    assert Point.__annotations__["remark"] == "Sentence | None"
    assert Told == Sentence | Verbatim


class _WeeklyLimit(Setting):
    table = "weekly_hour_limits"
    name: Key
    is_strict: Flag = False


def test_a_kind_of_a_teams_own_is_called_by_its_name() -> None:
    kind = Kind(_WeeklyLimit)
    for language in LANGUAGES:
        phrases = Phrases(language, {kind.name: kind})
        assert (phrases.title(kind), phrases.noun(kind)) == ("weekly hour limits", "weekly hour limits")
        assert phrases.field(kind, ("is_strict",)) == "is strict"
    assert spaced("maxHTTPCount") == "max HTTP count"
    assert spaced("penaltyWeight2") == "penalty weight2"
    assert spaced("_") == "_"


def test_the_digest_is_about_what_is_done_and_nothing_else() -> None:
    def line(*entries: Any, there: Any = (), name: str = "Sakura", **more: Any) -> str:
        wanted = dataclasses.replace(restaurant(*entries), name=name)
        found = dataclasses.replace(actual(*there), **more) if there is not None else nothing()
        return digests_line(plan_of(wanted, found))

    assert line(group("A", line=1)) == line(group("A", line=9))
    assert line(group("A")) == line(group("A"), newest=9, timezone="UTC")
    assert line(group("A")) == line(group("A"), name="Other")
    assert line(group("A"), there=None) != line(group("A"), there=None, name="Other")
    different = [
        line(group("A")),
        line(group("B")),
        line(group("A", color="#fff")),
        line(group("A"), there=[group("A", color="#fff")]),
        line(group("A"), there=[group("B")]),
        line(there=[group("A")]),
        line(group("A"), there=None),
        line(),
    ]
    assert len(set(different)) == len(different)


def test_the_digests_are_json_in_a_comment_that_nothing_ends() -> None:
    one = dataclasses.replace(restaurant(group("A")), slug="a--><b>--b")
    line = digests_line(plan_of(one, actual()))
    assert line.count("-->") == 1
    assert line.count("--") == 2
    document = json.loads(line.removeprefix(DIGEST).strip().removesuffix("-->"))
    assert list(document["restaurants"]) == ["a--><b>--b"]


# --- inert ---------------------------------------------------------------------------------------

# fmt: off
HOSTILE = (
    "`", "``` ", "```\n# H", "~~~", "|", "a|b", "<img src=x onerror=alert(1)>", "</details>", "<!--", "-->",
    "@team", "@org/team", "#123", "org/repo#1", "GH-1", "[x](https://evil.example)", "![x](//evil.example/a)",
    "https://evil.example", "www.evil.example", "a@evil.example", "<https://evil.example>", "[x]: /evil",
    "**bold**", "__b__", "_i_", "~~s~~", "> q", "# h", "- [ ] t", "1. x", "&amp;", "&#64;team", "&lt;b&gt;",
    "\\", " ", "  pad  ", "", "a\nb", "\r\n\r\n", "\x1b[31m", "\u202e", "$x$", "$$", ":tada:",
    "%0A::error::x", "::set-output name=a::b", "##[error]x", "##vso[task.x]y",
    "0123456789abcdef0123456789abcdef01234567",
    "```diff", "````", "<details>", "<!-- rowform-plan -->", "{x}", "{0}", "%s", "{{", "`a` `b`", "x`", "`x",
    "\ud800", "]]>", "[^1]", "\\`",
)
# fmt: on
TEXT = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), min_size=1, max_size=4).map("".join)
#: No database has these with surrogates.
KEYS = TEXT.map(lambda text: text.replace("\ud800", "")).filter(str.strip)


def parsed(page: str) -> list[Token]:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).enable("table").parse(page)
    return list(_flat(tokens))


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


_OWN_HTML = re.compile(
    r"<!-- rowform-plan -->|<!-- rowform-plan-digest [^<>&]*? -->|</details>"
    r"|(<details>)?<summary>\w[^<>&@#`*\[\]]*</summary>"
)
#: What is still looked for in text: mentions, references, addresses, emoji, formulas.
_LIVE = re.compile(r"[@#$<>|~*\[\]\\]|:\w+:|https?:|www\.|\b[0-9a-f]{7,}\b")


def check_inert(page: str, values: list[str]) -> None:
    """Nothing but our own words and tags is outside of code, and the values are inside."""
    assert len(page) <= LIMIT
    code: list[str] = []
    for token in parsed(page):
        assert token.type not in {
            "link_open",
            "image",
            "html_inline",
            "table_open",
            "s_open",
            "hardbreak",
            "em_open",
        }
        if token.type == "html_block":
            rest = _OWN_HTML.sub("", token.content).strip()
            assert rest == "", rest
        elif token.type in ("code_inline", "fence"):
            code.append(token.content)
            assert token.type == "code_inline" or token.info == "diff"
        elif token.type == "text":
            assert not _LIVE.search(re.sub(r"^\[!(CAUTION|WARNING|NOTE)\]", "", token.content)), token.content
        assert token.type != "code_block"
    everything = "\n".join(code)
    for value in values:
        assert escape(value).strip(" ") in everything


@settings(max_examples=60)
@given(KEYS, KEYS, TEXT, KEYS, TEXT, st.sampled_from(LANGUAGES))
def test_no_value_does_anything(
    key: str, former: str, text: str, member: str, name: str, language: Language
) -> None:
    values = {"description": text, "group_config": {member: text, "members": [text, member]}}
    wanted = restaurant(
        group(key, [former], line=3, **values),
        setting("priority_rules", key, rule_definition={"staffId": member, "groupId": text}),
        setting("monthly_limits", key, limit_config={"limitType": text, "nested": [{member: [text]}]}),
    )
    wanted = dataclasses.replace(wanted, name=name or "x")
    there = dataclasses.replace(actual(group(former), group("gone" + key)), name=text, slug=text)
    found = plan_restaurant(wanted, there, kinds(), Thresholds(), NOW)
    drift = (
        Drift("staff_groups", key, ("group_config", member), text, {member: text}, [text]),
        Drift("staff_groups", text, (), 1, 2, 3),
    )
    told = Sentence(
        "{trailer} in {commit} names {name}, which is no guard: did you mean {guess}?",
        trailer=Plain(text),
        commit=Several((Plain(member), text, Sentence("{kind} {key}", kind=Word(key), key=former)), 7),
        name=text,
        guess=Code(key),
    )
    guards = tuple(Guard(name, told) for name in GuardName)
    allowed = (Allowed(Guard(GuardName.OLDER, Verbatim(text)), text, text),)
    one = dataclasses.replace(found, blocked=guards, allowed=allowed, drift=drift)
    plan = Plan("db", text, {"ci_run": text}, (one,), (Verbatim(text), told), since=Point(text, text, text))
    check_inert(plan_markdown(plan, kinds(), language), [key, member, name or "x", "gone" + key])
    # The leaves are told exactly: what is quoted in JSON is there as such.
    page = plan_markdown(plan, kinds(), language)
    assert MARKER not in page.removeprefix(MARKER) or MARKER in text + key + member + former + name
    sides = ((1, text), None)
    check_inert(diff_markdown(name or "x", sides, one.changes, kinds(), language), [key, member, text])


def test_of_two_kinds_with_one_key_only_what_overwrites_is_marked() -> None:
    there = actual(group("A", color="#111111"), setting("daily_limits", "A", penalty_weight=5))
    wanted = restaurant(group("A", color="#222222"), setting("daily_limits", "A", penalty_weight=6))
    found = plan_restaurant(wanted, there, kinds(), Thresholds(), NOW)
    drift = (Drift("daily_limits", "A", ("penalty_weight",), 4, 5, 6),)
    page = plan_markdown(Plan("db", None, {}, (dataclasses.replace(found, drift=drift),)), kinds(), "en")
    (marked,) = [line for line in page.splitlines() if "overwrites a direct write" in line]
    assert "penalty" in marked


# --- no longer than a comment --------------------------------------------------------------------


def many(restaurants: int, changes: int, deletions: int, text: str = "x") -> Plan:
    def wanted(number: int) -> Restaurant:
        entries = (group(f"New {index} {text}", line=1, description=text * 20) for index in range(changes))
        slug = f"r{number}"
        return dataclasses.replace(restaurant(*entries, slug=slug), id=f"{number}", name=f"{text} {number}")

    there = actual(*(group(f"Old {index} {text}") for index in range(deletions)))
    return make_plan(
        [wanted(number) for number in range(restaurants)],
        lambda one: dataclasses.replace(there, restaurant_id=one.id, slug=one.slug),
        kinds(),
        Thresholds(),
        database_id="db",
        target=None,
        source={"ci_run": "https://github.com/a/b/actions/runs/1"},
    )


@pytest.mark.parametrize(
    ("shape", "text", "language"),
    [
        ((1, 5000, 0), "x", "en"),
        ((2, 900, 200), "店", "ja"),
        ((50, 45, 5), "`", "en"),
        ((1, 0, 4000), "😀", "ja"),
        ((1500, 1, 1), "x", "en"),
    ],
)
def test_the_longest_plan_fits_and_counts_what_it_leaves_out(
    shape: tuple[int, int, int], text: str, language: Language
) -> None:
    restaurants, changes, deletions = shape
    page = plan_markdown(many(restaurants, changes, deletions, text), kinds(), language)
    assert 50_000 < len(page.encode()) <= LIMIT
    assert page.splitlines()[-1].startswith(DIGEST)
    check_inert(
        page.replace("https://github.com/a/b/actions/runs/1", "")
        .replace("[the log of the run]()", "")
        .replace("[実行ログ]()", ""),
        [],
    )
    lines = page.splitlines()
    word = "deleted" if language == "en" else "削除"
    left_out = _left_out(page, language)
    assert (
        sum(line.startswith(f"- **{word}** ") for line in lines) + left_out.get("deletion", 0)
        == restaurants * deletions
    )
    named = sum(bool(re.match(r"- `.*r\d+`\): ", line)) for line in lines) if restaurants > 1 else 1
    assert named + left_out.get("restaurant", 0) == restaurants
    if restaurants <= 50:
        assert "restaurant" not in left_out
        assert deletions > 1000 or "deletion" not in left_out


_NOUNS = {
    "restaurant": r"([\d,]+) restaurants?|([\d,]+)店舗",
    "deletion": r"([\d,]+) deletions?|削除([\d,]+)件",
}


def _left_out(page: str, language: Language) -> dict[str, int]:
    start = "Not shown here" if language == "en" else "コメントの長さ"
    (line,) = [line for line in page.splitlines() if line.startswith(start)]
    assert "(https://github.com/a/b/actions/runs/1)" in line
    assert "`rowform plan`" in line
    found = {noun: re.search(pattern, line) for noun, pattern in _NOUNS.items()}
    return {noun: int((hit[1] or hit[2]).replace(",", "")) for noun, hit in found.items() if hit}


def test_what_fits_is_whole() -> None:
    plan = many(2, 20, 2)
    page = plan_markdown(plan, kinds(), "en")
    assert "Not shown here" not in page
    assert all(change.key in page for one in plan.restaurants for change in one.changes)
    assert plan.count(Action.DELETE) == page.count("- **deleted** ")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x/) [a](b", "https://a b", "", None, 5, "https://a@b/"]
)
def test_a_link_to_the_run_is_an_address_or_none(url: Any) -> None:
    plan = dataclasses.replace(many(1, 3000, 0), source={"ci_run": url})
    assert "](" not in plan_markdown(plan, kinds(), "en")
