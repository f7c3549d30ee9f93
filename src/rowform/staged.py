"""Versions that are made and wait for their activation."""

from __future__ import annotations

from dataclasses import dataclass

from rowform.state import Content, digest
from rowform.text import Code, Sentence


@dataclass(frozen=True, slots=True)
class Staged:
    """A version that was made to follow the active one, and has never been active itself.

    ``digest`` is that of its content, if one was recorded.
    """

    version_id: str
    version_number: int
    name: str
    digest: str | None


def has_content(staged: Staged, content: Content) -> bool:
    """Whether a staged version has this content, and no other."""
    return staged.digest == digest(content)


def staged_note(slug: str, staged: Staged, target: Content) -> Sentence:
    """What a plan for ``target`` says of a staged version."""
    matches = has_content(staged, target)
    command = "activate" if matches else "show"
    return Sentence(
        "version {number} {name} is staged and has this content already: {command} makes it the active one"
        if matches
        else "version {number} {name} is staged, with other content, and not active: {command} shows it",
        number=staged.version_number,
        name=staged.name,
        command=Code(f"rowform {command} {staged.version_number} -r {slug}"),
    )
