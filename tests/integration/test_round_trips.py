"""How often an apply waits for the server: at most four times, whatever the number of changes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.project import Project
from tests.support.proxy import proxy


def groups(color: str, number: int) -> str:
    entries = "".join(f'  - name: Group {index}\n    color: "{color}"\n' for index in range(number))
    return f"staff_groups:\n{entries}"


@pytest.mark.parametrize("changes", [1, 500])
def test_apply_waits_at_most_four_times(project: Project, changes: int) -> None:
    options = conninfo_to_dict(project.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    project.restaurant()
    project.write({"sakura/all.yaml": groups("#111111", 500)})
    project.apply()
    text = groups("#111111", 500).replace("#111111", "#222222", changes)
    project.write({"sakura/all.yaml": text})

    # A directory with a short name: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
        through = Project(
            project.directory, project.url.replace(quote(host, safe=""), quote(directory, safe=""))
        )
        assert through.url != project.url
        with proxy(socket, Path(directory)) as connections:
            result = through.apply("--force", "threshold")
    assert f"0 added, {changes} changed, 0 destroyed." in result.out
    (recorded,) = connections
    trips = recorded.round_trips()
    begin = next(index for index, sent in enumerate(trips) if b"BEGIN ISOLATION LEVEL READ COMMITTED" in sent)
    assert begin <= 2
    assert len(trips) - begin <= 4
    assert b"COMMIT" in trips[-1]
