"""Stands in for GitHub's ``gh``: ``gh api`` on what a JSON file says of one repository.

It knows the calls of the shipped workflows, checks the token's permissions, and fails as ``gh`` fails:
the answer on stdout, one line on stderr, exit code 1; code 4 without a token.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jq

#: What GitHub takes as the body of a comment, an issue or a pull request.
MOST = 65_536
_BOT = {"login": "github-actions[bot]", "type": "Bot"}


class HttpError(Exception):
    """GitHub's answer is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Forge:
    """One repository: its comments, issues and pull requests."""

    def __init__(self, state: dict[str, Any], token: str) -> None:
        if token not in state["tokens"]:
            raise HttpError(401, "Bad credentials")
        self.state = state
        self.permissions: dict[str, str] = state["tokens"][token]

    def call(self, method: str, path: str, fields: dict[str, str], query: dict[str, str]) -> Any:
        """What GitHub answers; lists are whole."""
        prefix = f"repos/{self.state['repository']}/"
        if not path.startswith(prefix):
            raise HttpError(404, "Not Found")
        for (wanted, pattern), handler in _ROUTES.items():
            found = re.fullmatch(pattern, path.removeprefix(prefix))
            if wanted == method and found:
                return handler(self, *found.groups(), fields=fields, query=query)
        raise HttpError(404, "Not Found")

    def need(self, level: str, *names: str) -> None:
        levels = {"read": ("read", "write"), "write": ("write",)}[level]
        if not any(self.permissions.get(name) in levels for name in names):
            raise HttpError(403, "Resource not accessible by integration")

    def issue(self, number: str) -> dict[str, Any]:
        for one in self.state["issues"]:
            if one["number"] == int(number):
                return one
        raise HttpError(404, "Not Found")

    def scope(self, number: str) -> str:
        """Comments of a pull request are the business of ``pull-requests``."""
        return "pull-requests" if "pull_request" in self.issue(number) else "issues"

    def add(self, table: str, **values: Any) -> dict[str, Any]:
        self.state["last"] += 1
        row = {"id": self.state["last"], "user": _BOT, **values}
        self.state[table].append(row)
        return row


def _body(fields: dict[str, str]) -> str:
    body = fields.get("body", "")
    if len(body) > MOST:
        raise HttpError(422, "Validation Failed: body is too long (maximum is 65536 characters)")
    return body


def list_comments(forge: Forge, number: str, **_: Any) -> Any:
    forge.need("read", "issues", "pull-requests")
    forge.issue(number)
    return [one for one in forge.state["comments"] if one["issue"] == int(number)]


def add_comment(forge: Forge, number: str, *, fields: dict[str, str], **_: Any) -> Any:
    forge.need("write", forge.scope(number))
    return forge.add("comments", issue=int(number), body=_body(fields))


def edit_comment(forge: Forge, id_: str, *, fields: dict[str, str], **_: Any) -> Any:
    for one in forge.state["comments"]:
        if one["id"] == int(id_):
            forge.need("write", forge.scope(one["issue"]))
            one["body"] = _body(fields)
            return one
    raise HttpError(404, "Not Found")


def list_issues(forge: Forge, *, query: dict[str, str], **_: Any) -> Any:
    forge.need("read", "issues")
    return [one for one in forge.state["issues"] if one["state"] == query.get("state", "open")]


def add_issue(forge: Forge, *, fields: dict[str, str], **_: Any) -> Any:
    forge.need("write", "issues")
    return _numbered(forge, state="open", title=fields["title"], body=_body(fields))


def edit_issue(forge: Forge, number: str, *, fields: dict[str, str], **_: Any) -> Any:
    forge.need("write", forge.scope(number))
    _body(fields)
    forge.issue(number).update(fields)
    return forge.issue(number)


def pulls_of_commit(forge: Forge, sha: str, **_: Any) -> Any:
    forge.need("read", "pull-requests")
    return [one for one in forge.state["pulls"] if sha in (one["merge_commit_sha"], *one["commits"])]


def add_pull(forge: Forge, *, fields: dict[str, str], **_: Any) -> Any:
    forge.need("write", "pull-requests")
    ends = [f"refs/heads/{fields[name]}" for name in ("base", "head")]
    found = subprocess.run(
        ["git", "-C", forge.state["remote"], "rev-list", "--count", "..".join(ends)],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode or found.stdout.strip() == "0":
        raise HttpError(422, "Validation Failed")
    one = _numbered(forge, state="open", title=fields["title"], body=_body(fields), pull_request={})
    pull = {
        **{name: fields[name] for name in ("head", "base", "title", "body")},
        "number": one["number"],
        "html_url": f"https://github.com/{forge.state['repository']}/pull/{one['number']}",
        "merge_commit_sha": None,
        "commits": [],
    }
    forge.state["pulls"].append(pull)
    return pull


def _numbered(forge: Forge, **values: Any) -> dict[str, Any]:
    return forge.add("issues", number=len(forge.state["issues"]) + 1, **values)


_ROUTES: dict[tuple[str, str], Callable[..., Any]] = {
    ("GET", r"issues/(\d+)/comments"): list_comments,
    ("POST", r"issues/(\d+)/comments"): add_comment,
    ("PATCH", r"issues/comments/(\d+)"): edit_comment,
    ("GET", r"issues"): list_issues,
    ("POST", r"issues"): add_issue,
    ("PATCH", r"issues/(\d+)"): edit_issue,
    ("GET", r"commits/([0-9a-f]{40})/pulls"): pulls_of_commit,
    ("POST", r"pulls"): add_pull,
}


def pages(answer: Any, query: dict[str, str], *, all_of_them: bool) -> list[Any]:
    """A list in pages, as GitHub sends it; without ``--paginate`` only the first one."""
    if not isinstance(answer, list):
        return [answer]
    size = min(int(query.get("per_page", "30")), 100)
    cut = [answer[start : start + size] for start in range(0, len(answer), size)] or [[]]
    return cut if all_of_them else cut[:1]


def field(text: str, *, raw: bool) -> tuple[str, str]:
    """``--field`` reads files, ``--raw-field`` takes what is there."""
    name, equals, value = text.partition("=")
    if not equals:
        raise SystemExit(f"field \"{text}\" requires a value separated by an '=' sign")
    if not raw and value.startswith("@"):
        return name, Path(value[1:]).read_text("utf-8")
    if not raw and (value in ("true", "false", "null") or re.fullmatch(r"-?\d+", value)):
        raise SystemExit(f"{text}: not needed here")
    return name, value


def main() -> int:
    """``gh api``."""
    parser = ArgumentParser(prog="gh", allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("endpoint")
    parser.add_argument("--method")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--jq")
    parser.add_argument("--field", action="append", default=[])
    parser.add_argument("--raw-field", action="append", default=[])
    given = parser.parse_args()
    token = os.environ.get("GH_TOKEN")
    if not token:
        print("gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.",
              file=sys.stderr)  # fmt: skip
        return 4
    file = Path(os.environ["FAKE_GH_STATE"])
    state = json.loads(file.read_text("utf-8"))
    fields = dict(
        [
            *(field(text, raw=False) for text in given.field),
            *(field(text, raw=True) for text in given.raw_field),
        ]
    )
    method = given.method or ("POST" if fields else "GET")
    address = urlsplit(given.endpoint)
    query = {name: values[-1] for name, values in parse_qs(address.query).items()}
    try:
        answer = Forge(state, token).call(method, address.path, fields, query)
    except HttpError as error:
        print(json.dumps({"message": error.message, "status": str(error.status)}))
        print(f"gh: {error.message} (HTTP {error.status})", file=sys.stderr)
        return 1
    file.write_text(json.dumps(state, ensure_ascii=False, indent=1), "utf-8")
    if given.silent:
        return 0
    for page in pages(answer, query, all_of_them=given.paginate):
        found = jq.compile(given.jq).input_value(page).all() if given.jq else [page]
        for value in found:
            print(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
