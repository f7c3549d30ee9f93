"""The configuration of a commit is read by the same rules as the files of a clean checkout."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Mapping
from pathlib import Path

import pytest

from rowform.document import MAX_BYTES
from rowform.errors import GitError
from rowform.files import ConfigFiles, read_config
from rowform.git import Repository
from rowform.tree import read_commit
from tests.support.builders import header, write
from tests.support.project import Project

SAKURA = {"config/sakura/restaurant.yaml": header(), "config/sakura/a.yaml": "staff_groups: []\n"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    write(tmp_path, SAKURA)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path, "")


def at(project: Project, config: str = "config", rev: str = "HEAD") -> ConfigFiles:
    directory = project.directory / config
    repository = Repository.around(directory)
    assert repository is not None
    return read_commit(repository, Path(config), project.git("rev-parse", rev), "1a2b3c4")


def agree(project: Project, config: str = "config") -> ConfigFiles:
    """Commit all; the commit and the files have to read the same. Returns what the commit has."""
    project.commit("All")
    there, here = at(project, config), read_config(Path(config))
    assert [(one.parts, one.data) for one in there.files] == [(one.parts, one.data) for one in here.files]
    assert list(there.folders) == list(here.folders)
    assert (there.tool and there.tool.data) == (here.tool and here.tool.data)
    assert [str(problem) for problem in there.problems] == [f"1a2b3c4:{problem}" for problem in here.problems]
    assert [one.shown for one in there.files] == [f"1a2b3c4:{one.shown}" for one in here.files]
    return there


def link(project: Project, links: Mapping[str, str]) -> None:
    for name, target in links.items():
        path = project.directory / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)


def test_all_that_is_read(project: Project) -> None:
    write(
        project.directory,
        {
            "config/rowform.yaml": "# tool\n",
            "config/_defaults/x.yaml": b"\xff\x00\r\n",
            "config/sakura/rules/b/c.yaml": "{}\n",
            "config/sakura/日本 語\n.yaml": "{}\n",
            "config/sakura/same.yaml": "{}\n",
            "config/sakura/empty.yaml": "",
            "config/sakura/b.yaml/c.yaml": "{}\n",
            "config/sakura/.hidden.yaml": "[",
            "config/.github/x.yaml": "[",
            "config/sakura/x.yaml~": "[",
            "config/README.md": "x",
            "elsewhere/x.yaml": "[",
            "config2/x.yaml": "[",
        },
    )
    found = agree(project)
    assert len(found.files) == 8
    assert found.tool is not None


def test_all_that_is_refused(project: Project) -> None:
    write(
        project.directory,
        {
            "config/x.yaml": "{}\n",
            "config/sakura/a.yml": "{}\n",
            "config/two words/a.yaml": "{}\n",
            "config/sakura/large.yaml": b"#" * (MAX_BYTES + 1),
            "config/sakura/largest.yaml": b"#" * MAX_BYTES,
        },
    )
    found = agree(project)
    assert len(found.problems) == 4
    assert "sakura/largest.yaml" in ["/".join(one.parts) for one in found.files]


def test_links(project: Project) -> None:
    write(
        project.directory,
        {"config/_shared/groups.yaml": "{}\n", "config/_shared/text": "{}\n", "out.yaml": ""},
    )
    link(
        project,
        {
            "sakura/inside.yaml": "../_shared/groups.yaml",
            "sakura/around.yaml": "../../config/_shared/./text",
            "sakura/again.yaml": "inside.yaml",
            "sakura/outside.yaml": "../../out.yaml",
            "sakura/nothing.yaml": "gone.yaml",
            "sakura/directory.yaml": "../_shared",
            "sakura/directory": "../_shared",
            "sakura/other": "../../out.yaml",
            "momiji": "sakura",
            "rowform.yaml": "_shared/text",
        },
    )  # fmt: skip
    found = agree(project)
    assert found.tool is not None
    assert {"sakura/inside.yaml", "sakura/again.yaml", "sakura/around.yaml"} <= {
        "/".join(one.parts) for one in found.files
    }


def test_links_that_lead_nowhere(project: Project) -> None:
    link(project, {"sakura/b.yaml": "c.yaml", "sakura/c.yaml": "b.yaml", "sakura/d.yaml": "/etc/passwd"})
    link(project, {"sakura/e.yaml": "../../../../x.yaml"})
    project.commit("All")
    assert [str(problem) for problem in at(project).problems] == [
        "1a2b3c4:config/sakura/b.yaml:1:1: cannot be read: symbolic link loop",
        "1a2b3c4:config/sakura/c.yaml:1:1: cannot be read: symbolic link loop",
        "1a2b3c4:config/sakura/d.yaml:1:1: is a symbolic link that leaves the config directory",
        "1a2b3c4:config/sakura/e.yaml:1:1: is a symbolic link that leaves the config directory",
    ]


def test_a_submodule(project: Project, tmp_path: Path) -> None:
    project.commit("All")
    sha = project.git("rev-parse", "HEAD")
    for name in ("config/momiji", "config/sakura/more"):
        project.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{name}")
    project.git("commit", "-q", "-m", "Submodules")
    assert [str(problem) for problem in at(project).problems] == [
        f"1a2b3c4:config/{name}:1:1: is a submodule: its files belong to another repository"
        for name in ("momiji", "sakura/more")
    ]


@pytest.mark.parametrize("config", [".", "a/b/con fig"])
def test_wherever_the_directory_is(project: Project, config: str) -> None:
    write(project.directory / config, {"sakura/restaurant.yaml": header(), "_x/a.yaml": "{}\n"})
    (project.directory / ".gitignore").write_text("/config/\n")
    if config == ".":
        (project.directory / "config").rename(project.directory / ".config")
    assert len(agree(project, config).files) == 2


def test_a_directory_that_was_not_there_or_something_else(project: Project) -> None:
    (project.directory / "config").rename(project.directory / "later")
    (project.directory / "x").write_text("x")
    project.commit("Nothing")
    (project.directory / "config").write_text("a file")
    project.commit("A file")
    (project.directory / "config").unlink()
    (project.directory / "later").rename(project.directory / "config")
    project.commit("The directory")
    for rev, count in (("HEAD~2", 0), ("HEAD~1", 0), ("HEAD", 2)):
        found = at(project, rev=rev)
        assert (len(found.files), found.folders, found.problems) == (
            count,
            {"sakura": "1a2b3c4:config/sakura"} if count else {},
            [],
        )


def test_the_index_and_the_files_do_not_matter(project: Project) -> None:
    project.commit("All")
    project.write({"sakura/a.yaml": "other\n", "sakura/new.yaml": "{}\n"})
    project.git("add", "-A")
    (project.directory / "config/sakura/restaurant.yaml").unlink()
    assert [(one.parts[-1], one.data) for one in at(project).files] == [
        ("a.yaml", b"staff_groups: []\n"),
        ("restaurant.yaml", header().encode()),
    ]


def test_many_files_fast(project: Project) -> None:
    write(
        project.directory,
        {f"config/r{n % 100}/{n}.yaml": f"staff_groups: [{{name: {n}}}]\n" for n in range(1000)},
    )
    project.commit("All")
    start = time.monotonic()
    assert len(at(project).files) == 1002
    assert time.monotonic() - start < 2


def test_a_huge_file_is_not_read(project: Project) -> None:
    (project.directory / "config/sakura/huge.yaml").write_bytes(b"#" * (30 * 1024 * 1024))
    project.commit("All")
    tracemalloc.start()
    try:
        (problem,) = at(project).problems
        assert tracemalloc.get_traced_memory()[1] < 10 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert str(problem).endswith(
        f"has 31,457,280 bytes; the limit is {MAX_BYTES:,} (split it into several files)"
    )


def test_a_clone_without_the_files(project: Project, tmp_path: Path) -> None:
    project.commit("All")
    project.write({"sakura/a.yaml": "daily_limits: []\n"})
    project.commit("More")
    project.git("config", "uploadpack.allowFilter", "true")
    partial = Project(tmp_path / "partial", "")
    partial.directory.mkdir()
    partial.git("clone", "-q", "--filter=blob:none", f"file://{project.directory}", ".")
    partial.git("remote", "set-url", "origin", "file:///nowhere")
    assert len(at(partial).files) == 2
    with pytest.raises(GitError) as caught:
        at(partial, rev="HEAD~1")
    assert caught.value.hint is not None
    assert "fetch-depth: 0" in caught.value.hint


def test_a_damaged_repository(project: Project) -> None:
    project.commit("All")
    blob = project.git("rev-parse", "HEAD:config/sakura/a.yaml")
    (project.directory / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitError, match="a file of the commit is missing in this clone"):
        at(project)
