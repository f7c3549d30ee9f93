"""What a configuration means: who inherits what, what is managed, who may be called what."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from rowform.kinds import kinds
from rowform.state import digest
from tests.support.builders import ID, OTHER_ID, header, loaded, place, said, sakura

KINDS = ["staff_groups", "daily_limits", "monthly_limits", "priority_rules", "ml_model_configs"]


def names(texts: dict[str, str], kind: str = "daily_limits", slug: str = "sakura") -> dict[str, Any]:
    """Keys of a restaurant's kind with their penalty weights."""
    entries = loaded(texts).state.restaurants[slug].content[kind]
    return {key: one.values.get("penalty_weight") for key, one in entries.items()}


def limits(*entries: str) -> str:
    """Daily limits from ``NAME WEIGHT``."""
    lines = [entry.rsplit(" ", 1) for entry in entries]
    return "daily_limits:\n" + "".join(f"  - name: {n}\n    penalty_weight: {w}\n" for n, w in lines)


# --- defaults of fields --------------------------------------------------------------------------


def test_fields_left_out_have_the_columns_defaults() -> None:
    text = """
staff_groups: [{name: A}]
daily_limits: [{name: B}]
priority_rules: [{name: C}]
ml_model_configs: [{model_name: D, model_type: x}]
"""
    found = loaded(sakura(text)).state.restaurants["sakura"].content
    limit: dict[str, Any] = {
        "limit_config": {}, "penalty_weight": 1, "is_hard_constraint": False,
        "effective_from": None, "effective_until": None, "is_active": True,
    }  # fmt: skip
    rule = {key: limit[key] for key in limit if key != "limit_config"}
    assert {kind: dict(next(iter(entries.values())).values) for kind,
    entries in found.items() if entries} == {
        "staff_groups": {"name": "A", "description": None, "color": None, "group_config": {},
        "is_active": True},
        "daily_limits": {"name": "B", **limit},
        "priority_rules": {
            "name": "C", "description": None, "priority_level": 1, "rule_definition": {}, "rule_config": {},
            **rule,
        },
        "ml_model_configs": {
            "model_name": "D", "model_type": "x", "parameters": {}, "model_config": {},
            "confidence_threshold": 0.75, "is_default": False, "is_active": True,
        },
    }  # fmt: skip


def test_a_default_written_out_is_the_same_setting() -> None:
    short = loaded(sakura("daily_limits: [{name: B}]"))
    for field, default in kinds()["daily_limits"].defaults.items():
        shown = "{}" if default == {} else "null" if default is None else str(default).lower()
        long = loaded(sakura(f"daily_limits: [{{name: B, {field}: {shown}}}]"))
        assert long.state == short.state


def test_null_is_not_the_default() -> None:
    fields = ["limit_config", "penalty_weight", "is_hard_constraint", "is_active"]
    texts = [f"daily_limits: [{{name: B, {field}: null}}]" for field in fields]
    digests = {digest(loaded(sakura(text)).state.restaurants["sakura"].content) for text in texts}
    digests.add(digest(loaded(sakura("daily_limits: [{name: B}]")).state.restaurants["sakura"].content))
    assert len(digests) == 5
    for text in texts:
        assert said(sakura(text)) == []


def test_the_header() -> None:
    found = loaded({"sakura/restaurant.yaml": header(id_=ID.upper(), name="料亭 さくら")}).state.restaurants
    one = found["sakura"]
    assert (one.slug, one.id, one.name, one.timezone) == ("sakura", ID, "料亭 さくら", "Asia/Tokyo")
    assert one.file == "config/sakura/restaurant.yaml"
    assert list(one.content) == KINDS
    london = loaded({"sakura/restaurant.yaml": header(timezone="Europe/London")}).state.restaurants["sakura"]
    assert london.timezone == "Europe/London"


# --- inherits, without ---------------------------------------------------------------------------


def test_entries_of_a_directory_apply_unless_the_restaurant_has_its_own() -> None:
    texts = {
        "_defaults/a.yaml": limits("One 1", "Two 1"),
        "sakura/restaurant.yaml": header(inherits=["_defaults"]),
        "sakura/a.yaml": limits("Two 2", "Three 2"),
        "momiji/restaurant.yaml": header(id_=OTHER_ID),
    }
    assert names(texts) == {"One": 1, "Two": 2, "Three": 2}
    assert names(texts, slug="momiji") == {}
    assert loaded(texts).state.count() == 3


def test_a_later_directory_wins() -> None:
    texts = {"_a/x.yaml": limits("One 1", "Two 1", "Three 1"), "_b/x.yaml": limits("Two 2", "Three 2")}
    own = {"sakura/x.yaml": limits("Three 3")}
    for order, second in ((["_a", "_b"], 2), (["_b", "_a"], 1)):
        head = {"sakura/restaurant.yaml": header(inherits=order)}
        assert names({**texts, **own, **head}) == {"One": 1, "Two": second, "Three": 3}


def test_entries_replace_whole() -> None:
    texts = {
        "_d/a.yaml": "daily_limits: [{name: One, penalty_weight: 5, limit_config: {maxCount: 1, note: x}}]",
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/a.yaml": "daily_limits: [{name: One, limit_config: {minCount: 2}}]",
    }
    one = loaded(texts).state.restaurants["sakura"].content["daily_limits"]["One"]
    assert one.values["limit_config"] == {"minCount": 2}
    assert one.values["penalty_weight"] == 1


def test_without_drops_what_is_inherited_and_not_what_is_own() -> None:
    texts = {
        "_d/a.yaml": limits("One 1", "Two 1", "Three 1"),
        "sakura/restaurant.yaml": header(inherits=["_d"], without={"daily_limits": ["One", "Two"]}),
        "sakura/a.yaml": limits("Two 2"),
    }
    assert names(texts) == {"Two": 2, "Three": 1}


def test_without_tells_what_was_probably_meant() -> None:
    head = header(inherits=["_d"], without={"daily_limits": ["Max erly", "xyz"]})
    first, second = (place(head, f'"{name}"') for name in ("Max erly", "xyz"))
    file, hint = "sakura/restaurant.yaml", "did you mean `Max early`?"
    assert said({"_d/a.yaml": limits("Max early 1"), file: head}) == [
        f'{file}:{first}: no daily limit "Max erly" is inherited ({hint})',
        f'{file}:{second}: no daily limit "xyz" is inherited',
    ]


def test_without_says_nothing_of_what_could_not_be_read() -> None:
    head = header(inherits=["_d"], without={"daily_limits": ["One"]})
    for text, complaint in (
        ("daily_limits:\n  - name: One\n    penalty_weight: -1\n", "3:21: penalty_weight: -1 is too small"),
        ("daily_limits:\n  - name: [One\n", '2:11: "[" is never closed'),
    ):
        found = said({"_d/a.yaml": text, "sakura/restaurant.yaml": head})
        assert len(found) == 1
        assert found[0].startswith(f"_d/a.yaml:{complaint}")


def test_origins_lead_to_the_file_of_the_entry() -> None:
    texts = {
        "_d/a.yaml": limits("One 1"),
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/sub/b.yaml": "# comment\n" + limits("Two 1", "Three 1"),
    }
    found = loaded(texts).state.restaurants["sakura"].content["daily_limits"]
    origins = {key: one.origin for key, one in found.items()}
    places = {key: (str(o.location()), o.lines()) for key, o in origins.items() if o}
    assert places == {
        "One": ("config/_d/a.yaml:2:5", (2, 3)),
        "Two": ("config/sakura/sub/b.yaml:3:5", (3, 4)),
        "Three": ("config/sakura/sub/b.yaml:5:5", (5, 6)),
    }


def test_a_faulty_own_entry_still_stands_for_the_inherited_one() -> None:
    """One mistake is one message: no second default, no unknown member on top of it."""
    texts = {
        "_d/a.yaml": "ml_model_configs: [{model_name: A, model_type: x, is_default: true}]",
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/a.yaml": "ml_model_configs: [{model_name: a, model_type: x, is_default: 1}]",
    }
    assert (
        said(texts)
        == [
            "sakura/a.yaml:1:63: is_default: expected true or false, got the number 1",
            (
                'sakura/a.yaml:1:33: ML model "a" differs from the inherited "A" at config/_d/a.yaml:1:33'
                " only in case or Unicode form"
            ),
        ][::-1]
    )


# --- manages -------------------------------------------------------------------------------------


def test_what_is_not_managed_is_absent_and_what_is_managed_and_empty_is_there() -> None:
    texts = {
        "_d/a.yaml": limits("One 1") + "staff_groups: [{name: A}]\n",
        "sakura/restaurant.yaml": header(inherits=["_d"], manages=["daily_limits", "monthly_limits"]),
    }
    content = loaded(texts).state.restaurants["sakura"].content
    assert {kind: list(entries) for kind, entries in content.items()} == {
        "daily_limits": ["One"],
        "monthly_limits": [],
    }
    for value, expected in (([], []), (None, KINDS)):
        one = loaded({"sakura/restaurant.yaml": header(manages=value)}).state.restaurants["sakura"]
        assert list(one.content) == expected


def test_own_entries_of_an_unmanaged_kind_are_a_mistake_even_an_empty_list() -> None:
    for text in ("daily_limits: []\n", limits("One 1")):
        texts = {"sakura/restaurant.yaml": header(manages=["staff_groups"]), "sakura/a.yaml": text}
        assert said(texts) == [
            (
                "sakura/a.yaml:1:1: daily_limits is not managed here"
                " (add it to `manages` in config/sakura/restaurant.yaml)"
            )
        ]


# --- keys ----------------------------------------------------------------------------------------

SAME = [("Kitchen", "kitchen"), ("Café", "Cafe\u0301"), ("Straße", "STRASSE"), ("\u00c5", "\u212b"), ("ﬁ",
    "FI"),
        ("Σ", "ς"), ("ΌΣ", "\u03bf\u0301\u03c3")]  # fmt: skip
DIFFERENT = [
    ("Kitchen", "Kitchens"),
    ("Ⅷ", "VIII"),
    ("か", "カ"),
    ("\uff21", "A"),
    ("a b", "a  b"),
    ("i", "\u0131"),
]


@pytest.mark.parametrize(
    ("first", "second", "same"), [(*pair, True) for pair in SAME] + [(*pair, False) for pair in DIFFERENT]
)
def test_keys_that_differ_only_in_case_or_unicode_form_collide(first: str, second: str, same: bool) -> None:
    one, other = f"staff_groups:\n  - name: '{first}'\n", f"staff_groups:\n  - name: '{second}'\n"
    complaint = (
        f'staff group "{second}" differs from "{first}" at config/sakura/a.yaml:2:11'
        " only in case or Unicode form"
    )
    texts = {"sakura/restaurant.yaml": header(), "sakura/a.yaml": one, "sakura/b.yaml": other}
    assert said(texts) == ([f"sakura/b.yaml:2:11: {complaint}"] if same else [])
    inherited = {"sakura/restaurant.yaml": header(inherits=["_d"]), "_d/a.yaml": one, "sakura/b.yaml": other}
    found = said(inherited)
    assert [line.startswith("sakura/b.yaml:2:11: ") for line in found] == ([True] if same else [])


def test_one_key_in_two_kinds_or_two_directories_is_fine() -> None:
    both = "staff_groups: [{name: A}]\ndaily_limits: [{name: A}]\n"
    texts = {
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/a.yaml": both,
        "momiji/restaurant.yaml": header(id_=OTHER_ID),
        "momiji/a.yaml": both,
        "_d/a.yaml": both,
    }
    assert said(texts) == []


@pytest.mark.parametrize(
    ("second", "line"),
    [("Kitchen", '"Kitchen" is defined twice'), ("KITCHEN", '"KITCHEN" differs from "Kitchen"')],
)
def test_a_key_that_is_there_twice_names_both_places(second: str, line: str) -> None:
    texts = {
        "sakura/restaurant.yaml": header(),
        "sakura/a.yaml": f"staff_groups:\n  - name: Kitchen\n  - color: '#fff'\n    name: {second}\n",
        "sakura/b.yaml": f"# x\nstaff_groups: [{{name: {second}}}]\n",
    }
    found = said(texts)
    assert [text.split(": ")[0] for text in found] == ["sakura/a.yaml:4:11", "sakura/b.yaml:2:23"]
    assert all(line in text and "config/sakura/a.yaml:2:11" in text for text in found)


def test_two_restaurants_with_one_id() -> None:
    first, second = (
        header(id_="AbCdEf00-0000-4000-8000-000000000000"),
        header(id_="abcdef00-0000-4000-8000-000000000000"),
    )
    assert said({"a/restaurant.yaml": first, "b/restaurant.yaml": second, "c/restaurant.yaml": first}) == [
        f"{slug}/restaurant.yaml:1:8: the id abcdef00-0000-4000-8000-000000000000 is taken by"
        " another restaurant,"
        " at config/a/restaurant.yaml:1:8"
        for slug in "bc"
    ]


# --- former names --------------------------------------------------------------------------------


def test_former_names_are_kept_in_order_and_are_no_content() -> None:
    text = "staff_groups: [{name: A, previously: [B, C]}]"
    one = loaded(sakura(text)).state.restaurants["sakura"].content["staff_groups"]["A"]
    assert one.previously == ("B", "C")
    assert (
        one.canonical
        == loaded(sakura("staff_groups: [{name: A}]"))
        .state.restaurants["sakura"]
        .content["staff_groups"]["A"]
        .canonical
    )


def test_a_former_name_is_claimed_once() -> None:
    text = "staff_groups:\n  - name: A\n    previously: [Old]\n  - name: B\n    previously: [Older, Old]\n"
    assert said(sakura(text)) == [
        (
            f'sakura/settings.yaml:{place(text, "Old]", 2)}: "Old" is claimed as a former name'
            ' by staff group "A" too'
        )
    ]
    assert said(sakura("staff_groups: [{name: A, previously: [A]}]")) == [
        'sakura/settings.yaml:1:39: "A" is the entry\'s present name, not a former one'
    ]
    # Once in every kind.
    assert (
        said(sakura("staff_groups: [{name: A, previously: [O]}]\ndaily_limits: [{name: A, previously: [O]}]"))
        == []
    )


def test_a_former_name_is_claimed_once_over_all_that_applies() -> None:
    """Else both would be renames of the same stored setting."""
    texts = {
        "_d/a.yaml": "daily_limits:\n  - name: A\n    previously: [Old]\n",
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/a.yaml": "daily_limits:\n  - name: B\n    previously: [Old]\n",
        "momiji/restaurant.yaml": header(id_=OTHER_ID),
        "momiji/a.yaml": "daily_limits:\n  - name: B\n    previously: [Old]\n",
    }
    assert said(texts) == ['sakura/a.yaml:3:18: "Old" is claimed as a former name by daily limit "A" too']
    texts["sakura/a.yaml"] = texts["sakura/a.yaml"].replace("name: B", "name: A")
    assert said(texts) == []


# --- the default model, periods ------------------------------------------------------------------


def model(name: str, default: bool) -> str:
    return f"  - {{model_name: {name}, model_type: x, is_default: {str(default).lower()}}}\n"


def test_at_most_one_default_model() -> None:
    two = "ml_model_configs:\n" + model("A", True) + model("B", False) + model("C", True) + model("D", True)
    assert said(sakura(two)) == [
        f'sakura/settings.yaml:{line}:48: ML model "{name}" is a second one with is_default: true,'
        " first at config/sakura/settings.yaml:2:48"
        for line, name in ((4, "C"), (5, "D"))
    ]


def test_the_second_default_is_the_own_one_not_the_inherited_one() -> None:
    texts = {
        "_d/a.yaml": "ml_model_configs:\n" + model("Z", True),
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/a.yaml": "ml_model_configs:\n" + model("A", True),
    }
    assert said(texts) == [
        (
            'sakura/a.yaml:2:48: ML model "A" is a second one with is_default: true,'
            " first at config/_d/a.yaml:2:48"
        )
    ]
    for fixed in (
        {"sakura/a.yaml": "ml_model_configs:\n" + model("A", True) + model("Z", False)},
        {"sakura/restaurant.yaml": header(inherits=["_d"], without={"ml_model_configs": ["Z"]})},
        {"sakura/restaurant.yaml": header(inherits=["_d"], manages=["staff_groups"]), "sakura/a.yaml": "{}"},
    ):
        assert said({**texts, **fixed}) == []


@pytest.mark.parametrize("kind", ["daily_limits", "monthly_limits", "priority_rules"])
def test_periods_begin_before_they_end(kind: str) -> None:
    days = ["2026-02-28", "2026-03-01", "2027-01-01"]
    for start, end in itertools.product(days, repeat=2):
        text = f"{kind}:\n  - name: A\n    effective_until: {end}\n    effective_from: {start}\n"
        wrong = [
            (
                f"sakura/settings.yaml:4:21: effective_from: {start} is after effective_until {end}"
                " (both days are inclusive)"
            )
        ]
        assert said(sakura(text)) == (wrong if start > end else [])
        assert said(sakura(f"{kind}: [{{name: A, effective_from: {start}, effective_until: null}}]")) == []


# --- near misses, references ---------------------------------------------------------------------


def test_near_misses_are_warnings_and_kept_as_written() -> None:
    config = "{maxCuont: 3, distributionRules: {max_consecutive: 1}, free: 0}"
    text = f"daily_limits: [{{name: A, limit_config: {config}}}]"
    assert said(sakura(text)) == [
        (
            f'sakura/settings.yaml:{place(text, "maxCuont")}: warning: unusual key "maxCuont"'
            " (did you mean `maxCount`?)"
        ),
        (
            f'sakura/settings.yaml:{place(text, "max_cons")}: warning: unusual key "max_consecutive"'
            " (did you mean `maxConsecutive`?)"
        ),
    ]
    one = loaded(sakura(text)).state.restaurants["sakura"].content["daily_limits"]["A"]
    assert one.values["limit_config"] == {
        "maxCuont": 3,
        "distributionRules": {"max_consecutive": 1},
        "free": 0,
    }


@pytest.mark.parametrize(
    "config",
    [
        "{}",
        "{free: 1}",
        "{maxCount: 3, maxcount: 4}",
        "{料理: 1}",
        "{m: 1}",
        "{nested: {maxCuont: 1}}",
        "{a: [{maxCuont: 1}]}",
    ],
)
def test_other_keys_are_free(config: str) -> None:
    assert said(sakura(f"daily_limits: [{{name: A, limit_config: {config}}}]")) == []


REFERENCES = """\
staff_groups:
  - name: Kitchen
    group_config: {members: [Ann], id: g1}
daily_limits:
  - {name: L, limit_config: {targetIds: [Ann, Kitchen, g1, Nobody, ""]}}
priority_rules:
  - {name: R, rule_definition: {staffId: Kitchen, groupId: Ann}}
  - {name: S, rule_definition: {staffId: Ann, groupId: g1}}
"""


def test_references_that_lead_nowhere() -> None:
    def line(text: str, nth: int, what: str, name: str, severity: str) -> str:
        return (
            f'sakura/settings.yaml:{place(REFERENCES, text, nth)}: {severity}"{name}" is no {what} of sakura'
        )

    for strict, severity in ((False, "warning: "), (True, "")):
        assert said(sakura(REFERENCES), strict=strict) == [
            line("Nobody", 1, "staff group or member", "Nobody", severity),
            line('""', 1, "staff group or member", "", severity),
            line("Kitchen, groupId", 1, "member of a staff group", "Kitchen", severity),
            line("Ann}", 1, "staff group", "Ann", severity),
        ]
    assert loaded(sakura(REFERENCES)).state.count() == 4


def test_references_are_judged_by_all_that_applies() -> None:
    texts = {
        "_d/a.yaml": "priority_rules: [{name: R, rule_definition: {staffId: Ann}}]\n",
        "sakura/restaurant.yaml": header(inherits=["_d"]),
        "sakura/a.yaml": "staff_groups: [{name: K, group_config: {members: [Ann]}}]\n",
        "momiji/restaurant.yaml": header(id_=OTHER_ID, inherits=["_d"]),
    }
    assert said(texts) == ['_d/a.yaml:1:55: warning: "Ann" is no member of a staff group of momiji']
    # Who does not manage the groups cannot know.
    texts["momiji/restaurant.yaml"] = header(id_=OTHER_ID, inherits=["_d"], manages=["priority_rules"])
    assert said(texts, strict=True) == []


# --- order ---------------------------------------------------------------------------------------


def test_everything_that_is_said_is_sorted_by_place_whatever_the_order_of_files() -> None:
    texts = {
        "sakura/restaurant.yaml": header(),
        "sakura/b.yaml": "staff_groups: [{name: B, color: x}, {name: A, color: y}]\n",
        "sakura/a.yaml": "daily_limits:\n"
        + "".join(f"  - {{name: N{i}, penalty_weight: x}}\n" for i in range(12)),
        "sakura/a/z.yaml": "staff_groups: [{name: Z, nam: y}]\n",
    }
    expected = said(texts)
    # Line 9 before line 10.
    lines = [int(text.split(":")[1]) for text in expected if text.startswith("sakura/a.yaml:")]
    assert lines == list(range(2, 14))
    for order in itertools.permutations(texts):
        assert said({name: texts[name] for name in order}) == expected
