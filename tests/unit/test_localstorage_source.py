"""Reading what a browser kept: every form that it comes in, and everything that can be wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rowform.document import MAX_BYTES
from rowform.errors import InvalidSource
from rowform.localstorage.source import Source, read_source
from rowform.text import pointer
from tests.support.browsers import PLAIN, sample
from tests.support.builders import exact

GROUPS = '{"staffGroups": [{"name": "Kitchen", "members": ["料理長"]}]}'


def read(text: str | bytes) -> Source:
    return read_source("a.json", text if isinstance(text, bytes) else text.encode())


def refused(text: str | bytes) -> InvalidSource:
    with pytest.raises(InvalidSource) as caught:
        read(text)
    assert caught.value.exit_code == 1
    return caught.value


@pytest.mark.parametrize("name", PLAIN)
def test_samples_are_read_as_they_are(name: str) -> None:
    source = read(sample(name))
    assert exact(source.value) == exact(json.loads(sample(name)))
    assert (source.wrapping, source.others, source.faults) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "wrapping", "others"),
    [
        (GROUPS, (), ()),
        (json.dumps(GROUPS), ("a string",), ()),
        (json.dumps(json.dumps(GROUPS)), ("a string", "a string"), ()),
        (
            json.dumps({"theme": "dark", "shift-schedule-settings": GROUPS}),
            ("a dump", "a string"),
            ("theme",),
        ),
        (json.dumps({"shift-schedule-settings": json.loads(GROUPS)}), ("a dump",), ()),
        (json.dumps(json.dumps({"shift-schedule-settings": GROUPS})), ("a string", "a dump", "a string"), ()),
        ("\ufeff" + GROUPS, (), ()),
        (GROUPS.encode("utf-16"), (), ()),
        (f"\n  {GROUPS}\n\n", (), ()),
    ],
)
def test_every_wrapping_is_understood(
    text: str | bytes, wrapping: tuple[str, ...], others: tuple[str, ...]
) -> None:
    source = read(text)
    assert source.value == json.loads(GROUPS)
    assert (source.wrapping, source.others) == (wrapping, others)


def test_the_dump_of_a_whole_local_storage() -> None:
    source = read(sample("dump"))
    assert source.value == json.loads(sample("v4"))
    assert source.others == ("theme", "settings-migrated-to-backend")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"staffGroups": [{"name": "a"',
            "line 1, column 30, in /staffGroups/0/name: the text ends too early",
        ),
        (
            '{"staffGroups": [{"name": "a"}, {"name": "b',
            "column 42, in /staffGroups/1/name: the text ends too",
        ),
        ('{"a/b": {"c~d": [1, 2, ', "in /a~1b/c~0d/2: the text ends too early"),
        ('{"staffGroups": [{"name" "a"}]}', "in /staffGroups/0: no JSON: Expecting ':' delimiter"),
        ('{"shift-schedule-settings": "{\\"staffGroups\\": ["}', "of the string inside, in /staffGroups/0"),
        ("", "is empty"),
        ("  \n", "is empty"),
        ("[]", "[] is no object"),
        ("3", "3 is no object"),
        ("{}", "there is nothing"),
        ('{"theme": "dark"}', 'there is only "theme"'),
        ('{"shift-schedule-settings": "hello"}', "no JSON: Expecting value"),
        (b'{"staffGroups": "\xff"}', "byte 18 is not valid UTF-8"),
        ("[" * 100_000, "nested more than 64 deep"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str | bytes, message: str) -> None:
    assert message in refused(text).message


@pytest.mark.parametrize(
    ("value", "at", "message"),
    [
        ('{"name": "a", "name": "b"}', "/staffGroups/0/name", 'the key "name" is there twice'),
        ('{"name": "a", "x": NaN}', "/staffGroups/0/x", "NaN is no number"),
        ('{"name": "a", "x": [1, -Infinity]}', "/staffGroups/0/x/1", "-Infinity is no number"),
        ('{"name": "a", "x": 1e400}', "/staffGroups/0/x", "no number that a browser can have written"),
        ('{"name": "a", "x": 1e99999999999999999999}', "/staffGroups/0/x", "is no number"),
        ('{"name": "a", "x": 9007199254740993}', "/staffGroups/0/x", "no number that a browser"),
        ('{"name": "a", "x": 0.10000000000000000001}', "/staffGroups/0/x", "no number that a browser"),
        ('{"name": "a", "x": ' + "9" * 5000 + "}", "/staffGroups/0/x", "is no number"),
    ],
)
def test_what_cannot_even_be_kept_is_refused_with_its_pointer(value: str, at: str, message: str) -> None:
    (fault,) = refused(f'{{"staffGroups": [{value}]}}').faults
    assert fault.to_json()["pointer"] == at
    assert message in fault.to_json()["message"]
    assert len(str(fault)) < 200


@pytest.mark.parametrize(
    "number", ["1", "1.0", "1.50", "-0", "0.1", "1e3", "1e21", "123456789012345680000", "5e-324"]
)
def test_numbers_that_browsers_write_keep_their_value(number: str) -> None:
    source = read(f'{{"staffGroups": [{{"name": "a", "x": {number}}}]}}')
    assert source.faults == ()
    assert float(source.value["staffGroups"][0]["x"]) == float(number)


@pytest.mark.parametrize(
    ("entry", "at", "message"),
    [
        ({"name": "a\x1bb"}, "/staffGroups/0/name", "U+001B (ESCAPE) is not allowed in settings"),
        ({"x": [{"y": "\u202e"}]}, "/staffGroups/0/x/0/y", "RIGHT-TO-LEFT OVERRIDE"),
        ({"x": "\ud800"}, "/staffGroups/0/x", "U+D800"),
        ({"x": "\0"}, "/staffGroups/0/x", "U+0000 (NULL)"),
        ({"__proto__": {"x": 1}}, "/staffGroups/0/__proto__", "an attack on JavaScript"),
        ({"a\0b": 1}, "/staffGroups/0/a\0b", "not allowed in a key"),
        ({"x": "x" * 2_000_000}, "/staffGroups/0/x", "2,000,000 characters"),
    ],
)
def test_what_settings_cannot_hold_is_a_fault(entry: dict[str, Any], at: str, message: str) -> None:
    (fault,) = read(json.dumps({"staffGroups": [entry]})).faults
    assert pointer(fault.path) == at
    assert fault.path == fault.remedy
    assert message in fault.message


def test_nesting_within_json_s_limits_has_one_of_ours() -> None:
    (fault,) = refused('{"staffGroups": ' + "[" * 100 + "]" * 100 + "}").faults
    assert "nested more than 64 deep" in str(fault)


def test_more_than_a_browser_stores_is_refused_unread() -> None:
    assert "larger than 10,485,760 bytes" in refused(b"[" * (MAX_BYTES + 1)).message
