"""``rowform log``: what happened, who did it, and who set each value."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import psycopg
import pytest

from rowform.kinds import kinds
from rowform.sync import audit
from tests.support.patch import applied
from tests.support.project import MOMIJI, Project

ONE = """\
staff_groups:
  - name: Kitchen
    color: "#111111"
    group_config: {members: [料理長], stages: [{a: 1}, {a: 2}]}
daily_limits:
  - name: Max off
    penalty_weight: 30.5
"""
TWO = ONE.replace("#111111", "#222222").replace("Kitchen", "Stoves\n    previously: [Kitchen]")
ACTOR = "aaaaaaaa-0000-4000-8000-000000000001"
HERE = "version_id = (SELECT id FROM config_versions WHERE is_active)"


@pytest.fixture
def sakura(project: Project) -> Project:
    """Versions 1 and 2, each from a commit; 2 is active."""
    project.restaurant()
    for subject, text in (("First", ONE), ("Hotter", TWO)):
        project.write({"sakura/all.yaml": text})
        project.commit(subject)
        project.apply()
    return project


def sql(project: Project, *statements: str, application: str = "psql") -> None:
    """Plain SQL in one transaction."""
    with psycopg.connect(project.url, application_name=application) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def log(project: Project, *options: str) -> str:
    """The text, without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", project.ok("log", *options).out)
    return re.sub(r"\b[0-9a-f]{7}\b", "COMMIT", re.sub(r"#\d+ ", "#N ", text))


def entries(project: Project, *options: str) -> list[dict[str, Any]]:
    (one,) = project.ok("log", "--format", "json", *options).json["restaurants"]
    found: list[dict[str, Any]] = one["entries"]
    return found


FIRST = """\
TIME  version 1 "First"  COMMIT  Aiko Sato <aiko@example.com>
  #N + daily_limits "Max off"  First (COMMIT)
      + penalty_weight: 30.5
  #N + staff_groups "Kitchen"  First (COMMIT)
      + color: "#111111"
      + group_config.stages[0].a: 1
      + group_config.stages[1].a: 2
      + group_config.members: ["料理長"]
"""
SECOND = """\
TIME  version 2 "Hotter"  COMMIT  Aiko Sato <aiko@example.com>
  #N ~ staff_groups "Kitchen" -> "Stoves"  Hotter (COMMIT)
      ~ color: "#111111" -> "#222222"
"""


def test_newest_first_with_author_commit_and_leaves(sakura: Project) -> None:
    assert log(sakura) == f"sakura\n\n{SECOND}\n{FIRST}"


def test_direct_writes_name_the_writer(sakura: Project) -> None:
    sql(
        sakura, f"UPDATE daily_limits SET penalty_weight = 40 WHERE {HERE}", application="night\x1b[31m shift"
    )
    top = log(sakura).split("\n\n")[1]
    assert re.fullmatch(
        r"""TIME  version 3 "Direct write"  \w+, night\S+ shift
  #N ~ daily_limits "Max off"  Direct write by \w+, night\S+ shift
      ~ penalty_weight: 30\.5 -> 40""",
        top,
    )
    assert "\x1b" not in top


def test_switches_and_locks_have_lines_of_their_own(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve", "--reason", "Saturday night", "--actor", ACTOR)
    sakura.ok("activate", "2", "--auto-approve", "--reason", "Sunday")
    sakura.ok("lock", "2", "--reason", "Holidays")
    sakura.ok("unlock", "2", "--reason", "Back")
    text = log(sakura)
    assert text == (
        f"""\
sakura

TIME  version 2 "Hotter"
  #N unlocked: version 2  Back

TIME  version 2 "Hotter"
  #N locked: version 2  Holidays

TIME  version 2 "Hotter"
  #N ~ staff_groups "Kitchen" -> "Stoves"  Sunday
      ~ color: "#111111" -> "#222222"
  #N activated: version 1 -> version 2  Sunday

TIME  version 1 "First"  by {ACTOR}
  #N ~ staff_groups "Stoves" -> "Kitchen"  Saturday night
      ~ color: "#222222" -> "#111111"
  #N rolled back: version 2 -> version 1  Saturday night

{SECOND}
{FIRST}"""
    )
    found = [(one["event"], one["replaced_version_number"]) for one in entries(sakura) if one["event"]]
    assert found == [("unlocked", None), ("locked", None), ("activated", 1), ("rolled back", 2)]


def test_a_version_that_was_switched_off(sakura: Project) -> None:
    sql(sakura, "UPDATE config_versions SET is_active = false")
    assert "  #N deactivated: version 2  Deactivated by " in log(sakura)
    sakura.ok("activate", "2", "--auto-approve")
    assert "  #N activated: version 2 -> version 2  Activated by " in log(sakura)


def test_json(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve", "--actor", ACTOR)
    sql(sakura, f"DELETE FROM daily_limits WHERE {HERE}")
    found = entries(sakura)
    assert [one["operation"] for one in found] == ["DELETE", "UPDATE", None, "UPDATE", "INSERT", "INSERT"]
    assert [one["seq"] for one in found] == sorted((one["seq"] for one in found), reverse=True)
    for one in found:
        if one["operation"] == "UPDATE":
            assert applied(one["before"], one["patch"]) == one["after"]
        else:
            assert one["patch"] == []
    assert (found[0]["after"], found[0]["before"]["name"], found[0]["author"][:8]) == (
        None,
        "Max off",
        "postgres",
    )
    rolled, made = found[1], found[3]
    # Who rolls back is not who wrote the version that comes back.
    assert (rolled["author"], rolled["changed_by"], rolled["version"]["version_number"]) == (None, ACTOR, 1)
    assert made["author"] == "Aiko Sato <aiko@example.com>"
    assert made["commit"] == sakura.git("rev-parse", "HEAD")
    assert (made["key"], made["previous_key"], made["kind"]) == ("Stoves", "Kitchen", "staff_groups")
    assert rolled["setting_id"] == made["setting_id"]
    assert set(made["after"]) == set(kinds()["staff_groups"].column_names)


def test_a_limit_says_that_there_is_more(sakura: Project) -> None:
    result = sakura.ok("log", "--limit", "2", "--format", "json")
    (one,) = result.json["restaurants"]
    assert (len(one["entries"]), one["more"]) == (2, True)
    assert result.err == "sakura has older entries: --limit shows more.\n"
    for enough in ("3", "9" * 30):
        result = sakura.ok("log", "--limit", enough, "--format", "json")
        (one,) = result.json["restaurants"]
        assert (len(one["entries"]), one["more"], result.err) == (3, False, "")


def test_by_version_and_kind(sakura: Project) -> None:
    sakura.ok("rollback", "--auto-approve")
    assert log(sakura, "--version", "2") == f"sakura\n\n{SECOND}"
    assert entries(sakura, "--version", "active") == entries(sakura, "--version", "1")
    assert {one["event"] for one in entries(sakura, "--version", "1")} == {None, "rolled back"}
    assert {one["key"] for one in entries(sakura, "--kind", "daily_limits")} == {"Max off"}
    assert log(sakura, "--kind", "priority_rules") == "sakura: no entries.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--version", "9"), "there is no version 9"),
        (("--version", "9" * 30), "is no version"),
        (("--kind", "daily_limit"), "did you mean `daily_limits`?"),
        (("--key", "Stovs"), "did you mean `Stoves`?"),
        (("--key", "Max off", "--kind", "staff_groups"), 'there never was a staff group "Max off"'),
        (("-r", "nobody"), 'there is no restaurant "nobody" in the database'),
        (("--fields",), "--fields needs a setting"),
        (("--fields", "--key", "Max off", "--limit", "3"), "--fields and --limit do not go together"),
        (("--fields", "--key", "Kitchen"), 'the active version has no staff group "Kitchen"'),
        (("--limit", "0"), "0 is not in the range"),
    ],
)
def test_what_there_is_not(sakura: Project, options: tuple[str, ...], message: str) -> None:
    result = sakura.run("log", *options)
    assert (result.code, result.out) == (1, "")
    assert message in result.err
    failed = sakura.run("log", *options, "--format", "json")
    assert json.loads(failed.out)["format"] == "rowform.error/1"


def test_what_the_application_logs_is_no_proof(sakura: Project) -> None:
    sql(
        sakura,
        "INSERT INTO config_changes (version_id, table_name, operation, old_data, new_data)"
        """ SELECT id, 'daily_limits', 'MERGE', '[1]', '{"name": "Max off", "a": {"b": "\\u001b"}}'"""
        " FROM config_versions WHERE is_active",
        "INSERT INTO config_changes (version_id, table_name, operation)"
        " SELECT id, 'config_versions', E'\\x1b' FROM config_versions WHERE is_active",
    )
    assert log(sakura) == f"sakura\n\n{SECOND}\n{FIRST}"
    assert log(sakura, "--notes").split("\n\n")[1] == (
        """\
TIME  version 2 "Hotter"  (note of the application)
  #N \\x1b config_versions
  #N MERGE daily_limits "Max off"
      - "": [1]
      + a.b: "\\u001b\""""
    )
    assert [one["note"] for one in entries(sakura, "--notes", "--key", "Max off")] == [True, False]
    assert [leaf["set_by"]["version"]["version_number"] for leaf in fields(sakura, "Max off")] == [1] * 7


# --- one setting ---------------------------------------------------------------------------------


def test_a_key_follows_the_setting_through_renames(sakura: Project) -> None:
    expected = [("UPDATE", "Stoves"), ("INSERT", "Kitchen")]
    for key in ("Stoves", "Kitchen"):
        assert [(one["operation"], one["key"]) for one in entries(sakura, "--key", key)] == expected
    # The name goes to another one, which is the one that is meant from now on.
    sql(
        sakura,
        "INSERT INTO staff_groups (restaurant_id, version_id, name)"
        " SELECT restaurant_id, id, 'Kitchen' FROM config_versions WHERE is_active",
    )
    found = [(one["operation"], one["key"]) for one in entries(sakura, "--key", "Kitchen")]
    assert found == [("INSERT", "Kitchen"), *expected]
    assert [one["operation"] for one in entries(sakura, "--key", "Stoves")] == ["UPDATE", "INSERT"]


def test_a_setting_that_is_gone_has_its_history(sakura: Project) -> None:
    sql(sakura, f"DELETE FROM staff_groups WHERE {HERE}")
    found = [(one["operation"], one["key"]) for one in entries(sakura, "--key", "Stoves")]
    assert found == [("DELETE", "Stoves"), ("UPDATE", "Stoves"), ("INSERT", "Kitchen")]


def test_a_setting_made_anew_is_followed_to_what_it_was(sakura: Project) -> None:
    sql(
        sakura,
        f"DELETE FROM daily_limits WHERE {HERE}",
        "INSERT INTO daily_limits (restaurant_id, version_id, name, penalty_weight)"
        " SELECT restaurant_id, id, 'Max off', 99 FROM config_versions WHERE is_active",
    )
    for number in ("2", "3"):
        sakura.ok("activate", number, "--auto-approve")
    sql(sakura, f"UPDATE daily_limits SET name = 'Most off' WHERE {HERE}")
    found = entries(sakura, "--key", "Most off")
    operations = [one["operation"] for one in found]
    assert operations == ["UPDATE", "UPDATE", "UPDATE", "INSERT", "DELETE", "INSERT"]
    assert len({one["setting_id"] for one in found}) == 2
    set_by = {leaf["path"]: leaf["set_by"]["seq"] for leaf in fields(sakura, "Most off")}
    assert set_by["/name"] == found[0]["seq"]
    assert set_by["/penalty_weight"] == found[1]["seq"]
    assert set_by["/is_hard_constraint"] == found[3]["seq"]


def fields(project: Project, key: str, *options: str) -> list[dict[str, Any]]:
    found = project.ok("log", "--key", key, "--fields", "--format", "json", *options).json
    assert (found["format"], found["key"]) == ("rowform.fields/1", key)
    leaves: list[dict[str, Any]] = found["fields"]
    return leaves


def test_fields_as_text(sakura: Project) -> None:
    sql(sakura, f"UPDATE staff_groups SET description = E'a\\x1bb' WHERE {HERE}")
    out = sakura.ok("log", "--key", "Stoves", "--fields").out
    lines = [re.sub(r"\b[0-9a-f]{7}\b|\d{4}-\S+ \S+", "_", line).split() for line in out.splitlines()]
    assert lines[0] == ["sakura:", "staff_groups", '"Stoves"']
    assert lines[1] == ["FIELD", "VALUE", "VERSION", "WHEN", "COMMIT", "WHO", "REASON"]
    name, description, color, *_ = lines[2:]
    assert name == ["name", '"Stoves"', "2", "_", "_", "Aiko", "Sato", "<aiko@example.com>", "Hotter", "(_)"]
    assert description[:4] == ["description", '"a\\u001bb"', "3", "_"]
    assert color[:3] == ["color", '"#222222"', "2"]


@pytest.mark.parametrize("seed", range(3))
def test_every_value_is_put_down_to_the_version_that_set_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Random edits, by hand or by file, of one setting among others, with renames."""
    monkeypatch.setattr(audit, "_BATCH", 2)
    choose = random.Random(seed)
    values: dict[str, Any] = {"name": "A", "penalty_weight": 1, "is_active": True, "limit_config": {"a": 1}}
    set_by: dict[str, int] = {}
    project.restaurant()
    version = 0
    while version < 12:
        new = dict(values)
        field = choose.choice(sorted(values)) if version else ""
        if field == "name":
            new[field] = choose.choice("ABCD")
        elif field == "limit_config":
            new[field] = {key: choose.randrange(3) for key in "ab" if choose.random() < 0.8} or {"a": 7}
        elif field:
            new[field] = choose.choice([True, False]) if field == "is_active" else choose.randrange(4)
        if version and new == values:
            continue
        version += 1
        if version > 1 and choose.random() < 0.5:
            sql(
                project,
                f"UPDATE daily_limits SET name = '{new['name']}', penalty_weight = {new['penalty_weight']},"
                f" is_active = {new['is_active']}, limit_config = '{json.dumps(new['limit_config'])}'"
                f" WHERE {HERE} AND name = '{values['name']}'",
            )
        else:
            former = [values["name"]] if new["name"] != values["name"] else []
            other = {"name": "Other", "penalty_weight": version}
            text = json.dumps({"daily_limits": [{**new, "previously": former}, other]})
            project.write({"sakura/all.yaml": text})
            project.apply(*(f"--force={name}" for name in ("threshold", "drift", "rolled-back")))
        old_leaves = flat(values) if version > 1 else {}
        for path, value in flat(new).items():
            if path not in old_leaves or old_leaves[path] != value:
                set_by[path] = version
        values = new
    found = {leaf["path"]: leaf for leaf in fields(project, values["name"], "--kind", "daily_limits")}
    for path, value in flat(values).items():
        assert found[path]["value"] == value
        assert found[path]["set_by"]["version"]["version_number"] == set_by[path], path
    assert found["/effective_from"]["set_by"]["version"]["version_number"] == 1


def flat(values: dict[str, Any]) -> dict[str, Any]:
    inside = {f"/limit_config/{key}": value for key, value in values["limit_config"].items()}
    return {f"/{key}": value for key, value in values.items() if key != "limit_config"} | inside


def test_a_key_of_two_kinds(sakura: Project) -> None:
    sakura.write({"sakura/all.yaml": TWO.replace("Max off", "Stoves")})
    sakura.apply("--force", "threshold")
    result = sakura.run("log", "--key", "Stoves", "--fields")
    assert result.code == 1
    assert '"Stoves" is in 2 kinds: staff_groups and daily_limits' in result.err
    assert "choose one with --kind" in result.err
    assert fields(sakura, "Stoves", "--kind", "daily_limits")
    assert {one["kind"] for one in entries(sakura, "--key", "Stoves")} == {"staff_groups", "daily_limits"}


def test_several_restaurants(sakura: Project) -> None:
    sakura.restaurant("momiji", MOMIJI)
    sakura.write({"momiji/all.yaml": "staff_groups: [{name: Floor}]\n"})
    sakura.apply()
    whole = log(sakura)
    assert whole.startswith("momiji\n\n")
    assert f"\n\nsakura\n\n{SECOND}" in whole
    assert log(sakura, "-r", "sakura") == f"sakura\n\n{SECOND}\n{FIRST}"
    # Who never had such a setting is left out.
    assert log(sakura, "--key", "Floor").startswith("momiji\n\n")
    assert "sakura" not in log(sakura, "--key", "Floor")
    assert "there are 2 restaurants" in sakura.run("log", "--key", "Floor", "--fields").err


def test_nothing_yet(project: Project) -> None:
    result = project.ok("log")
    assert result.out.strip() == ""
    assert project.ok("log", "--format", "json").json == {"format": "rowform.log/1", "restaurants": []}
