"""How often a command waits for the server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.support.project import Project
from tests.support.proxy import proxy


def waits(project: Project, *arguments: str) -> int:
    """How often a command that succeeds waits for an answer, once it is connected."""
    options = conninfo_to_dict(project.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    # A directory with a short name: a socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory() as directory:
        socket = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
        url = project.url.replace(quote(host, safe=""), quote(directory, safe=""))
        assert url != project.url
        with proxy(socket, Path(directory)) as connections:
            Project(project.directory, url).ok(*arguments)
    (recorded,) = connections
    return len(recorded.round_trips())
