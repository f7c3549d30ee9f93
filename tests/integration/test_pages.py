"""The page's documents over HTTP: what they say, to whom, and in which language."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import psycopg
import pytest
from psycopg import sql

from rowform.kinds import kinds
from rowform.server.identity import Tokens
from rowform.server.pages import PREVIEW, Pages
from rowform.sync.browsing import Browser
from tests.support.live import AUDIENCE, SECRET, Live, as_role, live, run, token
from tests.support.project import MOMIJI, SAKURA, Project

TOKENS = Tokens(SECRET, AUDIENCE)
PATHS = (
    "/api/state",
    "/api/history",
    "/api/version/1",
    "/api/version/active",
    "/api/diff?a=1&b=active",
    "/api/log",
)
#: Words that only Sakura's settings have.
SECRETS = ("sakura", SAKURA, "omakase", "板前")


@pytest.fixture
def two(project: Project) -> Project:
    project.restaurant("sakura", SAKURA, "timezone: Asia/Tokyo\n")
    project.restaurant("momiji", MOMIJI, "timezone: UTC\n")
    project.write(
        {
            "sakura/all.yaml": "staff_groups: [{name: Omakase, group_config: {members: [板前]}}]\n",
            "momiji/all.yaml": "staff_groups: [{name: Ramen}]\n"
            "daily_limits: [{name: Late, effective_from: 2026-04-02}]\n",
        }
    )
    project.commit("Settings")
    project.apply()
    return project


@pytest.fixture
def gateway(two: Project) -> Iterator[str]:
    name, password = f"look_{token_hex(4)}", token_hex(8)
    with psycopg.connect(two.url, autocommit=True) as root:
        role = sql.Identifier(name)
        root.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        root.execute("SELECT rowform.allow_serving(%s)", (name,))
        yield as_role(two.url, name, password)
        root.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


@asynccontextmanager
async def pages(url: str, **options: Any) -> AsyncIterator[Live]:
    """A server with the page."""
    now = datetime(2026, 4, 1, 23, 0, tzinfo=UTC)
    async with live(url, **options) as server:
        browser = Browser(url, kinds(), lambda: now)
        page = Pages(server.server._gate, server.server.hub, browser, "reject")
        page.add_to(server.server.routes)
        server.server.questions[PREVIEW] = page.preview
        try:
            yield server
        finally:
            browser.close()


async def document(server: Live, path: str, **headers: str) -> Any:
    status, body, found = await server.get(path, **headers)
    assert status == 200, body
    assert found["Content-Type"] == "application/json"
    assert found["Cache-Control"] == "no-store"
    return json.loads(body)


def test_what_the_documents_say(two: Project) -> None:
    two.write(
        {"momiji/all.yaml": "staff_groups: [{name: Ramen, color: '#112233'}]\ndaily_limits: [{name: Late}]\n"}
    )
    commit = two.commit("Colour")
    two.apply()

    async def test() -> None:
        async with pages(two.url) as server, server.client("/?restaurant=momiji") as client:
            await client.synchronise()
            state = await document(server, "/api/state?restaurant=momiji")
            assert state["restaurant"] == {
                "id": MOMIJI,
                "slug": "momiji",
                "name": "Momiji",
                "timezone": "UTC",
            }
            assert (state["version"]["version_number"], state["version"]["name"]) == (2, "Colour")
            assert state["version"]["author"] == "Aiko Sato <aiko@example.com>"
            assert state["version"]["source"]["commit"].startswith(commit)
            assert state["edits"] == "reject"
            assert [one["kind"] for one in state["kinds"] if one["settings"]] == [
                "staff_groups",
                "daily_limits",
            ]
            assert [one["clients"] for one in state["clients"]] == [1]
            history = await document(server, "/api/history?restaurant=momiji&limit=1")
            assert [one["version_number"] for one in history["versions"]] == [2]
            assert history["more"] is True
            first = await document(server, "/api/version/1?restaurant=momiji")
            (late,) = next(one for one in first["kinds"] if one["kind"] == "daily_limits")["settings"]
            # It is still the first of April in UTC, where this restaurant is.
            assert (late["standing"], late["day"]) == ("pending", "2 April 2026")
            difference = await document(server, "/api/diff?restaurant=momiji&a=1&b=2")
            assert difference["summary"] == {"create": 0, "update": 2, "delete": 0, "unchanged": 0}
            assert difference["kinds"][0]["changes"][0]["fields"] == [
                {"label": "colour", "old": ["none"], "new": ["#112233"]}
            ]
            back = await document(server, "/api/diff?restaurant=momiji")
            assert (back["from"]["version_number"], back["to"]["version_number"]) == (1, 2)

    run(test())


def test_days_are_the_restaurants(two: Project) -> None:
    two.write({"sakura/more.yaml": "daily_limits: [{name: Late, effective_from: 2026-04-02}]\n"})
    two.apply()

    async def test() -> None:
        async with pages(two.url) as server:
            state = await document(server, "/api/state?restaurant=sakura&lang=ja")
            assert state["today"] == {"date": "2026-04-02", "words": "2026年4月2日"}
            assert state["tables"][0] == {"kind": "staff_groups", "title": "スタッフグループ"}

    run(test())


def test_the_audit_trail_is_searched_in_what_people_see(two: Project) -> None:
    commits: list[str] = []
    for number in range(8):
        wide = f"\N{FULLWIDTH LATIN CAPITAL LETTER N}\N{FULLWIDTH LATIN SMALL LETTER O}{number}"
        group = f"{{name: Omakase, description: {wide}, color: '#00000{number}'}}"
        two.write({"sakura/all.yaml": f"staff_groups: [{group}]\n"})
        commits.append(two.commit(f"Step {number}"))
        two.apply()

    async def test() -> None:
        async with pages(two.url) as server:

            async def found(query: str) -> list[str]:
                log = await document(server, f"/api/log?restaurant=sakura&{query}")
                return [entry["reason"].partition(" (")[0] for entry in log["entries"]]

            every = [f"Step {number}" for number in range(7, -1, -1)]
            assert await found("") == [*every, "Settings"]
            # Full-width letters and capitals do not matter; all words have to be there.
            assert await found("search=no3") == ["Step 4", "Step 3"]
            assert await found("search=NO3+%23000004") == ["Step 4"]
            assert await found("search=colour+aiko") == every
            assert await found("search=%E6%9D%BF%E5%89%8D") == ["Step 0", "Settings"]
            assert await found("search=nothing") == []
            assert await found("kind=daily_limits") == []
            assert await found("version=2") == ["Step 0"]
            assert await found("key=Omakase&search=no5") == ["Step 6", "Step 5"]
            assert await found(f"search={commits[5][:6].upper()}") == ["Step 5"]
            # Page by page it is the same.
            pieces: list[str] = []
            before, rounds = "", 0
            while rounds < 20:
                log = await document(server, f"/api/log?restaurant=sakura&search=step&limit=3{before}")
                pieces += [entry["reason"].partition(" (")[0] for entry in log["entries"]]
                rounds += 1
                if log["next"] is None:
                    break
                before = f"&before={log['next']}"
            assert pieces == every
            assert rounds == 3

    run(test())


def test_what_makes_no_sense_is_an_error_and_the_server_lives_on(two: Project) -> None:
    asked = {
        "/api/version/99": 400,
        "/api/version/x": 400,
        "/api/version/": 400,
        "/api/diff?a=1&b=config": 400,
        "/api/diff?a=99": 400,
        "/api/log?kind=nothing": 400,
        "/api/log?key=nothing": 400,
        "/api/log?before=x": 400,
        "/api/log?limit=-1": 400,
        "/api/history?limit=%00": 400,
        "/page/page.html": 404,
        "/page/words.json": 404,
        "/page/../pages.py": 404,
        "/page/%2e%2e/pages.py": 404,
    }

    async def test() -> None:
        async with pages(two.url) as server:
            for path, status in asked.items():
                glue = "&" if "?" in path else "?"
                found, body, _ = await server.get(f"{path}{glue}restaurant=sakura")
                assert (found, set(json.loads(body)["error"])) == (status, {"code", "message"}), path
            assert (await document(server, "/api/state?restaurant=sakura"))["version"]["version_number"] == 1

    run(test())


def test_no_version_and_no_restaurant(project: Project) -> None:
    with psycopg.connect(project.url, autocommit=True) as root:
        root.execute("INSERT INTO restaurants (id, name, slug) VALUES (%s, 'Sakura', 'sakura')", (SAKURA,))

    async def test() -> None:
        async with pages(project.url) as server:
            state = await document(server, "/api/state")
            assert (state["version"], state["kinds"], state["clients"]) == (None, [], [])
            assert await document(server, "/api/history") == {"versions": [], "more": False}
            assert await document(server, "/api/log") == {"entries": [], "next": None}
            for path in ("/api/diff", "/api/version/active"):
                assert (await server.get(path))[0] == 400
            status, body, _ = await server.get("/api/state?restaurant=nowhere")
            assert (status, json.loads(body)["error"]["code"]) == (404, "NO_RESTAURANT")

    run(test())


# --- who sees what -------------------------------------------------------------------------------


def test_a_token_sees_its_restaurant_alone(gateway: str, two: Project) -> None:
    two.write(
        {
            "sakura/all.yaml": "staff_groups: [{name: Omakase, color: '#445566',"
            " group_config: {members: [板前]}}]\n"
        }
    )
    two.apply()
    two.ok("lock", "2", "--reason", "Omakase is done", "-r", "sakura")

    async def test() -> None:
        async with pages(gateway, authenticator=TOKENS) as server:
            ours = {"Authorization": f"Bearer {token(SAKURA)}"}
            theirs = {"Authorization": f"Bearer {token(MOMIJI)}"}
            for path in PATHS:
                # Whom they are meant for they tell something, which is what makes the rest worth anything.
                told = [
                    json.dumps(await document(server, path, **who), ensure_ascii=False)
                    for who in (ours, theirs)
                ]
                assert "Omakase" in told[0], path
                assert not any(secret in told[1].lower() for secret in SECRETS), path
                glue = "&" if "?" in path else "?"
                for wanted in ("sakura", SAKURA, "nowhere"):
                    status, body, _ = await server.get(f"{path}{glue}restaurant={wanted}", **theirs)
                    assert status == 403
                    assert json.loads(body)["error"]["message"] == "this is not your restaurant"
                assert (await server.get(path))[0] == 401
                expired = f"Bearer {token(SAKURA, seconds=-5)}"
                assert (await server.get(path, Authorization=expired))[0] == 401
            # What rowform's own books say is told as well: counts, states, locks, rollbacks.
            newest, oldest = (await document(server, "/api/history", **ours))["versions"]
            assert (newest["summary"]["update"], oldest["summary"]["create"]) == (1, 1)
            assert (newest["state"], newest["lock_reason"]) == ("active", "Omakase is done")

    run(test())


def test_the_database_alone_would_keep_restaurants_apart(gateway: str) -> None:
    """The same statements for another restaurant's id, in a transaction about one's own."""
    from rowform.store.audit import Filter, audit
    from rowform.store.browsing import Looks, about
    from rowform.store.read import history, version_rows

    looks = Looks(gateway, kinds())
    try:

        def steal(session: Any) -> list[Any]:
            return [
                about(session, SAKURA),
                history(session, SAKURA),
                audit(session, {SAKURA: Filter()})[SAKURA],
                [one for entries in version_rows(session, SAKURA, 1).values() for one in entries],
            ]

        assert looks.look(MOMIJI, steal) == [None, [], [], []]
        assert all(looks.look(SAKURA, steal))
    finally:
        looks.close()


def test_a_lost_connection_costs_nobody_anything(two: Project) -> None:
    async def test() -> None:
        async with pages(two.url) as server:
            await document(server, "/api/state?restaurant=sakura")
            with psycopg.connect(two.url, autocommit=True) as root:
                root.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'rowform' AND datname = current_database()"
                    " AND pid <> pg_backend_pid()"
                )
            await document(server, "/api/state?restaurant=sakura")

    run(test())


# --- the page itself -----------------------------------------------------------------------------


def test_the_page_its_language_and_its_policy(two: Project) -> None:
    async def test() -> None:
        async with pages(two.url) as server:
            spoken = {
                ("/", ""): "en",
                ("/?lang=ja", ""): "ja",
                ("/?lang=xx", "ja"): "ja",
                ("/", "ja-JP,ja;q=0.9,en;q=0.8"): "ja",
                ("/", "de, en;q=0.3, ja;q=0.2"): "en",
                ("/", "ja;q=0, *"): "en",
                ("/", "ja;q=.., ;;;,"): "en",
                ("/?lang=en", "ja"): "en",
            }
            for (path, accepted), language in spoken.items():
                status, body, headers = await server.get(path, **{"Accept-Language": accepted})
                assert status == 200
                assert f'<html lang="{language}">' in body
                policy = headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "script-src 'self';" in policy
                assert "unsafe" not in policy
            status, body, headers = await server.get("/rowform-client.js")
            assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
            assert headers["Access-Control-Allow-Origin"] == "*"
            _, _, headers = await server.get("/page/main.js")
            assert "Access-Control-Allow-Origin" not in headers

    run(test())


# --- what an export would become -----------------------------------------------------------------


def test_a_preview(two: Project) -> None:
    export = {"staffGroups": [{"name": "omakase", "members": ["板前"]}, {"name": "New"}], "other": 1}

    async def test() -> None:
        async with pages(two.url) as server, server.client("/?restaurant=sakura") as client:
            await client.expect("CONNECTION_ACK")
            await client.send(
                PREVIEW, {"settings": json.dumps(export), "name": "tab.json", "lang": "en"}, "page-1"
            )
            answer = await client.expect(PREVIEW)
            assert answer["clientId"] == "page-1"
            found = answer["payload"]
            assert [(one["key"], one["compared"]) for one in found["settings"]] == [
                ("omakase", "different"),
                ("New", "new"),
            ]
            assert [one["pointer"] for one in found["homeless"]] == ["/other"]
            assert found["yaml"].startswith("staff_groups:\n")
            await client.send(PREVIEW, {"settings": export, "tables": ["daily_limits"]})
            assert (await client.expect(PREVIEW))["payload"]["settings"] == []
            for wrong in (
                {},
                {"settings": "[]"},
                {"settings": 1},
                {"settings": export, "leaveOut": ["/nowhere"]},
                {"settings": export, "tables": ["x"]},
            ):
                await client.send(PREVIEW, wrong)
                error = await client.expect("ERROR")
                assert error["payload"]["code"] == "INVALID_PAYLOAD", wrong
            # Whoever may not edit may look all the same.
            await client.send("SETTINGS_MIGRATE", {"settings": export})
            assert (await client.expect("ERROR"))["payload"]["code"] == "MANAGED_IN_GIT"

    run(test())
