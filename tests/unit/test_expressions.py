"""The evaluator of workflow expressions knows little, and says so of all else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.expressions import Strict, UnknownExpressionError, evaluate, interpolate

CONTEXTS: dict[str, Any] = {
    "github": Strict(sha="abc", event={"number": 7}),
    "vars": {"TARGET": "Staging"},
    "inputs": {},
}
FUNCTIONS = {"cancelled": lambda: False}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("inputs.target || vars.TARGET || 'none'", "Staging"),
        ("inputs.target || vars.NOTHING", None),
        ("github.event.pull_request.head.repo.full_name != 'a'", True),
        ("github.sha == 'abc' && 'it''s'", "it's"),
        ("vars.TARGET == 'staging'", True),
        ("!cancelled() && (vars.NOTHING == '' || false)", True),
        ("github.sha != 'abc'", False),
    ],
)
def test_values(expression: str, value: Any) -> None:
    assert evaluate(expression, CONTEXTS, FUNCTIONS) == value


@pytest.mark.parametrize(
    "expression",
    [
        "github.actor",
        "env.X",
        "success()",
        "hashFiles('x')",
        "inputs[0]",
        "(inputs.a",
        "inputs.a inputs.b",
        "1",
    ],
)
def test_what_is_not_known(expression: str) -> None:
    with pytest.raises(UnknownExpressionError):
        evaluate(expression, CONTEXTS, FUNCTIONS)


def test_text() -> None:
    text = "a ${{ vars.TARGET }}-${{ inputs.x }}-${{ !cancelled() }} b"
    assert interpolate(text, CONTEXTS, FUNCTIONS) == "a Staging--true b"
