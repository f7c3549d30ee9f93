"""What real repositories tell: the commit at hand, and why each entry was changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from rowform.errors import GitError
from rowform.git import Repository
from rowform.kinds import kinds
from rowform.reverts import reverted_by, reverts
from rowform.sync.configuration import Settings, load_configuration
from rowform.sync.reasons import Reason, reasons
from tests.support.builders import actual, group, header, nothing, planned, setting, write

KITCHEN = "staff_groups:\n  - name: Kitchen\n    color: '#fff'\n    description: All who cook\n"
FLOOR = "  - name: Floor\n"


class Repo:
    """A repository with a config directory, one minute between commits."""

    def __init__(self, root: Path, config: str = "config", start: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.config = root / config
        self._minute = 0
        self.git("init", "-q", "-b", "main")
        self.first = self.commit("Start", {"sakura/restaurant.yaml": header(), **(start or {})})

    def git(self, *arguments: str) -> str:
        moment = f"2026-01-01T00:{self._minute:02}:00Z"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "Ann Ötzi", "GIT_AUTHOR_EMAIL": "ann@example.org", "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_NAME": "CI", "GIT_COMMITTER_EMAIL": "ci@example.org", "GIT_COMMITTER_DATE": moment,
        }  # fmt: skip
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str | None]) -> None:
        """Write files of the config directory; ``None`` deletes one."""
        write(self.config, {path: text for path, text in files.items() if text is not None})
        for path, text in files.items():
            if text is None:
                (self.config / path).unlink()

    def commit(self, subject: str, files: Mapping[str, str | None]) -> str:
        """Commit changes of files; returns ``SUBJECT (SHORT)``."""
        self._minute += 1
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", f"{subject}\n\nBody.")
        return f"{subject} ({self.git('rev-parse', '--short', 'HEAD')})"

    @property
    def repository(self) -> Repository:
        found = Repository.around(self.config)
        assert found is not None
        return found

    def why(self, *gone: str) -> dict[str, str]:
        """The reason for every group of sakura, and for those that are ``gone``, by key."""
        wanted = load_configuration(Settings(self.config)).state.restaurants["sakura"]
        there = actual(*(group(key) for key in gone)) if gone else nothing()
        repository = self.repository
        found = reasons(repository, repository.head(), [planned(wanted, there)], kinds(), self.config)
        return {key: reason.text for (_, key), reason in found["sakura"].items()}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


# --- the commit at hand --------------------------------------------------------------------------


def test_head(repo: Repo) -> None:
    repo.commit('Add Küche "x" | y', {"sakura/a.yaml": KITCHEN})
    head = repo.repository.head()
    assert (head.sha, head.short) == (repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "--short", "HEAD"))
    assert (head.author, head.subject) == ("Ann Ötzi <ann@example.org>", 'Add Küche "x" | y')
    assert (head.ref, head.dirty) == ("main", False)


def test_branches_and_detached_heads(repo: Repo) -> None:
    repo.git("switch", "-q", "-c", "feature/料理")
    assert repo.repository.head().ref == "feature/料理"
    repo.git("switch", "-q", "--detach")
    assert repo.repository.head().ref is None


def test_dirty_means_the_config_directory(repo: Repo) -> None:
    (repo.root / "elsewhere.txt").write_text("x")
    assert not repo.repository.head().dirty
    repo.write({"sakura/new.yaml": "{}\n"})
    assert repo.repository.head().dirty
    repo.git("add", "-A")
    assert repo.repository.head().dirty
    repo.git("commit", "-q", "-m", "x")
    assert not repo.repository.head().dirty
    repo.write({"sakura/new.yaml": None})
    assert repo.repository.head().dirty


def test_an_ignored_file_is_not_dirt(repo: Repo) -> None:
    (repo.root / ".gitignore").write_text("*.bak\n")
    repo.commit("Ignore", {})
    repo.write({"sakura/a.bak": ""})
    assert not repo.repository.head().dirty


# --- no repository -------------------------------------------------------------------------------


def test_no_repository(tmp_path: Path) -> None:
    write(tmp_path, {"config/sakura/restaurant.yaml": header()})
    assert Repository.around(tmp_path / "config") is None


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, timeout=60)
    (tmp_path / "config").mkdir()
    assert Repository.around(tmp_path / "config") is None


def test_no_git(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repo.root))
    assert Repository.around(repo.config) is None


def test_somebody_elses_repository(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    os.chown(repo.root, 65534, 65534)
    os.chown(repo.root / ".git", 65534, 65534)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    with pytest.raises(GitError, match="dubious ownership"):
        Repository.around(repo.config)


def test_what_git_says_when_it_fails(repo: Repo) -> None:
    with pytest.raises(GitError) as caught:
        repo.repository._git("log", "--nonsense")
    assert caught.value.message == "git log failed: fatal: unrecognized argument: --nonsense"


# --- reasons -------------------------------------------------------------------------------------


def test_the_last_commit_that_touched_each_entry(repo: Repo) -> None:
    first = repo.commit("Add both", {"sakura/a.yaml": KITCHEN + FLOOR})
    second = repo.commit("Colour the floor", {"sakura/a.yaml": KITCHEN + FLOOR + "    color: '#000'\n"})
    repo.commit("Something else", {"sakura/b.yaml": "daily_limits: []\n"})
    assert repo.why() == {"Kitchen": first, "Floor": second}


def test_a_commit_that_only_took_a_line_away(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN + FLOOR})
    second = repo.commit("No colour", {"sakura/a.yaml": KITCHEN.replace("    color: '#fff'\n", "") + FLOOR})
    assert repo.why()["Kitchen"] == second


def test_lines_that_move_or_look_otherwise_are_no_reason(repo: Repo) -> None:
    first = repo.commit("Add", {"sakura/a.yaml": KITCHEN})
    second = repo.commit("Another, before it", {"sakura/a.yaml": KITCHEN.replace(":\n", f":\n{FLOOR}", 1)})
    repo.commit(
        "Comment and quote",
        {"sakura/a.yaml": "# x\n" + KITCHEN.replace(":\n", f":\n\n{FLOOR}", 1).replace("'", '"')},
    )
    assert repo.why() == {"Kitchen": first, "Floor": second}


def test_merge_commits_are_passed_over(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN})
    repo.git("switch", "-q", "-c", "side")
    side = repo.commit("Colour on a branch", {"sakura/a.yaml": KITCHEN.replace("#fff", "#000")})
    repo.git("switch", "-q", "main")
    floor = repo.commit("Meanwhile", {"sakura/b.yaml": f"staff_groups:\n{FLOOR}"})
    repo._minute += 1
    repo.git("merge", "-q", "--no-ff", "-m", "Merge pull request #1", "side")
    assert repo.repository.head().subject == "Merge pull request #1"
    assert repo.why() == {"Kitchen": side, "Floor": floor}


def test_the_commit_that_deleted_an_entry(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN + FLOOR})
    # Names of which one is part of another.
    repo.commit("Add a longer one", {"sakura/b.yaml": "staff_groups: [{name: Floor lamp}]\n"})
    deleted = repo.commit("Close the floor", {"sakura/a.yaml": KITCHEN})
    other = repo.commit("No lamps", {"sakura/b.yaml": "{}\n"})
    repo.commit("Mention the floor", {"sakura/b.yaml": "# Floor\n{}\n"})
    assert repo.why("Floor", "Floor lamp", "Kitchen") | {"Kitchen": ""} == {
        "Floor": deleted,
        "Floor lamp": other,
        "Kitchen": "",
    }


def test_the_commit_that_deleted_a_file(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN, "sakura/x/b.yaml": f"staff_groups:\n{FLOOR}"})
    deleted = repo.commit("Delete the file", {"sakura/x/b.yaml": None})
    repo.commit("Later", {"sakura/a.yaml": KITCHEN.replace("#fff", "#000")})
    assert repo.why("Floor")["Floor"] == deleted


def test_an_entry_of_another_restaurant_is_another(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN + FLOOR})
    deleted = repo.commit("Close the floor", {"sakura/a.yaml": KITCHEN})
    momiji = {"momiji/restaurant.yaml": header(id_="22222222-2222-4222-8222-222222222222")}
    repo.commit("Open", {**momiji, "momiji/a.yaml": KITCHEN + FLOOR})
    repo.commit("Close there as well", {"momiji/a.yaml": KITCHEN})
    assert repo.why("Floor")["Floor"] == deleted


def test_inherited_entries(repo: Repo) -> None:
    repo.commit("Inherit", {"sakura/restaurant.yaml": header(inherits=["_d"]), "_d/a.yaml": KITCHEN + FLOOR})
    changed = repo.commit("Defaults", {"_d/a.yaml": KITCHEN.replace("#fff", "#000") + FLOOR})
    deleted = repo.commit("Fewer defaults", {"_d/a.yaml": KITCHEN.replace("#fff", "#000")})
    assert repo.why("Floor") == {"Kitchen": changed, "Floor": deleted}


def test_a_renamed_entry(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN})
    renamed = repo.commit(
        "Rename", {"sakura/a.yaml": KITCHEN.replace("Kitchen", "Galley\n    previously: [Kitchen]")}
    )
    repo.commit("Later", {"sakura/b.yaml": f"staff_groups:\n{FLOOR}"})
    assert repo.why()["Galley"] == renamed


def test_a_renamed_file_keeps_its_history(repo: Repo) -> None:
    big = KITCHEN + "".join(f"  - name: Group {index}\n" for index in range(20))
    first = repo.commit("Add", {"sakura/a.yaml": big})
    second = repo.commit("Colour", {"sakura/a.yaml": big.replace("#fff", "#000")})
    repo.commit("Move the file", {"sakura/a.yaml": None, "sakura/sub/ü b.yaml": big.replace("#fff", "#000")})
    third = repo.commit("New one at the old place", {"sakura/a.yaml": f"staff_groups:\n{FLOOR}"})
    repo.commit("And again", {"sakura/sub/ü b.yaml": None, "sakura/c.yaml": big.replace("#fff", "#000")})
    found = repo.why()
    assert (found["Kitchen"], found["Group 7"], found["Floor"]) == (second, first, third)
    # Moved, and not committed yet.
    repo.git("mv", "config/sakura/c.yaml", "config/sakura/d.yaml")
    assert repo.why() == found
    repo.write({"sakura/c.yaml": "staff_groups:\n  - name: New\n"})
    short = repo.git("rev-parse", "--short", "HEAD")
    assert repo.why() == {**found, "New": f"uncommitted changes on {short}"}


def test_what_is_not_committed(repo: Repo) -> None:
    first = repo.commit("Add", {"sakura/a.yaml": KITCHEN + FLOOR + "  - name: Old\n"})
    short = repo.git("rev-parse", "--short", "HEAD")
    repo.write(
        {
            "sakura/a.yaml": KITCHEN.replace("#fff", "#000") + FLOOR,
            "sakura/new.yaml": "staff_groups: [{name: New}]\n",
        }
    )
    uncommitted = f"uncommitted changes on {short}"
    expected = {"Kitchen": uncommitted, "Floor": first, "New": uncommitted, "Old": uncommitted}
    assert repo.why("Old") == expected
    repo.git("add", "-A")
    assert repo.why("Old") == expected


def test_a_config_directory_that_is_the_repository(tmp_path: Path) -> None:
    repo = Repo(tmp_path, ".")
    first = repo.commit("Add", {"sakura/a.yaml": KITCHEN + FLOOR})
    deleted = repo.commit("Delete", {"sakura/a.yaml": KITCHEN})
    assert repo.why("Floor") == {"Kitchen": first, "Floor": deleted}


def test_a_config_directory_deep_inside(tmp_path: Path) -> None:
    repo = Repo(tmp_path, "apps/our restaurant/config")
    first = repo.commit("Add", {"sakura/a.yaml": KITCHEN + FLOOR})
    (repo.root / "apps/sakura").mkdir()
    (repo.root / "apps/sakura/a.yaml").write_text(KITCHEN)
    repo.commit("Something that looks alike, outside", {})
    deleted = repo.commit("Delete", {"sakura/a.yaml": KITCHEN})
    assert repo.why("Floor") == {"Kitchen": first, "Floor": deleted}


def test_a_shallow_clone_knows_what_it_has(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN})
    last = repo.commit("Floor", {"sakura/b.yaml": f"staff_groups:\n{FLOOR}"})
    repo.git("clone", "-q", "--depth", "1", f"file://{tmp_path}", "shallow")
    clone = object.__new__(Repo)
    clone.root, clone.config = tmp_path / "shallow", tmp_path / "shallow/config"
    assert clone.why() == {"Kitchen": last, "Floor": last}


def test_files_that_were_broken_once_are_no_obstacle(repo: Repo) -> None:
    repo.commit("Add", {"sakura/a.yaml": KITCHEN})
    repo.commit("Break it", {"sakura/a.yaml": "staff_groups: [\n"})
    repo.commit("List of nothing", {"sakura/a.yaml": "staff_groups: [1, ~, {}]\n"})
    mended = repo.commit("Mend it", {"sakura/a.yaml": KITCHEN})
    assert repo.why() == {"Kitchen": mended}


@pytest.mark.parametrize(
    "option",
    ["color.ui=always", "log.showSignature=true", "log.showRoot=false", "diff.relative=true",
    "diff.noprefix=true",
     "status.relativePaths=true", "status.short=true", "core.quotePath=true", "diff.renames=false",
     "log.decorate=full",
     "format.pretty=fuller", "log.follow=true", "status.branch=true", "i18n.logOutputEncoding=latin-1",
     "core.fsmonitor=false", "diff.algorithm=patience", "log.mailmap=false"],
)  # fmt: skip
def test_the_users_own_git_settings_do_not_matter(tmp_path: Path, option: str) -> None:
    repo = Repo(tmp_path, start={"sakura/r ü.yaml": KITCHEN.replace("Kitchen", "Root")})
    first = repo.commit("Add ü", {"sakura/ü.yaml": KITCHEN + FLOOR})
    second = repo.commit("Delete ü", {"sakura/ü.yaml": KITCHEN})
    repo.git("config", *option.split("="))
    assert repo.why("Floor") == {"Root": repo.first, "Kitchen": first, "Floor": second}
    head = repo.repository.head()
    assert (head.subject, head.author, head.ref, head.dirty) == (
        "Delete ü",
        "Ann Ötzi <ann@example.org>",
        "main",
        False,
    )


def test_a_value_that_changes_its_type(repo: Repo) -> None:
    limit = "daily_limits: [{name: L, limit_config: {x: 1}}]\n"
    repo.commit("Add", {"sakura/a.yaml": limit})
    second = repo.commit("A boolean now", {"sakura/a.yaml": limit.replace("x: 1", "x: true")})
    repo.commit("Later", {"sakura/b.yaml": "{}\n"})
    wanted = load_configuration(Settings(repo.config)).state.restaurants["sakura"]
    plan = planned(wanted, actual(setting("daily_limits", "L", limit_config={"x": 1})))
    repository = repo.repository
    found = reasons(repository, repository.head(), [plan], kinds(), repo.config)
    assert found == {"sakura": {("daily_limits", "L"): Reason(second)}}


# --- reverts -------------------------------------------------------------------------------------


SHA = "1a2b3c4d" * 5


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (f'Revert "x"\n\nThis reverts commit {SHA}.\n', (SHA,)),
        (f'Reapply "x"\n\nThis reverts commit {SHA}.', (SHA,)),
        (f"Revert\n\nThis reverts commit {SHA}, reversing\nchanges made to {'9' * 40}.\n", (SHA,)),
        ("Revert\n\nThis reverts commit 1a2b3c4 (Subject, 2026-01-01).\n", ("1a2b3c4",)),
        (f"x\n\n* R\n\n  This reverts commit {SHA}.\n> This reverts commit 7654321.", (SHA, "7654321")),
        (f"x\n\nThis reverts commit {SHA}.\nThis reverts commit {SHA}.", (SHA,)),
        (f"x\n\nWe said: This reverts commit {SHA}.", ()),
        ("x\n\nThis reverts commit of yesterday. This reverts commit 1234567890abcdefg.", ()),
        ("Reverts owner/repository#12", ()),
    ],
)  # fmt: skip
def test_what_a_message_says_of_reverts(message: str, found: tuple[str, ...]) -> None:
    assert reverts(message) == found


def test_the_commits_that_take_others_back(repo: Repo) -> None:
    repo.commit("Fault\n\n日本語", {"sakura/a.yaml": KITCHEN})
    fault = repo.git("rev-parse", "HEAD")
    repo.git("revert", "--no-edit", "HEAD")
    revert = repo.git("rev-parse", "HEAD")
    repo.git("revert", "--no-edit", "HEAD")
    again = repo.git("rev-parse", "HEAD")
    assert reverted_by(repo.repository, [again, fault, revert]) == {revert: (fault,), again: (revert,)}
    assert reverted_by(repo.repository, []) == {}
    with pytest.raises(GitError):
        reverted_by(repo.repository, ["0" * 40])
