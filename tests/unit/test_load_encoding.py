"""Bytes that are no text for settings: errors at their position, through the whole of loading."""

from __future__ import annotations

import pytest

from tests.support.builders import header, said

_GROUP = b"staff_groups:\n  - name: "
_FIX = "save it as UTF-8 without BOM"
_REMOVE = "remove the character"

BYTES = {
    "UTF-16, little endian": ("x: 1\n".encode("utf-16"), f"1:1: this file is UTF-16 ({_FIX})"),
    "UTF-16, big endian": (b"\xfe\xff\x00x", f"1:1: this file is UTF-16 ({_FIX})"),
    "UTF-16 without mark": ("staff_groups: []".encode("utf-16-le"),
    f"1:1: this file looks like UTF-16 ({_FIX})"),
    "UTF-8 with mark": (b"\xef\xbb\xbfstaff_groups: []\n",
    f"1:1: this file is UTF-8 with a byte order mark ({_FIX})"),
    "Latin-1": (_GROUP + "Café\n".encode("latin-1"),
    "2:14: byte 0xE9 is not valid UTF-8 (save the file as UTF-8)"),
    "surrogate": (_GROUP + b"a\xed\xa0\x80\n", "2:12: byte 0xED is not valid UTF-8 (save the file as UTF-8)"),
    "NUL": (_GROUP + b"a\x00b\n", f"2:12: U+0000 (NULL) is not allowed ({_REMOVE})"),
    "ESC": (_GROUP + b"\x1b[31m\n", f"2:11: U+001B (ESCAPE) is not allowed ({_REMOVE})"),
    "C1": (_GROUP + "料\x9b\n".encode(), f"2:12: U+009B (control character) is not allowed ({_REMOVE})"),
    "override": (_GROUP + "a\u202eb\n".encode(),
    f"2:12: U+202E (RIGHT-TO-LEFT OVERRIDE) is not allowed ({_REMOVE})"),
    "isolate": (_GROUP + b"a # \xe2\x81\xa6\n",
    f"2:15: U+2066 (LEFT-TO-RIGHT ISOLATE) is not allowed ({_REMOVE})"),
    "NUL by escape": (_GROUP + b'"a\\0b"\n',
    "2:11: an escape in this text makes U+0000 (NULL), which is not allowed"),
    "ESC by escape": (_GROUP + b'"\\e"\n',
    "2:11: an escape in this text makes U+001B (ESCAPE), which is not allowed"),
    "half a pair": (
        _GROUP + b'"\\ud83d\\ude00"\n',
        "2:12: this escape is no character (surrogate pairs are JSON, not YAML: write the character itself)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_text(data: bytes, expected: str) -> None:
    assert said({"sakura/restaurant.yaml": header(), "sakura/a.yaml": data}) == [f"sakura/a.yaml:{expected}"]


def test_all_forbidden_characters_of_all_files_are_named() -> None:
    bad = b"staff_groups: []  # \x1b \xc2\x85\n"
    assert said({"sakura/restaurant.yaml": header(), "sakura/a.yaml": bad, "sakura/b.yaml": bad}) == [
        f"sakura/{file}:1:{column}: {name} is not allowed (remove the character)"
        for file in ("a.yaml", "b.yaml")
        for column, name in ((21, "U+001B (ESCAPE)"), (23, "U+0085 (control character)"))
    ]


def test_line_breaks_of_all_systems_count() -> None:
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["staff_groups:", "  - name: Kitchen", "    color: red", ""])
        assert said({"sakura/restaurant.yaml": header(), "sakura/a.yaml": text}) == [
            'sakura/a.yaml:3:12: color: "red" is not a colour; write it as "#RRGGBB", in quotes'
        ]
