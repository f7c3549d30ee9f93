"""A repository at "GitHub": a bare Git repository, somebody's clone of it, and what ``fake_gh`` keeps."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = "example/settings"
ZEROS = "0" * 40


@dataclass(frozen=True)
class Event:
    """What starts a workflow: its name, the payload, and what would be checked out.

    ``fork`` says that the run gets no secrets and a token that may only read.
    """

    name: str
    payload: dict[str, Any]
    sha: str
    ref: str
    base_ref: str = ""
    fork: bool = False
    actor: str = "aiko"


class Forge:
    """``clone`` is the developer's; everything that others see goes through the bare repository."""

    def __init__(self, directory: Path) -> None:
        self.remote = directory / "remote.git"
        self.clone = directory / "clone"
        self.file = directory / "github.json"
        self.home = directory / "home"
        self.home.mkdir(parents=True)
        for arguments in (
            ["init", "--quiet", "--bare", "--initial-branch=main", str(self.remote)],
            ["clone", "--quiet", str(self.remote), str(self.clone)],
        ):
            self._run(directory, *arguments)
        # As GitHub: a shallow clone may be had, and of any commit.
        self._run(self.remote, "config", "uploadpack.allowAnySHA1InWant", "true")
        self.save(
            {
                "repository": REPOSITORY,
                "remote": str(self.remote),
                "last": 0,
                "tokens": {},
                "comments": [],
                "issues": [],
                "pulls": [],
            }
        )

    def environment(self) -> dict[str, str]:
        """What Git needs, and nothing of the user's own configuration."""
        return {
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
        }

    def _run(self, directory: Path, *arguments: str, author: str = "Aiko Sato") -> str:
        name, email = author, f"{author.split(maxsplit=1)[0].lower()}@example.com"
        identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
                    (("NAME", name), ("EMAIL", email))}  # fmt: skip
        done = subprocess.run(
            ["git", *arguments],
            cwd=directory,
            env={**self.environment(), **identity},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.strip()

    def git(self, *arguments: str, author: str = "Aiko Sato") -> str:
        """Run Git in the developer's clone."""
        return self._run(self.clone, *arguments, author=author)

    def read(self) -> dict[str, Any]:
        """What GitHub knows."""
        state: dict[str, Any] = json.loads(self.file.read_text("utf-8"))
        return state

    def save(self, state: dict[str, Any]) -> None:
        """Make it what GitHub knows."""
        self.file.write_text(json.dumps(state, ensure_ascii=False, indent=1), "utf-8")

    def token(self, permissions: dict[str, str]) -> str:
        """A new token that may do this."""
        state = self.read()
        token = f"ghs_{len(state['tokens'])}"
        state["tokens"][token] = permissions
        self.save(state)
        return token

    def commit(self, subject: str, author: str = "Aiko Sato") -> str:
        """Commit everything in the clone; returns the SHA."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject, author=author)
        return self.git("rev-parse", "HEAD")

    def commit_empty(self, subject: str) -> None:
        """Commit nothing but a message."""
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)

    def push(self) -> Event:
        """Push the branch that is checked out."""
        branch = self.git("rev-parse", "--abbrev-ref", "HEAD")
        known = self._run(self.remote, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        self.git("push", "--quiet", "--force", "origin", branch)
        return self._pushed(branch, known or ZEROS)

    def _pushed(self, branch: str, before: str) -> Event:
        sha = self._run(self.remote, "rev-parse", f"refs/heads/{branch}")
        return Event("push", {"before": before, "after": sha}, sha, f"refs/heads/{branch}")

    def open_pull(self, title: str) -> int:
        """Open a pull request from the branch that is checked out, which was pushed."""
        state = self.read()
        number = len(state["issues"]) + 1
        branch = self.git("rev-parse", "--abbrev-ref", "HEAD")
        issue = {"number": number, "state": "open", "title": title, "body": "", "user": {"login": "aiko"}}
        state["issues"].append({**issue, "pull_request": {}})
        state["pulls"].append(
            {"number": number, "head": branch, "base": "main", "merge_commit_sha": None, "commits": []}
        )
        self.save(state)
        return number

    def pull_event(self, number: int, *, fork: bool = False, actor: str = "aiko") -> Event:
        """The event of a pull request, with the merge commit that GitHub makes for it."""
        pull = self._pull(self.read(), number)
        self.git("fetch", "--quiet", "origin")
        self.git("switch", "--quiet", "--detach", "origin/main")
        self.git("merge", "--quiet", "--no-ff", "--message", "Merge for a test run", f"origin/{pull['head']}")
        ref = f"refs/pull/{number}/merge"
        self.git("push", "--quiet", "--force", "origin", f"HEAD:{ref}")
        sha = self.git("rev-parse", "HEAD")
        self.git("switch", "--quiet", pull["head"])
        name = "outsider/settings" if fork else REPOSITORY
        payload = {
            "number": number,
            "pull_request": {"number": number, "head": {"repo": {"full_name": name}}},
        }
        return Event("pull_request", payload, sha, ref, "main", fork or actor == "dependabot[bot]", actor)

    def merge(self, number: int, author: str = "Hanako Mori") -> Event:
        """Merge a pull request, as the green button does."""
        state = self.read()
        pull = self._pull(state, number)
        self.git("fetch", "--quiet", "origin")
        self.git("switch", "--quiet", "main")
        self.git("reset", "--quiet", "--hard", "origin/main")
        before, head = self.git("rev-parse", "HEAD"), f"origin/{pull['head']}"
        pull["commits"] = self.git("rev-list", f"HEAD..{head}").split()
        message = f"Merge pull request #{number} from example/{pull['head']}"
        self.git("merge", "--quiet", "--no-ff", "--message", message, head, author=author)
        self.git("push", "--quiet", "origin", "main")
        pull["merge_commit_sha"] = self.git("rev-parse", "HEAD")
        for issue in state["issues"]:
            if issue["number"] == number:
                issue["state"] = "closed"
        self.save(state)
        return self._pushed("main", before)

    @staticmethod
    def _pull(state: dict[str, Any], number: int) -> dict[str, Any]:
        (found,) = (one for one in state["pulls"] if one["number"] == number)
        assert isinstance(found, dict)
        return found

    def started(self, name: str = "workflow_dispatch", **inputs: str) -> Event:
        """A run that somebody starts by hand, or the clock."""
        sha = self._run(self.remote, "rev-parse", "refs/heads/main")
        return Event(name, {"inputs": inputs}, sha, "refs/heads/main")

    def comments(self, number: int) -> list[str]:
        """The comments of a pull request or issue."""
        return [one["body"] for one in self.read()["comments"] if one["issue"] == number]
