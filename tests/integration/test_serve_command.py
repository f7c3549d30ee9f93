"""``rowform serve`` as a command: what it refuses, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from websockets.sync.client import connect

from rowform.cli.main import main
from rowform.kinds import kinds
from rowform.store.live import LiveDatabase
from tests.support.live import PATIENCE, SECRET, as_role, token, until
from tests.support.project import MOMIJI, SAKURA, Project
from tests.support.proxy import proxy


@pytest.fixture
def two(project: Project) -> Project:
    project.restaurant()
    project.restaurant("momiji", MOMIJI)
    project.apply()
    return project


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "--auth none on 0.0.0.0 would let everybody in"),
        (["--host", ""], "--auth none on  would let everybody in"),
        (["--host", "example.com"], "--auth none on example.com would let everybody in"),
        (["--auth", "jwt"], "ROWFORM_JWT_SECRET, the secret of --auth jwt, is not set"),
        (["--auth", "jwt", "--jwt-secret-env", "SHORT"], "the secret in SHORT is shorter than 32 bytes"),
        (["--auth", "jwt", "--jwt-secret-env", "EMPTY"], "EMPTY, the secret of --auth jwt, is not set"),
        (["--auth", "header:X-R"], "--auth header:NAME needs --trusted-proxy"),
        (["--auth", "header:"], '--auth "header:" is no way to let people in'),
        (["--auth", "header:a b", "--trusted-proxy", "::1"], "is no way to let people in"),
        (["--auth", "basic"], '--auth "basic" is no way to let people in'),
        (["--auth", "header:X-R", "--trusted-proxy", "me"], '--trusted-proxy "me" is no address or network'),
        (["--trusted-proxy", "10.0.0.1"], "--trusted-proxy is for --auth header:NAME"),
        (["--allowed-origin", "app.example.com"], '--allowed-origin "app.example.com" is no origin'),
        (["--allowed-origin", "https://app.example.com/x"], "is no origin"),
        (["--allowed-origin", "*"], "is no origin"),
        (["--allowed-origin", "https://"], "is no origin"),
        (["-r", "sakra"], 'there is no restaurant "sakra" in the database'),
        (["--port", "70000"], "70000 is not in the range"),
        (["--edits", "sometimes"], "'sometimes' is not"),
    ],
)
def test_what_is_refused(
    two: Project, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str
) -> None:
    monkeypatch.setenv("SHORT", "x" * 31)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("ROWFORM_JWT_SECRET", raising=False)
    result = two.run("serve", "--port", "0", *options)
    assert (result.code, result.out) == (1, "")
    assert said in result.err
    assert "xxx" not in result.err


def test_names_of_restaurants_in_the_environment(two: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWFORM_RESTAURANT", " ")
    result = two.run("serve")
    assert (result.code, "ROWFORM_RESTAURANT is set but empty" in result.err) == (1, True)


def test_a_port_that_is_taken(two: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = two.run("serve", "--port", port)
    assert (result.code, result.out) == (1, "")
    assert f"Error: cannot listen on 127.0.0.1, port {port}: " in result.err
    assert "Traceback" not in result.err


def test_a_database_that_is_not_ready(two: Project, empty_database: str) -> None:
    result = Project(two.directory, empty_database).run("serve", "--port", "0")
    assert (result.code, "has no rowform tables yet" in result.err) == (1, True)


def test_where_people_are_told_apart_the_role_must_be_held(
    two: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROWFORM_JWT_SECRET", SECRET)
    result = two.run("serve", "--auth", "jwt", "--port", "0")
    assert result.code == 1
    assert "row level security does not hold the role" in result.err
    assert "select rowform.allow_serving('rowform_live')" in result.err


def test_a_role_that_may_not_serve_is_told_what_it_takes(two: Project) -> None:
    name, password = f"nobody_{token_hex(4)}", token_hex(8)
    with psycopg.connect(two.url, autocommit=True) as root:
        role = sql.Identifier(name)
        root.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        root.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public, rowform TO {}").format(role))
        try:
            result = Project(two.directory, as_role(two.url, name, password)).run("serve", "--port", "0")
            assert result.code == 1
            assert "permission denied for function find_restaurant" in result.err
            assert "select rowform.allow_serving('ROLE')" in result.err
        finally:
            root.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


@contextmanager
def serving(project: Project, *options: str, url: str = "", **environment: str) -> Iterator[tuple[int, Path]]:
    """The command in a process of its own: its port, and the file with what it says."""
    log = project.directory / "serve.log"
    command = [
        sys.executable,
        "-m",
        "rowform",
        "--database-url",
        url or project.url,
        "serve",
        "--port",
        "0",
        *options,
    ]
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            cwd=project.directory,
            env={**os.environ, "CI": "", **environment},
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        yield _port(process, log), log
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (0, b"")
    finally:
        process.kill()
        process.communicate()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    async def found() -> None:
        await until(lambda: " on http" in log.read_text() or process.poll() is not None)

    asyncio.run(found())
    match = re.search(r"serving on http://127\.0\.0\.1:(\d+)", log.read_text())
    assert match, log.read_text()
    return int(match[1])


def test_the_command_serves_until_it_is_told_to_stop(two: Project) -> None:
    with serving(two, RESTAURANT_ID="sakura") as (port, log):
        client = connect(f"ws://127.0.0.1:{port}/staff-sync", compression=None)
        with client:
            assert json.loads(client.recv(PATIENCE))["payload"]["restaurant"] == "sakura"
            two.write({"sakura/all.yaml": 'staff_groups: [{name: "Kit\\tchen"}]\n'})
            two.apply()
            message = json.loads(client.recv(PATIENCE))
            assert message["payload"]["settings"]["staffGroups"][0]["name"] == "Kit\tchen"
    text = log.read_text()
    assert re.search(
        r"\S+Z INFO settings sent restaurant=sakura version=2 clients=1 bytes=\d+ tables=staff_groups\n", text
    )
    assert text.endswith("INFO shutting down\n")
    assert "Traceback" not in text


def test_logs_as_json_and_a_role_of_its_own(two: Project) -> None:
    name, password = f"live_{token_hex(4)}", token_hex(8)
    with psycopg.connect(two.url, autocommit=True) as root:
        role = sql.Identifier(name)
        root.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        root.execute("SELECT rowform.allow_serving(%s)", (name,))
        try:
            options = ("--auth", "jwt", "--log-format", "json", "-r", "momiji")
            with serving(
                two,
                *options,
                url=as_role(two.url, name, password),
                ROWFORM_JWT_SECRET=SECRET,
                ROWFORM_RESTAURANT="nowhere",
            ) as (port, log):
                given = {"Authorization": f"Bearer {token(MOMIJI)}"}
                with connect(f"ws://127.0.0.1:{port}", additional_headers=given) as client:
                    assert json.loads(client.recv(PATIENCE))["payload"]["restaurant"] == "momiji"
                given = {"Authorization": f"Bearer {token(SAKURA)}"}
                with connect(f"ws://127.0.0.1:{port}", additional_headers=given) as client:
                    assert json.loads(client.recv(PATIENCE))["payload"]["code"] == "FORBIDDEN"
        finally:
            root.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))
    note, *lines = log.read_text().splitlines()
    assert note == 'There is no restaurant "nowhere" yet, which clients get who name none.'
    events = [json.loads(line) for line in lines]
    assert events[0]["message"].startswith("serving on http://127.0.0.1:")
    (sent_away,) = (event for event in events if event["message"] == "client sent away")
    assert (sent_away["level"], sent_away["code"]) == ("info", "FORBIDDEN")
    assert password not in log.read_text()
    assert SECRET not in log.read_text()


def test_settings_are_read_in_one_round_trip(two: Project) -> None:
    options = conninfo_to_dict(two.url)
    host = str(options.get("host", ""))
    if not host.startswith("/"):
        pytest.skip("the counting proxy stands before a Unix socket, and this server has none")
    with tempfile.TemporaryDirectory() as directory:
        server = Path(host) / f".s.PGSQL.{options.get('port', 5432)}"
        url = two.url.replace(quote(host, safe=""), quote(directory, safe=""))

        async def read() -> None:
            database = LiveDatabase(url, "public", kinds())
            found = await database.load(SAKURA)
            assert found
            assert found.number == 1
            await database.load(MOMIJI)
            await database.close()

        with proxy(server, Path(directory)) as connections:
            asyncio.run(read())
    (recorded,) = connections
    assert len(recorded.round_trips()) == 2


def test_help_names_what_matters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    text = capsys.readouterr().out
    for part in (
        "/staff-sync",
        "allow_serving",
        "ROWFORM_METRICS_TOKEN",
        "ROWFORM_LISTEN_URL",
        "authenticated",
    ):
        assert part in text
