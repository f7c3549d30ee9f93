"""The named statements."""

from __future__ import annotations

import re
from collections import Counter
from importlib.resources import files


def test_no_two_statements_have_one_name() -> None:
    """They share one dictionary: of two, the later one would silently take the other's place."""
    directory = files("rowform.store").joinpath("sql")
    texts = [one.read_text("utf-8") for one in directory.iterdir() if one.name.endswith(".sql")]
    names = Counter(name for text in texts for name in re.findall(r"^-- name: (\w+)$", text, re.MULTILINE))
    assert len(names) > 50
    assert [name for name, times in names.items() if times > 1] == []
