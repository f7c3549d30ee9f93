"""Taking over an application's own tables: look, list what does not fit, move what does."""

from rowform.store.adoption.examination import Adoption, examine
from rowform.store.adoption.findings import Choices, Finding
from rowform.store.adoption.steps import (
    awaken_steps,
    book_steps,
    close_kind,
    close_schema,
    kind_steps,
    last_steps,
    lock_tables,
)

__all__ = [
    "Adoption",
    "Choices",
    "Finding",
    "awaken_steps",
    "book_steps",
    "close_kind",
    "close_schema",
    "examine",
    "kind_steps",
    "last_steps",
    "lock_tables",
]
