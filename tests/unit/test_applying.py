"""How a run over several restaurants ends."""

from __future__ import annotations

import pytest

from rowform.errors import DatabaseError, LockedVersion, PartlyApplied, Refused, RowformError, StalePlan
from rowform.store.apply import Applied
from rowform.sync.applying import Outcome, failure
from tests.support.builders import nothing, planned, restaurant


@pytest.mark.parametrize(
    ("errors", "applied", "expected"),
    [
        ([None], True, None),
        ([StalePlan("stale", "again")], False, StalePlan),
        ([StalePlan("stale", "again"), LockedVersion("locked", "wait")], False, Refused),
        ([StalePlan("stale", "again"), DatabaseError("down")], False, RowformError),
        ([StalePlan("stale", "again")], True, PartlyApplied),
    ],
)
def test_what_a_run_ends_with(
    errors: list[RowformError | None], applied: bool, expected: type[RowformError] | None
) -> None:
    """A refusal is one only if nothing was written."""
    outcomes = [Outcome(planned(restaurant(slug=f"r{i}"), nothing()), error=e) for i, e in enumerate(errors)]
    if applied:
        outcomes.append(Outcome(planned(restaurant(slug="done"), nothing()), Applied("id", 1)))
    error = failure(outcomes)
    assert (None if error is None else type(error)) is expected
    if expected is Refused:
        assert error is not None
        assert error.hint is None
