"""Which database a command talks to: the table of the design, and no guessing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rowform.config import ToolConfig
from rowform.errors import UsageError
from rowform.target import Database, choose

URL, OTHER, THIRD = "postgresql://a/1", "postgresql://b/2", "postgresql://c/3"
VARIABLE = "ROWFORM_DATABASE_URL"
NONE = ToolConfig()
ONE = ToolConfig(targets={"production": "PROD_URL"})
TWO = ToolConfig(targets={"production": "PROD_URL", "staging": "STAGE_URL"})
EMBEDDED = Database(None, "no database is named")

CHOSEN = {
    "option": ((URL, None, NONE, {}), Database(URL, "--database-url")),
    "option before variable": ((URL, None, NONE, {VARIABLE: OTHER}), Database(URL, "--database-url")),
    "option before target": ((URL, None, ONE, {"PROD_URL": OTHER}), Database(URL, "--database-url")),
    "option, target kept by name": (
        (URL, "production", ONE, {"PROD_URL": OTHER}),
        Database(URL, "--database-url", "production"),
    ),
    "variable": ((None, None, NONE, {VARIABLE: URL}), Database(URL, VARIABLE)),
    "variable before target": (
        (None, None, TWO, {VARIABLE: URL, "PROD_URL": OTHER}),
        Database(URL, VARIABLE),
    ),
    "variable before chosen target": (
        (None, "staging", TWO, {VARIABLE: URL, "STAGE_URL": OTHER}),
        Database(URL, VARIABLE, "staging"),
    ),
    "the only target": ((None, None, ONE, {"PROD_URL": URL}), Database(URL, "PROD_URL", "production")),
    "a chosen target": (
        (None, "staging", TWO, {"PROD_URL": URL, "STAGE_URL": OTHER}),
        Database(OTHER, "STAGE_URL", "staging"),
    ),
    "the only target, in CI": (
        (None, None, ONE, {"PROD_URL": URL, "CI": "1"}),
        Database(URL, "PROD_URL", "production"),
    ),
    "nothing": ((None, None, NONE, {}), EMBEDDED),
    "nothing, CI empty": ((None, None, NONE, {"CI": ""}), EMBEDDED),
    "embedded by option": (("embedded", None, NONE, {}), Database(None, "--database-url")),
    "embedded by option in CI": (("embedded", None, NONE, {"CI": "true"}), Database(None, "--database-url")),
    "embedded by option before target": (
        ("embedded", None, ONE, {"PROD_URL": URL}),
        Database(None, "--database-url"),
    ),
    "embedded by variable": ((None, None, NONE, {VARIABLE: "embedded"}), Database(None, VARIABLE)),
}

REFUSED = {
    "empty option": (("", None, NONE, {VARIABLE: URL}), "--database-url is set but empty",
    "a missing secret looks like this"),
    "blank option": ((" ", None, NONE, {}), "--database-url is set but empty",
    "a missing secret looks like this"),
    "empty variable": ((None, None, NONE, {VARIABLE: ""}), f"{VARIABLE} is set but empty",
    "a missing secret looks like this"),
    "empty variable, target": ((None, None, ONE, {VARIABLE: "", "PROD_URL": URL}),
    f"{VARIABLE} is set but empty", "a missing secret looks like this"),
    "empty target": ((None, None, ONE, {"PROD_URL": ""}), "PROD_URL is set but empty",
    "a missing secret looks like this"),
    "target not set": ((None, None, ONE, {}), "PROD_URL, the database of target production, is not set",
    None),
    "chosen target not set": (
        (None, "staging", TWO, {"PROD_URL": URL}), "STAGE_URL, the database of target staging, is not set",
        None,
    ),
    "two targets": ((None, None, TWO, {"PROD_URL": URL}),
    "rowform.yaml names the targets production and staging", "choose one with --target"),
    "unknown target": ((None, "stagin", TWO, {}), 'there is no target "stagin"', "did you mean `staging`?"),
    "unknown target, nothing like it": ((None, "x", TWO, {}), 'there is no target "x"',
    "the targets are production and staging"),
    "target, none named": ((URL, "x\x1b", NONE, {}), 'there is no target "x\\x1b"',
    "rowform.yaml names none"),
    "nothing, in CI": (
        (None, None, NONE, {"CI": "true"}),
        "no database is named, and a pipeline gets no embedded one by default",
        f"set {VARIABLE}, or ask for it with --database-url embedded",
    ),
}  # fmt: skip

Arguments = tuple[str | None, str | None, ToolConfig, Mapping[str, str]]


@pytest.mark.parametrize(("arguments", "expected"), CHOSEN.values(), ids=CHOSEN)
def test_chosen(arguments: Arguments, expected: Database) -> None:
    assert choose(*arguments) == expected


@pytest.mark.parametrize(("arguments", "message", "hint"), REFUSED.values(), ids=REFUSED)
def test_refused(arguments: Arguments, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        choose(*arguments)
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert caught.value.exit_code == 1
